#include "base/error.h"
#include "net/tls_server.h"

NetTlsContext *net_tls_context_new(const NetTlsConfig *config, GError **error)
{
    error_set(error, VIR_FROM_RPC, VIR_ERR_CONFIG_UNSUPPORTED, "this build has no TLS (gnutls)");
    return NULL;
}

/* Nobody has a context: the first two see NULL, the last is never called. */
NetTlsContext *net_tls_context_ref(NetTlsContext *context)
{
    return context;
}

void net_tls_context_unref(NetTlsContext *context)
{
}

NetSocket *net_tls_server_new(int fd, void *context)
{
    g_assert_not_reached();
}
