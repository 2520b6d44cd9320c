#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>

#include "net/listener.h"
#include "net/tls_server.h"
#include "net_testing.h"
#include "tls_peer.h"

#define SERVER_DN "CN=server.example,O=Example"
/* As gnutls takes a name, and as virt-pki-query-dn prints it, in the certificate's order. */
#define CLIENT_DN_RFC4514 "CN=alice,O=Example\\, Inc."
#define CLIENT_DN "O=Example\\, Inc.,CN=alice"
/* Rounds of both sides until a handshake must be through. */
#define MAX_ROUNDS 50

/* Files and identities, made once: keys take a while under a sanitizer. */
typedef struct Certificates {
    char *folder;
    char *ca_file, *cert_file, *key_file, *other_key_file, *crl_file, *missing_file, *bad_file;
    char *client_cert_file, *client_key_file, *other_ca_file;
    TlsIdentity ca, other_ca, server, client, stranger, server_like_client;
} Certificates;

typedef struct Fixture {
    const Certificates *files;
    NetTlsConfig config;
    NetSocket *server;
    TlsPeer client;
    size_t n_fds_before;
    ssize_t server_result; /* of the last receive */
    char received[64];
} Fixture;

static char *file_in(const Certificates *files, const char *name)
{
    return g_build_filename(files->folder, name, NULL);
}

static void certificates_make(Certificates *files)
{
    files->folder = testing_make_folder();
    tls_identity_make(&files->ca, "CN=Example CA", NULL, NULL);
    tls_identity_make(&files->other_ca, "CN=Other CA", NULL, NULL);
    tls_identity_make(&files->server, SERVER_DN, &files->ca, GNUTLS_KP_TLS_WWW_SERVER);
    tls_identity_make(&files->client, CLIENT_DN_RFC4514, &files->ca, GNUTLS_KP_TLS_WWW_CLIENT);
    tls_identity_make(&files->stranger, CLIENT_DN_RFC4514, &files->other_ca,
                      GNUTLS_KP_TLS_WWW_CLIENT);
    tls_identity_make(&files->server_like_client, CLIENT_DN_RFC4514, &files->ca,
                      GNUTLS_KP_TLS_WWW_SERVER);
    tls_identity_write(&files->ca, files->folder, "ca");
    tls_identity_write(&files->server, files->folder, "server");
    tls_identity_write(&files->client, files->folder, "client");
    tls_identity_write(&files->other_ca, files->folder, "other-ca");
    files->ca_file = file_in(files, "ca-cert.pem");
    files->cert_file = file_in(files, "server-cert.pem");
    files->key_file = file_in(files, "server-key.pem");
    files->other_key_file = file_in(files, "ca-key.pem");
    files->crl_file = file_in(files, "crl.pem");
    files->missing_file = file_in(files, "missing.pem");
    files->bad_file = file_in(files, "bad.pem");
    files->client_cert_file = file_in(files, "client-cert.pem");
    files->client_key_file = file_in(files, "client-key.pem");
    files->other_ca_file = file_in(files, "other-ca-cert.pem");
    tls_identity_write_crl(&files->ca, &files->client, files->crl_file);
    g_assert_true(g_file_set_contents(files->bad_file, "no PEM at all\n", -1, NULL));
}

static void certificates_clear(Certificates *files)
{
    TlsIdentity *identities[] = { &files->ca,     &files->other_ca, &files->server,
                                  &files->client, &files->stranger, &files->server_like_client };
    g_autofree char *other_ca_key_file = file_in(files, "other-ca-key.pem");
    char *paths[] = { files->client_cert_file, files->client_key_file, files->other_ca_file,
                      files->ca_file,  files->cert_file,    files->key_file, files->other_key_file,
                      files->crl_file, files->missing_file, files->bad_file };

    for (size_t i = 0; i < G_N_ELEMENTS(identities); i++)
        tls_identity_clear(identities[i]);
    for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_unlink(paths[i]);
        g_free(paths[i]);
    }
    g_unlink(other_ca_key_file);
    testing_remove_folder(files->folder);
}

