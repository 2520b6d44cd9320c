/* What all connections of a TLS socket share: our certificate and key, the authorities that
 * are believed, and which clients are let in. It is read once, and replaced as a whole:
 * connections keep the one they began with by a reference. */
#include "net/tls_context.h"

#include <errno.h>
#include <gnutls/x509.h>
#include <string.h>

#include "base/error.h"
#include "base/wipe.h"

#define PRIORITY_DEFAULT "NORMAL"
/* Whatever the string says: RFC 8996 forbids these. */
#define PRIORITY_SUFFIX ":-VERS-SSL3.0:-VERS-TLS1.0:-VERS-TLS1.1"

struct NetTlsContext {
    guint n_refs;
    gnutls_certificate_credentials_t credentials;
    gnutls_priority_t priority;
    bool verify_peer;
    char **allowed_names;
};

/* gnutls's documented way (gnutls_global_init(3)) to keep its constructor, which costs
 * every start some milliseconds and memory, from running before the first context. */
int _gnutls_global_init_skip(void);
__attribute__((visibility("default"))) int _gnutls_global_init_skip(void)
{
    return 1;
}

typedef struct PemFile {
    gnutls_datum_t data;
} PemFile;

/* A key was perhaps in it. */
static void pem_file_clear(PemFile *file)
{
    if (file->data.data)
        wipe(file->data.data, file->data.size);
    g_free(file->data.data);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PemFile, pem_file_clear)

/* Errors say which of the files it was: people mix them up. */
static bool pem_file_read(PemFile *file, const char *what, const char *path, GError **error)
{
    g_autoptr(GError) problem = NULL;
    char *contents = NULL;
    size_t length = 0;

    if (!g_file_get_contents(path, &contents, &length, &problem)) {
        error_set(error, VIR_FROM_RPC, VIR_ERR_SYSTEM_ERROR, "cannot read %s: %s", what,
                  problem->message);
        return false;
    }
    file->data.data = (unsigned char *)contents;
    file->data.size = (unsigned int)length;
    return true;
}

static bool check_loaded(int rc, const char *what, const char *path, GError **error)
{
    if (rc < 0) {
        error_set(error, VIR_FROM_RPC, VIR_ERR_GNUTLS_ERROR, "cannot use %s %s: %s", what, path,
                  gnutls_strerror(rc));
        return false;
    }
    return true;
}

/* The text of a verification's outcome, without the last sentence's space. */
static char *status_describe(unsigned int status, gnutls_certificate_type_t type)
{
    gnutls_datum_t text = { 0 };

    if (gnutls_certificate_verification_status_print(status, type, &text, 0) < 0)
        return g_strdup_printf("verification status 0x%x", status);
    char *copy = g_strstrip(g_strndup((const char *)text.data, text.size));
    gnutls_free(text.data);
    return copy;
}

/* An empty file would trust nobody, and be noticed by the first client only. */
static bool context_load_ca(NetTlsContext *context, const char *path, GError **error)
{
    const char *what = "CA certificate file";
    g_auto(PemFile) file = { 0 };

    if (!pem_file_read(&file, what, path, error))
        return false;
    int n_loaded = gnutls_certificate_set_x509_trust_mem(context->credentials, &file.data,
                                                         GNUTLS_X509_FMT_PEM);
    return check_loaded(n_loaded == 0 ? GNUTLS_E_NO_CERTIFICATE_FOUND : n_loaded, what, path,
                        error);
}

static bool context_load_key(NetTlsContext *context, const NetTlsConfig *config, GError **error)
{
    g_auto(PemFile) cert = { 0 };
    g_auto(PemFile) key = { 0 };

    if (!pem_file_read(&cert, "certificate file", config->cert_file, error) ||
        !pem_file_read(&key, "key file", config->key_file, error))
        return false;
    g_autofree char *both = g_strdup_printf("%s with key %s", config->cert_file, config->key_file);
    int rc = gnutls_certificate_set_x509_key_mem2(context->credentials, &cert.data, &key.data,
                                                  GNUTLS_X509_FMT_PEM, NULL, 0);
    return check_loaded(rc, "certificate", both, error);
}

