/* TLS of a daemon that listens on the network: its context is made of the files that the
 * configuration names when the first such socket is opened, and anew on reload. */
#pragma once

#include "common/daemon_private.h"

/* Blocks while it reads the files, if they have not been read yet. */
bool daemon_load_tls(Daemon *daemon, GError **error);
void daemon_forget_tls(Daemon *daemon);
/* In two steps, so that others can fail in between: loads what @config names, which is for
 * daemon_adopt_tls() or daemon_drop_tls(). Without TLS there is nothing to load: then *@ret_context
 * is NULL, which both take. Errors: what reading the files says. */
SUSPENDS bool daemon_prepare_tls(Daemon *daemon, const DaemonConfig *config,
                                 struct NetTlsContext **ret_context, GError **error);
/* For the connections to come; takes @context. */
void daemon_adopt_tls(Daemon *daemon, struct NetTlsContext *context);
void daemon_drop_tls(Daemon *daemon, struct NetTlsContext *context);
/* A NetWrapFunc; @daemon has loaded TLS. */
NetSocket *daemon_wrap_tls(int fd, void *daemon);