static void fixture_set_up(Fixture *fixture, const void *data)
{
    fixture->files = data;
    fixture->config = (NetTlsConfig){ .ca_file = fixture->files->ca_file,
                                      .cert_file = fixture->files->cert_file,
                                      .key_file = fixture->files->key_file,
                                      .verify_peer = true };
    fixture->n_fds_before = testing_count_fds();
}

static void fixture_tear_down(Fixture *fixture, const void *data)
{
    net_socket_free(fixture->server);
    if (fixture->client.session)
        tls_peer_clear(&fixture->client);
    g_assert_cmpint(testing_count_fds(), ==, fixture->n_fds_before);
}

/* Connects a server stream with a client that shows @identity. */
static void fixture_connect(Fixture *fixture, const TlsIdentity *identity, const char *priority)
{
    GError *error = NULL;
    g_autoptr(NetTlsContext) context = net_tls_context_new(&fixture->config, &error);
    int fds[2];

    g_assert_no_error(error);
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
    fixture->server = net_tls_server_new(fds[0], context);
    tls_peer_init(&fixture->client, fds[1], identity, priority);
}

static void server_receive(Fixture *fixture)
{
    size_t n_fds;

    fixture->server_result = net_socket_receive(fixture->server, fixture->received,
                                                sizeof(fixture->received), NULL, 0, &n_fds);
}

/* Waits a moment until either side has something to read: TCP takes its time. */
static void fixture_wait(const Fixture *fixture)
{
    struct pollfd pollers[] = {
        { .fd = net_socket_get_fd(fixture->server), .events = POLLIN },
        { .fd = fixture->client.fd, .events = POLLIN },
    };

    poll(pollers, 2, 20);
}

/* Drives both sides until the client is through or either side fails. Returns the
 * client's result. */
static int fixture_handshake(Fixture *fixture)
{
    int rc = GNUTLS_E_AGAIN;

    for (int i = 0; i < MAX_ROUNDS; i++) {
        if (rc == GNUTLS_E_AGAIN)
            rc = gnutls_handshake(fixture->client.session);
        server_receive(fixture);
        if (fixture->server_result != -EAGAIN || (rc < 0 && gnutls_error_is_fatal(rc)))
            return rc;
        /* In TLS 1.3 the server is through later than the client. */
        if (rc == 0 && net_socket_get_events(fixture->server, 0) == 0)
            return rc;
        fixture_wait(fixture);
    }
    return rc;
}

static void assert_client_is_accepted(Fixture *fixture)
{
    char byte = 0;

    g_assert_cmpint(fixture_handshake(fixture), ==, 0);
    g_assert_cmpint(fixture->server_result, ==, -EAGAIN);
    fixture_wait(fixture);
    g_assert_cmpint(gnutls_record_recv(fixture->client.session, &byte, 1), ==, 1);
    g_assert_cmpint(byte, ==, 1);
}

static void assert_client_is_refused(Fixture *fixture, int reason, const char *text)
{
    char byte = 0;

    fixture_handshake(fixture);
    g_assert_cmpint(fixture->server_result, ==, -reason);
    const char *failure = net_socket_get_failure(fixture->server);
    g_assert_nonnull(failure);
    if (!strstr(failure, text))
        g_error("'%s' is not in '%s'", text, failure);
    g_assert_null(net_socket_get_peer_name(fixture->server));
    /* No byte of acceptance, and no other use of the stream. */
    g_assert_cmpint(gnutls_record_recv(fixture->client.session, &byte, 1), <, 0);
    server_receive(fixture);
    g_assert_cmpint(fixture->server_result, ==, -reason);
}

static void test_client_with_certificate_is_accepted(Fixture *fixture, const void *data)
{
    fixture_connect(fixture, &fixture->files->client, NULL);
    g_assert_cmpuint(net_socket_get_events(fixture->server, EPOLLIN | EPOLLOUT), ==, EPOLLIN);
    assert_client_is_accepted(fixture);
    g_assert_cmpstr(net_socket_get_peer_name(fixture->server), ==, CLIENT_DN);
    g_assert_null(net_socket_get_failure(fixture->server));
    g_assert_cmpuint(net_socket_get_events(fixture->server, EPOLLIN), ==, EPOLLIN);
}