/* Optional: without a list nothing is revoked. */
static bool context_load_crl(NetTlsContext *context, const char *path, GError **error)
{
    const char *what = "revocation list";
    g_auto(PemFile) file = { 0 };

    if (!path)
        return true;
    if (!pem_file_read(&file, what, path, error))
        return false;
    int rc =
        gnutls_certificate_set_x509_crl_mem(context->credentials, &file.data, GNUTLS_X509_FMT_PEM);
    return check_loaded(rc, what, path, error);
}

/* What every client would object to is better told to the operator: dates, revocation,
 * issuer and purpose. */
static bool context_check_own(NetTlsContext *context, const NetTlsConfig *config, GError **error)
{
    char purpose_oid[] = GNUTLS_KP_TLS_WWW_SERVER;
    gnutls_typed_vdata_st purpose = { .type = GNUTLS_DT_KEY_PURPOSE_OID,
                                      .data = (unsigned char *)purpose_oid };
    gnutls_x509_trust_list_t trusted;
    gnutls_x509_crt_t *chain = NULL;
    unsigned int n_certs = 0;
    unsigned int status = 0;

    if (!config->check_own)
        return true;
    gnutls_certificate_get_trust_list(context->credentials, &trusted);
    int rc = gnutls_certificate_get_x509_crt(context->credentials, 0, &chain, &n_certs);
    if (!check_loaded(rc, "certificate", config->cert_file, error))
        return false;
    rc = gnutls_x509_trust_list_verify_crt2(trusted, chain, n_certs, &purpose, 1, 0, &status, NULL);
    for (unsigned int i = 0; i < n_certs; i++)
        gnutls_x509_crt_deinit(chain[i]);
    gnutls_free(chain);
    if (!check_loaded(rc, "certificate", config->cert_file, error))
        return false;
    if (status == 0)
        return true;
    g_autofree char *reason = status_describe(status, GNUTLS_CRT_X509);
    error_set(error, VIR_FROM_RPC, VIR_ERR_GNUTLS_ERROR,
              "no client would accept certificate %s with the CA in %s: %s", config->cert_file,
              config->ca_file, reason);
    return false;
}

static bool context_set_priority(NetTlsContext *context, const char *priority, GError **error)
{
    const char *error_at = "";
    g_autofree char *full =
        g_strconcat(priority ? priority : PRIORITY_DEFAULT, PRIORITY_SUFFIX, NULL);
    int rc = gnutls_priority_init(&context->priority, full, &error_at);

    if (rc < 0) {
        error_set(error, VIR_FROM_RPC, VIR_ERR_GNUTLS_ERROR,
                  "cannot use TLS priority string '%s', at '%s': %s", full, error_at,
                  gnutls_strerror(rc));
        return false;
    }
    return true;
}

NetTlsContext *net_tls_context_new(const NetTlsConfig *config, GError **error)
{
    if (config->allowed_names && !config->verify_peer) {
        error_set(error, VIR_FROM_RPC, VIR_ERR_CONFIG_UNSUPPORTED,
                  "a list of allowed TLS client names needs client certificates to be verified");
        return NULL;
    }
    /* Counted by the library: each context keeps it initialised. */
    int rc = gnutls_global_init();
    if (!check_loaded(rc, "TLS library", "gnutls", error))
        return NULL;

    g_autoptr(NetTlsContext) context = g_new0(NetTlsContext, 1);
    context->n_refs = 1;
    context->verify_peer = config->verify_peer;
    context->allowed_names = g_strdupv((char **)config->allowed_names);
    rc = gnutls_certificate_allocate_credentials(&context->credentials);
    if (!check_loaded(rc, "TLS library", "gnutls", error) ||
        !context_load_ca(context, config->ca_file, error) ||
        !context_load_key(context, config, error) ||
        !context_load_crl(context, config->crl_file, error) ||
        !context_check_own(context, config, error) ||
        !context_set_priority(context, config->priority, error))
        return NULL;
    return g_steal_pointer(&context);
}

