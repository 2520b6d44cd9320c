/* TLS of a daemon: the certificates that its TLS sockets share. Connections keep those
 * with which they began. */
#include "base/error.h"
#include "common/daemon_private.h"
#include "common/daemon_tls.h"
#include "fiber/offload.h"
#include "net/tls_server.h"

#include "base/log.h"

LOG_INIT("daemon.tls");

static NetTlsConfig daemon_tls_config(const DaemonConfig *config)
{
    return (NetTlsConfig){
        .ca_file = config->ca_file,
        .cert_file = config->cert_file,
        .key_file = config->key_file,
        .crl_file = config->crl_file,
        .priority = config->tls_priority,
        .check_own = !config->tls_no_sanity_certificate,
        .verify_peer = !config->tls_no_verify_certificate,
        .allowed_names = (const char *const *)config->tls_allowed_dn_list,
    };
}

bool daemon_load_tls(Daemon *daemon, GError **error)
{
    NetTlsConfig config = daemon_tls_config(daemon->config);

    if (daemon->tls_context)
        return true;
    daemon->tls_context = daemon->spec->tls->context_new(&config, error);
    if (daemon->tls_context && !config.verify_peer)
        LOG_WARN("tls_no_verify_certificate is 1: anybody may connect to the TLS port");
    return daemon->tls_context != NULL;
}

void daemon_forget_tls(Daemon *daemon)
{
    if (daemon->tls_context)
        daemon->spec->tls->context_unref(g_steal_pointer(&daemon->tls_context));
}

NetSocket *daemon_wrap_tls(int fd, void *data)
{
    Daemon *daemon = data;

    return daemon->spec->tls->wrap(fd, daemon->tls_context);
}

/* Reading files is a thread's work. The strings are copies: another reload may replace
 * the configuration meanwhile. */
typedef struct TlsLoad {
    const DaemonTls *tls;
    NetTlsConfig config;
    NetTlsContext *context;
} TlsLoad;

static void tls_load_clear(TlsLoad *load)
{
    g_free((char *)load->config.ca_file);
    g_free((char *)load->config.cert_file);
    g_free((char *)load->config.key_file);
    g_free((char *)load->config.crl_file);
    g_free((char *)load->config.priority);
    g_strfreev((char **)load->config.allowed_names);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(TlsLoad, tls_load_clear)

/* After the wait nothing of the configuration is looked at any more. */
static void tls_load_init(TlsLoad *load, const DaemonTls *tls, const DaemonConfig *from)
{
    NetTlsConfig *config = &load->config;

    load->tls = tls;
    *config = daemon_tls_config(from);
    config->ca_file = g_strdup(config->ca_file);
    config->cert_file = g_strdup(config->cert_file);
    config->key_file = g_strdup(config->key_file);
    config->crl_file = g_strdup(config->crl_file);
    config->priority = g_strdup(config->priority);
    config->allowed_names = (const char *const *)g_strdupv((char **)config->allowed_names);
}

static bool load_in_thread(void *data, GError **error)
{
    TlsLoad *load = data;

    load->context = load->tls->context_new(&load->config, error);
    return load->context != NULL;
}

bool daemon_prepare_tls(Daemon *daemon, const DaemonConfig *config, NetTlsContext **ret_context,
                        GError **error)
{
    g_auto(TlsLoad) load = { 0 };

    *ret_context = NULL;
    if (!daemon->tls_context)
        return true;
    tls_load_init(&load, daemon->spec->tls, config);
    if (!fiber_offload(load_in_thread, &load, error))
        return false;
    *ret_context = load.context;
    return true;
}

void daemon_drop_tls(Daemon *daemon, NetTlsContext *context)
{
    if (context)
        daemon->spec->tls->context_unref(context);
}

void daemon_adopt_tls(Daemon *daemon, NetTlsContext *context)
{
    if (!context)
        return;
    /* Connections that began with the old ones hold them. */
    daemon_forget_tls(daemon);
    daemon->tls_context = context;
    /* The first server has the network sockets, the admin server none. */
    LOG_INFO("the TLS files of server '%s' were loaded anew",
             server_get_name(g_ptr_array_index(daemon->servers, 0)));
}

bool daemon_reload_tls(Daemon *daemon, Server *server, GError **error)
{
    NetTlsContext *context;

    if (!daemon->tls_context || server != g_ptr_array_index(daemon->servers, 0)) {
        error_set(error, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR,
                  "no tls service found, unable to update tls files");
        return false;
    }
    if (!daemon_prepare_tls(daemon, daemon->config, &context, error))
        return false;
    daemon_adopt_tls(daemon, context);
    return true;
}