static void test_tls_1_2_client_is_accepted(Fixture *fixture, const void *data)
{
    fixture_connect(fixture, &fixture->files->client, "NORMAL:-VERS-ALL:+VERS-TLS1.2");
    assert_client_is_accepted(fixture);
}

static void test_older_tls_is_refused(Fixture *fixture, const void *data)
{
    /* Also when the configuration asks for it. */
    fixture->config.priority = "NORMAL:+VERS-TLS1.1:+VERS-TLS1.0:%COMPAT";
    fixture_connect(fixture, &fixture->files->client, "LEGACY:-VERS-ALL:+VERS-TLS1.1");
    assert_client_is_refused(fixture, EPROTO, "");
}

static void test_client_of_another_ca_is_refused(Fixture *fixture, const void *data)
{
    fixture_connect(fixture, &fixture->files->stranger, NULL);
    assert_client_is_refused(fixture, EACCES, "NOT trusted");
}

static void test_client_without_certificate_is_refused(Fixture *fixture, const void *data)
{
    fixture_connect(fixture, NULL, NULL);
    assert_client_is_refused(fixture, EACCES, "ertificate");
}

static void test_certificate_for_servers_is_refused(Fixture *fixture, const void *data)
{
    fixture_connect(fixture, &fixture->files->server_like_client, NULL);
    assert_client_is_refused(fixture, EACCES, "purpose");
}

static void test_revoked_client_is_refused(Fixture *fixture, const void *data)
{
    fixture->config.crl_file = fixture->files->crl_file;
    fixture_connect(fixture, &fixture->files->client, NULL);
    assert_client_is_refused(fixture, EACCES, "revoked");
}

static void test_client_without_certificate_is_accepted_unverified(Fixture *fixture,
                                                                   const void *data)
{
    fixture->config.verify_peer = false;
    fixture_connect(fixture, NULL, NULL);
    assert_client_is_accepted(fixture);
    g_assert_null(net_socket_get_peer_name(fixture->server));
}

static void test_unverified_certificate_gives_no_name(Fixture *fixture, const void *data)
{
    fixture->config.verify_peer = false;
    fixture_connect(fixture, &fixture->files->stranger, NULL);
    assert_client_is_accepted(fixture);
    g_assert_null(net_socket_get_peer_name(fixture->server));
}

static void test_allowed_name_may_have_wildcards(Fixture *fixture, const void *data)
{
    const char *const names[] = { "CN=bob", "O=Example\\, *,CN=al?ce", NULL };

    fixture->config.allowed_names = names;
    fixture_connect(fixture, &fixture->files->client, NULL);
    assert_client_is_accepted(fixture);
}

static void test_name_that_is_not_allowed_is_refused(Fixture *fixture, const void *data)
{
    const char *const names[] = { "*,CN=bob", "CN=alice", NULL };

    fixture->config.allowed_names = names;
    fixture_connect(fixture, &fixture->files->client, NULL);
    assert_client_is_refused(fixture, EACCES, CLIENT_DN);
}

static void test_empty_list_of_names_allows_nobody(Fixture *fixture, const void *data)
{
    const char *const names[] = { NULL };

    fixture->config.allowed_names = names;
    fixture_connect(fixture, &fixture->files->client, NULL);
    assert_client_is_refused(fixture, EACCES, CLIENT_DN);
}

static void test_garbage_is_refused(Fixture *fixture, const void *data)
{
    static const char garbage[] = "GET / HTTP/1.0\r\n\r\n";

    fixture_connect(fixture, NULL, NULL);
    g_assert_cmpint(write(fixture->client.fd, garbage, sizeof(garbage)), ==, sizeof(garbage));
    server_receive(fixture);
    g_assert_cmpint(fixture->server_result, ==, -EPROTO);
    g_assert_nonnull(net_socket_get_failure(fixture->server));
}