NetTlsContext *net_tls_context_ref(NetTlsContext *context)
{
    context->n_refs++;
    return context;
}

void net_tls_context_unref(NetTlsContext *context)
{
    if (!context || --context->n_refs > 0)
        return;
    if (context->priority)
        gnutls_priority_deinit(context->priority);
    if (context->credentials)
        gnutls_certificate_free_credentials(context->credentials);
    g_strfreev(context->allowed_names);
    g_free(context);
    gnutls_global_deinit();
}

/* Whether the client has a certificate is asked in the handshake; whether it is good is
 * checked behind it, in net_tls_context_check_peer(). */
int net_tls_context_apply(const NetTlsContext *context, gnutls_session_t session)
{
    int rc = gnutls_priority_set(session, context->priority);

    if (rc >= 0)
        rc = gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, context->credentials);
    gnutls_certificate_server_set_request(session, context->verify_peer ? GNUTLS_CERT_REQUIRE
                                                                        : GNUTLS_CERT_IGNORE);
    return rc;
}

bool net_tls_context_verifies_peer(const NetTlsContext *context)
{
    return context->verify_peer;
}

/* In the order of the certificate, as virt-pki-query-dn(1) prints it and configurations
 * have it: not RFC 4514's. */
static char *peer_read_name(gnutls_session_t session)
{
    unsigned int n_certs = 0;
    const gnutls_datum_t *certs = gnutls_certificate_get_peers(session, &n_certs);
    gnutls_x509_crt_t cert;
    gnutls_datum_t text = { 0 };
    char *name = NULL;

    if (!certs || n_certs == 0 || gnutls_x509_crt_init(&cert) < 0)
        return NULL;
    if (gnutls_x509_crt_import(cert, &certs[0], GNUTLS_X509_FMT_DER) >= 0 &&
        gnutls_x509_crt_get_dn3(cert, &text, GNUTLS_X509_DN_FLAG_COMPAT) >= 0) {
        name = g_strndup((const char *)text.data, text.size);
        gnutls_free(text.data);
    }
    gnutls_x509_crt_deinit(cert);
    return name;
}

/* g_pattern_match_simple(3), as the manual says for the list of allowed names. */
static bool context_allows_name(const NetTlsContext *context, const char *name)
{
    if (!context->allowed_names)
        return true;
    for (size_t i = 0; context->allowed_names[i]; i++) {
        if (g_pattern_match_simple(context->allowed_names[i], name))
            return true;
    }
    return false;
}

/* The purpose is checked, too: a certificate that was made for servers does not make its
 * holder a client. */
bool net_tls_context_check_peer(const NetTlsContext *context, gnutls_session_t session,
                                char **ret_name, char **ret_failure)
{
    char purpose_oid[] = GNUTLS_KP_TLS_WWW_CLIENT;
    gnutls_typed_vdata_st purpose = { .type = GNUTLS_DT_KEY_PURPOSE_OID,
                                      .data = (unsigned char *)purpose_oid };
    unsigned int status = 0;
    int rc = gnutls_certificate_verify_peers(session, &purpose, 1, &status);

    if (rc < 0) {
        *ret_failure =
            g_strdup_printf("cannot verify the client's certificate: %s", gnutls_strerror(rc));
        return false;
    }
    if (status != 0) {
        g_autofree char *reason = status_describe(
            status, gnutls_certificate_type_get2(session, GNUTLS_CTYPE_PEERS));
        *ret_failure = g_strdup_printf("the client's certificate is refused: %s", reason);
        return false;
    }
    g_autofree char *name = peer_read_name(session);
    if (!name) {
        *ret_failure = g_strdup("the client's certificate has no readable name");
        return false;
    }
    if (!context_allows_name(context, name)) {
        *ret_failure = g_strdup_printf("'%s' is not in the list of allowed TLS client names", name);
        return false;
    }
    *ret_name = g_steal_pointer(&name);
    return true;
}
