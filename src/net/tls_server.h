/* The server's side of TLS as a kind of stream: wrap an accepted socket, then receive
 * and send as on any other; the handshake happens meanwhile. Certificates belong to a
 * context that many streams share; to use new files, make a new context for the
 * connections to come. Without gnutls at build time making a context is an error.
 *
 * Protocol: TLS 1.2 at least, client certificates as RFC 8446 4.4.2; and once a client
 * is accepted, one byte of value 1 as the first data to it, which clients wait for. */
#pragma once

#include "net/stream_socket.h"

typedef struct NetTlsConfig {
    const char *ca_file;   /* PEM, like all of them: who may have signed the clients' */
    const char *cert_file; /* our certificate, then those between it and its root */
    const char *key_file;
    const char *crl_file; /* revoked certificates; NULL: none */
    const char *priority; /* gnutls priority string; NULL: "NORMAL" */
    bool check_own;       /* our certificate has to be of use: valid now, for servers, of the CA */
    bool verify_peer;     /* clients have to show a certificate that @ca_file signed */
    /* Names that clients may have, NULL-terminated, with the wildcards * and ?, in the
     * form of virt-pki-query-dn(1). NULL: any; a list without entries: none. */
    const char *const *allowed_names;
} NetTlsConfig;

typedef struct NetTlsContext NetTlsContext;

/* Reads the files. Errors: GNUTLS_ERROR or SYSTEM_ERROR naming the file (or the priority
 * string) and the reason; CONFIG_UNSUPPORTED without TLS in this build, and for
 * @allowed_names without @verify_peer, which nobody could rely on. */
NetTlsContext *net_tls_context_new(const NetTlsConfig *config, GError **error);
NetTlsContext *net_tls_context_ref(NetTlsContext *context);
void net_tls_context_unref(NetTlsContext *context);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NetTlsContext, net_tls_context_unref)

/* Takes over the connected socket @fd and keeps a reference on the NetTlsContext
 * @context. A NetWrapFunc: @context is what net_listener_set_wrap() was given.
 *
 * A refused or broken handshake makes receive and send return -EACCES (certificate) or
 * -EPROTO, an end without TLS's own -ECONNRESET; net_socket_get_failure() has the
 * reason in words. A handshake that does not proceed waits for ever: the owner has to
 * limit the time until the first received byte. */
NetSocket *net_tls_server_new(int fd, void *context);