static void test_end_within_the_handshake_is_noticed(Fixture *fixture, const void *data)
{
    fixture_connect(fixture, &fixture->files->client, NULL);
    g_assert_cmpint(gnutls_handshake(fixture->client.session), ==, GNUTLS_E_AGAIN);
    server_receive(fixture);
    g_assert_cmpint(fixture->server_result, ==, -EAGAIN);
    close(fixture->client.fd);
    fixture->client.fd = -1;
    server_receive(fixture);
    g_assert_cmpint(fixture->server_result, ==, -EPROTO);
}

static void test_stalled_handshake_waits_without_spinning(Fixture *fixture, const void *data)
{
    struct iovec iov = testing_iov("early");

    fixture_connect(fixture, &fixture->files->client, NULL);
    g_assert_cmpint(gnutls_handshake(fixture->client.session), ==, GNUTLS_E_AGAIN);
    for (int i = 0; i < 3; i++) {
        server_receive(fixture);
        g_assert_cmpint(fixture->server_result, ==, -EAGAIN);
    }
    g_assert_cmpint(net_socket_send(fixture->server, &iov, 1, NULL, 0), ==, -EAGAIN);
    /* Also an owner with something to send polls for the client alone. */
    uint32_t events = net_socket_get_events(fixture->server, EPOLLIN | EPOLLOUT);
    struct pollfd poller = { .fd = net_socket_get_fd(fixture->server), .events = (short)events };
    g_assert_cmpuint(events, ==, EPOLLIN);
    g_assert_cmpint(poll(&poller, 1, 0), ==, 0);
}

static void test_handshake_in_single_bytes_is_accepted(Fixture *fixture, const void *data)
{
    int relay[2];
    char byte;

    fixture_connect(fixture, &fixture->files->client, NULL);
    /* The client's bytes go through a relay that hands them on one by one. */
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, relay), ==, 0);
    gnutls_transport_set_int2(fixture->client.session, fixture->client.fd, relay[1]);
    int rc = GNUTLS_E_AGAIN;
    for (int i = 0; i < MAX_ROUNDS && (rc != 0 || net_socket_get_events(fixture->server, 0)); i++) {
        if (rc == GNUTLS_E_AGAIN)
            rc = gnutls_handshake(fixture->client.session);
        while (read(relay[0], &byte, 1) == 1) {
            g_assert_cmpint(write(fixture->client.fd, &byte, 1), ==, 1);
            server_receive(fixture);
            g_assert_cmpint(fixture->server_result, ==, -EAGAIN);
        }
    }
    g_assert_cmpint(rc, ==, 0);
    g_assert_cmpstr(net_socket_get_peer_name(fixture->server), ==, CLIENT_DN);
    close(relay[0]);
    close(relay[1]);
}

static void test_bytes_go_both_ways(Fixture *fixture, const void *data)
{
    struct iovec iov[] = { testing_iov("head"), { 0 }, testing_iov("tail") };
    char buffer[16];

    fixture_connect(fixture, &fixture->files->client, NULL);
    assert_client_is_accepted(fixture);
    g_assert_cmpint(net_socket_send(fixture->server, iov, 3, NULL, 0), ==, 8);
    /* One record: header and payload are not sent apart. */
    g_assert_cmpint(gnutls_record_recv(fixture->client.session, buffer, 16), ==, 8);
    g_assert_cmpmem(buffer, 8, "headtail", 8);
    g_assert_cmpint(gnutls_record_send(fixture->client.session, "hello", 5), ==, 5);
    server_receive(fixture);
    g_assert_cmpint(fixture->server_result, ==, 5);
    g_assert_cmpmem(fixture->received, 5, "hello", 5);
}

