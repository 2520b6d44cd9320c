/* The client of the TLS tests: certificates made on the spot, and a gnutls client over a
 * non-blocking descriptor, driven in the same thread as the server. */
#pragma once

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdbool.h>

/* A key and a certificate for it; @issuer NULL makes a CA that signs itself. */
typedef struct TlsIdentity {
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t cert;
} TlsIdentity;
void tls_identity_make(TlsIdentity *ret_identity, const char *dn, const TlsIdentity *issuer,
                       const char *purpose_oid);
/* Writes DIR/NAME-cert.pem and DIR/NAME-key.pem. */
void tls_identity_write(const TlsIdentity *identity, const char *folder, const char *name);
/* Writes a revocation list of @issuer with @revoked in it. */
void tls_identity_write_crl(const TlsIdentity *issuer, const TlsIdentity *revoked,
                            const char *path);
void tls_identity_clear(TlsIdentity *identity);

typedef struct TlsPeer {
    gnutls_certificate_credentials_t credentials;
    gnutls_session_t session;
    int fd;
} TlsPeer;
/* Takes over @fd. @identity NULL: shows no certificate; @priority NULL: "NORMAL". */
void tls_peer_init(TlsPeer *peer, int fd, const TlsIdentity *identity, const char *priority);
void tls_peer_clear(TlsPeer *peer);
