#include "tls_peer.h"

#include <fcntl.h>
#include <glib.h>
#include <time.h>
#include <unistd.h>

#define CHECK(call) g_assert_cmpint((call), >=, 0)

void tls_identity_make(TlsIdentity *ret_identity, const char *dn, const TlsIdentity *issuer,
                       const char *purpose_oid)
{
    static unsigned char serial = 0;
    const char *bad_at = NULL;

    serial++;
    CHECK(gnutls_x509_privkey_init(&ret_identity->key));
    CHECK(gnutls_x509_privkey_generate(ret_identity->key, GNUTLS_PK_ECDSA,
                                       GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0));
    gnutls_x509_crt_t *cert = &ret_identity->cert;
    CHECK(gnutls_x509_crt_init(cert));
    CHECK(gnutls_x509_crt_set_version(*cert, 3));
    CHECK(gnutls_x509_crt_set_serial(*cert, &serial, 1));
    CHECK(gnutls_x509_crt_set_dn(*cert, dn, &bad_at));
    CHECK(gnutls_x509_crt_set_key(*cert, ret_identity->key));
    CHECK(gnutls_x509_crt_set_activation_time(*cert, time(NULL) - 60));
    CHECK(gnutls_x509_crt_set_expiration_time(*cert, time(NULL) + 3600));
    CHECK(gnutls_x509_crt_set_ca_status(*cert, issuer ? 0 : 1));
    CHECK(gnutls_x509_crt_set_key_usage(*cert,
                                        issuer ? GNUTLS_KEY_DIGITAL_SIGNATURE
                                               : GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN));
    if (purpose_oid)
        CHECK(gnutls_x509_crt_set_key_purpose_oid(*cert, purpose_oid, 0));
    if (!issuer)
        issuer = ret_identity;
    CHECK(gnutls_x509_crt_sign2(*cert, issuer->cert, issuer->key, GNUTLS_DIG_SHA256, 0));
}

static void write_and_free(gnutls_datum_t *pem, char *path)
{
    g_assert_true(g_file_set_contents(path, (const char *)pem->data, pem->size, NULL));
    gnutls_free(pem->data);
    g_free(path);
}

void tls_identity_write(const TlsIdentity *identity, const char *folder, const char *name)
{
    gnutls_datum_t pem;

    CHECK(gnutls_x509_crt_export2(identity->cert, GNUTLS_X509_FMT_PEM, &pem));
    write_and_free(&pem, g_strdup_printf("%s/%s-cert.pem", folder, name));
    CHECK(gnutls_x509_privkey_export2(identity->key, GNUTLS_X509_FMT_PEM, &pem));
    write_and_free(&pem, g_strdup_printf("%s/%s-key.pem", folder, name));
}

void tls_identity_write_crl(const TlsIdentity *issuer, const TlsIdentity *revoked, const char *path)
{
    gnutls_x509_crl_t crl;
    gnutls_datum_t pem;

    CHECK(gnutls_x509_crl_init(&crl));
    CHECK(gnutls_x509_crl_set_version(crl, 2));
    CHECK(gnutls_x509_crl_set_this_update(crl, time(NULL) - 60));
    CHECK(gnutls_x509_crl_set_next_update(crl, time(NULL) + 3600));
    CHECK(gnutls_x509_crl_set_crt(crl, revoked->cert, time(NULL) - 30));
    CHECK(gnutls_x509_crl_sign2(crl, issuer->cert, issuer->key, GNUTLS_DIG_SHA256, 0));
    CHECK(gnutls_x509_crl_export2(crl, GNUTLS_X509_FMT_PEM, &pem));
    write_and_free(&pem, g_strdup(path));
    gnutls_x509_crl_deinit(crl);
}

void tls_identity_clear(TlsIdentity *identity)
{
    gnutls_x509_crt_deinit(identity->cert);
    gnutls_x509_privkey_deinit(identity->key);
}

void tls_peer_init(TlsPeer *peer, int fd, const TlsIdentity *identity, const char *priority)
{
    g_assert_cmpint(fcntl(fd, F_SETFL, O_NONBLOCK), ==, 0);
    peer->fd = fd;
    CHECK(gnutls_certificate_allocate_credentials(&peer->credentials));
    if (identity) {
        gnutls_x509_crt_t cert = identity->cert;
        CHECK(gnutls_certificate_set_x509_key(peer->credentials, &cert, 1, identity->key));
    }
    CHECK(gnutls_init(&peer->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL |
                                          GNUTLS_FORCE_CLIENT_CERT));
    CHECK(gnutls_priority_set_direct(peer->session, priority ? priority : "NORMAL", NULL));
    CHECK(gnutls_credentials_set(peer->session, GNUTLS_CRD_CERTIFICATE, peer->credentials));
    gnutls_transport_set_int(peer->session, fd);
}

void tls_peer_clear(TlsPeer *peer)
{
    gnutls_deinit(peer->session);
    gnutls_certificate_free_credentials(peer->credentials);
    if (peer->fd >= 0)
        close(peer->fd);
}