static void test_rest_of_a_record_is_pending(Fixture *fixture, const void *data)
{
    char bytes[100] = { 0 };

    fixture_connect(fixture, &fixture->files->client, NULL);
    assert_client_is_accepted(fixture);
    g_assert_cmpint(gnutls_record_send(fixture->client.session, bytes, 100), ==, 100);
    server_receive(fixture);
    g_assert_cmpint(fixture->server_result, ==, 64);
    g_assert_true(net_socket_has_pending(fixture->server));
    server_receive(fixture);
    g_assert_cmpint(fixture->server_result, ==, 36);
    g_assert_false(net_socket_has_pending(fixture->server));
}

static void test_owner_that_paused_is_told_of_the_rest_of_a_record(Fixture *fixture,
                                                                   const void *data)
{
    char bytes[100] = { 0 };

    fixture_connect(fixture, &fixture->files->client, NULL);
    assert_client_is_accepted(fixture);
    g_assert_cmpint(gnutls_record_send(fixture->client.session, bytes, 100), ==, 100);
    server_receive(fixture);
    g_assert_cmpuint(net_socket_get_events(fixture->server, 0), ==, 0);
    g_assert_cmpuint(net_socket_get_events(fixture->server, EPOLLIN), ==, EPOLLIN | EPOLLOUT);
    server_receive(fixture);
    g_assert_cmpuint(net_socket_get_events(fixture->server, EPOLLIN), ==, EPOLLIN);
}

static void test_every_record_is_announced(Fixture *fixture, const void *data)
{
    fixture_connect(fixture, &fixture->files->client, NULL);
    assert_client_is_accepted(fixture);
    g_assert_cmpint(gnutls_record_send(fixture->client.session, "one", 3), ==, 3);
    g_assert_cmpint(gnutls_record_send(fixture->client.session, "two", 3), ==, 3);
    server_receive(fixture);
    g_assert_cmpint(fixture->server_result, ==, 3);
    /* Either way the owner comes to know that there is more. */
    struct pollfd poller = { .fd = net_socket_get_fd(fixture->server), .events = POLLIN };
    g_assert_true(net_socket_has_pending(fixture->server) || poll(&poller, 1, 0) == 1);
    server_receive(fixture);
    g_assert_cmpmem(fixture->received, (size_t)fixture->server_result, "two", 3);
}

static void test_listener_hands_out_tls_streams(Fixture *fixture, const void *data)
{
    g_autoptr(GPtrArray) listeners =
        g_ptr_array_new_with_free_func((GDestroyNotify)net_listener_free);
    g_autoptr(NetTlsContext) context = net_tls_context_new(&fixture->config, NULL);
    struct sockaddr_storage address;
    socklen_t length = sizeof(address);

    g_assert_true(net_listener_add_tcp(listeners, "127.0.0.1", "0", 1, NULL));
    NetListener *listener = listeners->pdata[0];
    net_listener_set_wrap(listener, net_tls_server_new, context);
    g_assert_cmpint(
        getsockname(net_listener_get_fd(listener), (struct sockaddr *)&address, &length), ==, 0);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(connect(fd, (struct sockaddr *)&address, length), ==, 0);
    g_assert_cmpint(net_listener_accept(listener, &fixture->server), ==, 0);
    tls_peer_init(&fixture->client, fd, &fixture->files->client, NULL);
    assert_client_is_accepted(fixture);
}

static void test_descriptors_are_not_sent(Fixture *fixture, const void *data)
{
    struct iovec iov = testing_iov("x");
    int fd = STDERR_FILENO;

    fixture_connect(fixture, &fixture->files->client, NULL);
    assert_client_is_accepted(fixture);
    g_assert_cmpint(net_socket_send(fixture->server, &iov, 1, &fd, 1), ==, -EOPNOTSUPP);
}

