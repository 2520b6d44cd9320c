/* What tls_server.c needs of a context; gnutls types stay between these two files. */
#pragma once

#include <gnutls/gnutls.h>

#include "net/tls_server.h"

/* Sets certificates, priorities and the client certificate's treatment of a session. */
int net_tls_context_apply(const NetTlsContext *context, gnutls_session_t session);
bool net_tls_context_verifies_peer(const NetTlsContext *context);
/* Judges the certificate that the peer of @session has shown. Sets *@ret_name to its
 * distinguished name; or returns false and sets *@ret_failure. To be freed by g_free(). */
bool net_tls_context_check_peer(const NetTlsContext *context, gnutls_session_t session,
                                char **ret_name, char **ret_failure);