/* Sends until the socket is full, then reads; the client must see every byte once. */
static void test_big_transfer_through_a_full_socket(Fixture *fixture, const void *data)
{
    enum { SIZE = 3 * 1024 * 1024 + 7 };
    g_autofree unsigned char *bytes = g_malloc(SIZE);
    g_autofree unsigned char *arrived = g_malloc(SIZE);
    size_t n_sent = 0;
    size_t n_arrived = 0;
    bool was_full = false;

    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (unsigned char)((i * 2654435761u) >> 13);
    fixture_connect(fixture, &fixture->files->client, NULL);
    assert_client_is_accepted(fixture);
    while (n_arrived < SIZE) {
        /* A short first part, as a header before its payload. */
        size_t first = MIN(28, SIZE - n_sent);
        struct iovec iov[] = { { .iov_base = bytes + n_sent, .iov_len = first },
                               { .iov_base = bytes + n_sent + first,
                                 .iov_len = SIZE - n_sent - first } };
        ssize_t rc = n_sent < SIZE ? net_socket_send(fixture->server, iov, 2, NULL, 0) : -EAGAIN;
        g_assert_true(rc > 0 || rc == -EAGAIN);
        was_full = was_full || (rc == -EAGAIN && n_sent < SIZE);
        n_sent += rc > 0 ? (size_t)rc : 0;
        if (rc > 0)
            continue;
        rc = gnutls_record_recv(fixture->client.session, arrived + n_arrived, SIZE - n_arrived);
        g_assert_true(rc > 0 || rc == GNUTLS_E_AGAIN);
        n_arrived += rc > 0 ? (size_t)rc : 0;
    }
    g_assert_true(was_full);
    g_assert_cmpint(n_sent, ==, SIZE);
    g_assert_cmpint(memcmp(bytes, arrived, SIZE), ==, 0);
}

static void test_proper_end_is_zero(Fixture *fixture, const void *data)
{
    fixture_connect(fixture, &fixture->files->client, NULL);
    assert_client_is_accepted(fixture);
    g_assert_cmpint(gnutls_bye(fixture->client.session, GNUTLS_SHUT_WR), ==, 0);
    server_receive(fixture);
    g_assert_cmpint(fixture->server_result, ==, 0);
    server_receive(fixture);
    g_assert_cmpint(fixture->server_result, ==, 0);
}

static void test_truncated_stream_is_an_error(Fixture *fixture, const void *data)
{
    fixture_connect(fixture, &fixture->files->client, NULL);
    assert_client_is_accepted(fixture);
    close(fixture->client.fd);
    fixture->client.fd = -1;
    server_receive(fixture);
    g_assert_cmpint(fixture->server_result, ==, -ECONNRESET);
}

static void test_altered_record_is_an_error(Fixture *fixture, const void *data)
{
    static const unsigned char record[] = { 23, 3,  3,  0,  32, 1,  2,  3,  4,  5,  6,  7,  8,
                                            9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
                                            22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32 };

    fixture_connect(fixture, &fixture->files->client, NULL);
    assert_client_is_accepted(fixture);
    g_assert_cmpint(write(fixture->client.fd, record, sizeof(record)), ==, sizeof(record));
    server_receive(fixture);
    g_assert_cmpint(fixture->server_result, ==, -EPROTO);
}

static void assert_context_fails(Fixture *fixture, ErrorCode code, const char *text)
{
    GError *error = NULL;

    g_assert_null(net_tls_context_new(&fixture->config, &error));
    testing_assert_error(error, code, text);
}

static void test_unusable_files_are_named(Fixture *fixture, const void *data)
{
    const Certificates *files = fixture->files;
    NetTlsConfig good = fixture->config;

    fixture->config.ca_file = files->missing_file;
    assert_context_fails(fixture, VIR_ERR_SYSTEM_ERROR, files->missing_file);
    fixture->config.ca_file = files->bad_file;
    assert_context_fails(fixture, VIR_ERR_GNUTLS_ERROR, files->bad_file);
    fixture->config = good;
    fixture->config.cert_file = files->bad_file;
    assert_context_fails(fixture, VIR_ERR_GNUTLS_ERROR, files->bad_file);
    fixture->config = good;
    fixture->config.key_file = files->missing_file;
    assert_context_fails(fixture, VIR_ERR_SYSTEM_ERROR, files->missing_file);
    fixture->config.key_file = files->other_key_file;
    assert_context_fails(fixture, VIR_ERR_GNUTLS_ERROR, files->other_key_file);
    fixture->config = good;
    fixture->config.crl_file = files->bad_file;
    assert_context_fails(fixture, VIR_ERR_GNUTLS_ERROR, files->bad_file);
}

static void test_own_certificate_is_checked(Fixture *fixture, const void *data)
{
    const Certificates *files = fixture->files;
    NetTlsConfig good = fixture->config;

    fixture->config.check_own = good.check_own = true;
    g_autoptr(NetTlsContext) context = net_tls_context_new(&fixture->config, NULL);
    g_assert_nonnull(context);
    fixture->config.ca_file = files->other_ca_file;
    assert_context_fails(fixture, VIR_ERR_GNUTLS_ERROR, files->cert_file);
    fixture->config = good;
    fixture->config.cert_file = files->client_cert_file;
    fixture->config.key_file = files->client_key_file;
    assert_context_fails(fixture, VIR_ERR_GNUTLS_ERROR, files->client_cert_file);
}

static void test_unusable_settings_are_named(Fixture *fixture, const void *data)
{
    const char *const names[] = { "*", NULL };

    fixture->config.priority = "NORMAL:+NONSENSE";
    assert_context_fails(fixture, VIR_ERR_GNUTLS_ERROR, "NONSENSE");
    fixture->config.priority = NULL;
    fixture->config.allowed_names = names;
    fixture->config.verify_peer = false;
    assert_context_fails(fixture, VIR_ERR_CONFIG_UNSUPPORTED, "verified");
}

static void test_streams_keep_their_context(Fixture *fixture, const void *data)
{
    /* fixture_connect() lets go of its own reference before the handshake. */
    fixture_connect(fixture, &fixture->files->client, NULL);
    fixture->config.crl_file = fixture->files->crl_file;
    g_autoptr(NetTlsContext) newer = net_tls_context_new(&fixture->config, NULL);
    g_assert_nonnull(newer);
    assert_client_is_accepted(fixture);
}

#define ADD(name)                                                                                  \
    g_test_add("/net/tls/" #name, Fixture, files, fixture_set_up, test_##name, fixture_tear_down)

static void add_tests(const Certificates *files)
{
    ADD(own_certificate_is_checked);
    ADD(client_with_certificate_is_accepted);
    ADD(tls_1_2_client_is_accepted);
    ADD(older_tls_is_refused);
    ADD(client_of_another_ca_is_refused);
    ADD(client_without_certificate_is_refused);
    ADD(certificate_for_servers_is_refused);
    ADD(revoked_client_is_refused);
    ADD(client_without_certificate_is_accepted_unverified);
    ADD(unverified_certificate_gives_no_name);
    ADD(allowed_name_may_have_wildcards);
    ADD(name_that_is_not_allowed_is_refused);
    ADD(empty_list_of_names_allows_nobody);
    ADD(garbage_is_refused);
    ADD(end_within_the_handshake_is_noticed);
    ADD(stalled_handshake_waits_without_spinning);
    ADD(handshake_in_single_bytes_is_accepted);
    ADD(bytes_go_both_ways);
    ADD(rest_of_a_record_is_pending);
    ADD(owner_that_paused_is_told_of_the_rest_of_a_record);
    ADD(every_record_is_announced);
    ADD(listener_hands_out_tls_streams);
    ADD(descriptors_are_not_sent);
    ADD(big_transfer_through_a_full_socket);
    ADD(proper_end_is_zero);
    ADD(truncated_stream_is_an_error);
    ADD(altered_record_is_an_error);
    ADD(unusable_files_are_named);
    ADD(unusable_settings_are_named);
    ADD(streams_keep_their_context);
}

int main(int argc, char **argv)
{
    Certificates files = { 0 };

    g_test_init(&argc, &argv, NULL);
    /* The library's constructor is switched off in this program, as in a daemon. */
    g_assert_cmpint(gnutls_global_init(), ==, 0);
    certificates_make(&files);
    add_tests(&files);
    int status = g_test_run();
    certificates_clear(&files);
    gnutls_global_deinit();
    return status;
}
