#include "net/tls_server.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <string.h>
#include <sys/epoll.h>

#include "net/tls_context.h"

/* What a peer may interrupt the data with, in a row, before it is disconnected. */
#define MAX_WARNINGS 8
#define MAX_RECORD 16384
#define MAX_HANDSHAKE_MESSAGE 65536

typedef enum TlsState {
    TLS_HANDSHAKE, /* to ACCEPTING or FAILED */
    TLS_ACCEPTING, /* sends the byte that tells the client so; to OPEN or FAILED */
    TLS_OPEN,      /* to ENDED or FAILED */
    TLS_ENDED,     /* the peer has closed its direction */
    TLS_FAILED,
} TlsState;

typedef struct TlsSocket {
    NetSocket base;
    NetTlsContext *context;
    gnutls_session_t session;
    TlsState state;
    bool receive_needs_write; /* the last receive waits for room to send */
    size_t n_pending;         /* bytes in the record that the last send left half-sent */
    int errnum;               /* of TLS_FAILED */
    char *failure;
    char *peer_name;
} TlsSocket;

/* The first reason is kept: what fails behind it is a consequence. */
static ssize_t tls_fail(TlsSocket *tls, int errnum, const char *reason)
{
    if (!tls->failure)
        tls->failure = g_strdup(reason);
    tls->state = TLS_FAILED;
    tls->errnum = errnum;
    return -errnum;
}

/* gnutls's words for EAGAIN and EINTR. */
static bool is_blocked(ssize_t rc)
{
    return rc == GNUTLS_E_AGAIN || rc == GNUTLS_E_INTERRUPTED;
}

/* Called by gnutls within the handshake, so that the client learns of a refusal as an
 * alert. */
static int tls_verify_peer(gnutls_session_t session)
{
    TlsSocket *tls = gnutls_session_get_ptr(session);

    return net_tls_context_check_peer(tls->context, session, &tls->peer_name, &tls->failure)
               ? 0
               : GNUTLS_E_CERTIFICATE_ERROR;
}

static bool is_certificate_trouble(int rc)
{
    return rc == GNUTLS_E_CERTIFICATE_ERROR || rc == GNUTLS_E_CERTIFICATE_REQUIRED ||
           rc == GNUTLS_E_NO_CERTIFICATE_FOUND;
}

static ssize_t tls_handshake(TlsSocket *tls)
{
    for (int i = 0; i < MAX_WARNINGS; i++) {
        int rc = gnutls_handshake(tls->session);
        if (rc == GNUTLS_E_SUCCESS) {
            tls->state = TLS_ACCEPTING;
            return 0;
        }
        if (is_blocked(rc))
            return -EAGAIN;
        if (gnutls_error_is_fatal(rc)) {
            /* Best effort: the peer may be gone or not read. */
            gnutls_alert_send_appropriate(tls->session, rc);
            return tls_fail(tls, is_certificate_trouble(rc) ? EACCES : EPROTO, gnutls_strerror(rc));
        }
    }
    return tls_fail(tls, EPROTO, "too many warnings in the handshake");
}

/* Proceeds towards TLS_OPEN. 0 when it is reached (or the stream has ended since). */
static ssize_t tls_advance(TlsSocket *tls)
{
    ssize_t rc = 0;

    if (tls->state == TLS_HANDSHAKE)
        rc = tls_handshake(tls);
    if (tls->state == TLS_ACCEPTING) {
        ssize_t n_sent = gnutls_record_send(tls->session, "\1", 1);
        if (is_blocked(n_sent))
            return -EAGAIN;
        if (n_sent < 0)
            return tls_fail(tls, ECONNRESET, gnutls_strerror((int)n_sent));
        tls->state = TLS_OPEN;
    }
    return tls->state == TLS_FAILED ? -tls->errnum : rc;
}

static ssize_t tls_receive_failed(TlsSocket *tls, int rc)
{
    switch (rc) {
    case GNUTLS_E_REHANDSHAKE:
        return tls_fail(tls, EPROTO, "the peer wants to renegotiate");
    case GNUTLS_E_PREMATURE_TERMINATION:
    case GNUTLS_E_PULL_ERROR:
        return tls_fail(tls, ECONNRESET, gnutls_strerror(rc));
    default:
        return tls_fail(tls, EPROTO, gnutls_strerror(rc));
    }
}

static ssize_t tls_receive(NetSocket *socket, void *buffer, size_t size, int *fds, size_t max_fds,
                           size_t *ret_n_fds)
{
    TlsSocket *tls = (TlsSocket *)socket;
    ssize_t rc = tls_advance(tls);

    if (rc < 0)
        return rc;
    if (tls->state == TLS_ENDED)
        return 0;
    tls->receive_needs_write = false;
    for (int i = 0; i < MAX_WARNINGS; i++) {
        rc = gnutls_record_recv(tls->session, buffer, size);
        if (rc == 0)
            tls->state = TLS_ENDED;
        if (rc >= 0)
            return rc;
        if (is_blocked(rc)) {
            tls->receive_needs_write = gnutls_record_get_direction(tls->session) == 1;
            return -EAGAIN;
        }
        if (gnutls_error_is_fatal((int)rc) || rc == GNUTLS_E_REHANDSHAKE)
            return tls_receive_failed(tls, (int)rc);
    }
    return tls_fail(tls, EPROTO, "too many warnings");
}

/* A place in an array of buffers. */
typedef struct IovCursor {
    const struct iovec *iov;
    int n_iov;
    size_t offset;
} IovCursor;

static void cursor_skip(IovCursor *cursor, size_t n_bytes)
{
    while (cursor->n_iov > 0 && n_bytes >= cursor->iov->iov_len - cursor->offset) {
        n_bytes -= cursor->iov->iov_len - cursor->offset;
        cursor->offset = 0;
        cursor->iov++;
        cursor->n_iov--;
    }
    if (cursor->n_iov > 0)
        cursor->offset += n_bytes;
}

/* The next bytes for one record: where they are if they lie together, else copied to
 * *@copy (allocated at need), so that a header and its payload share a record. */
static size_t cursor_peek(const IovCursor *cursor, char **copy, const char **ret_data)
{
    size_t n_here = cursor->iov->iov_len - cursor->offset;
    size_t n_copied = 0;

    *ret_data = (const char *)cursor->iov->iov_base + cursor->offset;
    if (cursor->n_iov == 1 || n_here >= MAX_RECORD)
        return MIN(n_here, MAX_RECORD);
    if (!*copy)
        *copy = g_malloc(MAX_RECORD);
    size_t offset = cursor->offset;
    for (int i = 0; i < cursor->n_iov && n_copied < MAX_RECORD; i++) {
        size_t n = MIN(cursor->iov[i].iov_len - offset, MAX_RECORD - n_copied);
        if (n > 0)
            memcpy(*copy + n_copied, (const char *)cursor->iov[i].iov_base + offset, n);
        n_copied += n;
        offset = 0;
    }
    *ret_data = *copy;
    return n_copied;
}

/* Sends records until the socket is full. Returns the bytes sent, maybe 0, or -errno. */
static ssize_t tls_send_records(TlsSocket *tls, IovCursor *cursor)
{
    g_autofree char *copy = NULL;
    const char *data;
    ssize_t n_total = 0;

    /* gnutls has encrypted that record already; empty data asks for the rest of it. */
    if (tls->n_pending > 0) {
        ssize_t rc = gnutls_record_send(tls->session, NULL, 0);
        if (is_blocked(rc))
            return 0;
        if (rc < 0)
            return tls_fail(tls, ECONNRESET, gnutls_strerror((int)rc));
        n_total = (ssize_t)tls->n_pending;
        cursor_skip(cursor, tls->n_pending);
        tls->n_pending = 0;
    }
    cursor_skip(cursor, 0); /* past empty buffers */
    while (cursor->n_iov > 0) {
        size_t size = cursor_peek(cursor, &copy, &data);
        ssize_t rc = gnutls_record_send(tls->session, data, size);
        if (is_blocked(rc)) {
            tls->n_pending = size;
            return n_total;
        }
        if (rc < 0)
            return tls_fail(tls, ECONNRESET, gnutls_strerror((int)rc));
        n_total += rc;
        cursor_skip(cursor, (size_t)rc);
    }
    return n_total;
}

static ssize_t tls_send(NetSocket *socket, const struct iovec *iov, int n_iov, const int *fds,
                        size_t n_fds)
{
    TlsSocket *tls = (TlsSocket *)socket;
    IovCursor cursor = { .iov = iov, .n_iov = n_iov };

    if (n_fds > 0)
        return -EOPNOTSUPP;
    ssize_t rc = tls_advance(tls);
    if (rc < 0)
        return rc;
    rc = tls_send_records(tls, &cursor);
    return rc == 0 ? -EAGAIN : rc;
}

static bool tls_has_pending(const NetSocket *socket)
{
    const TlsSocket *tls = (const TlsSocket *)socket;

    return tls->state == TLS_OPEN && gnutls_record_check_pending(tls->session) > 0;
}

static uint32_t tls_wants(const NetSocket *socket, uint32_t events)
{
    const TlsSocket *tls = (const TlsSocket *)socket;

    switch (tls->state) {
    case TLS_HANDSHAKE:
        return gnutls_record_get_direction(tls->session) == 1 ? EPOLLOUT : EPOLLIN;
    case TLS_ACCEPTING:
        return EPOLLOUT;
    default:
        /* What is decrypted already no EPOLLIN announces: an owner that did not read for a
         * while is woken by the other event, which is nearly always there. */
        return (events & EPOLLIN) && (tls->receive_needs_write || tls_has_pending(socket))
                   ? events | EPOLLOUT
                   : events;
    }
}

static const char *tls_peer_name(const NetSocket *socket)
{
    const TlsSocket *tls = (const TlsSocket *)socket;

    /* In the handshake the peer has not yet proved that it has the key. */
    return tls->state == TLS_OPEN || tls->state == TLS_ENDED ? tls->peer_name : NULL;
}

static const char *tls_failure(const NetSocket *socket)
{
    return ((const TlsSocket *)socket)->failure;
}

static void tls_close(NetSocket *socket)
{
    TlsSocket *tls = (TlsSocket *)socket;

    /* A note that fits into the socket's buffer or is not sent. */
    if (tls->state == TLS_OPEN || tls->state == TLS_ENDED)
        gnutls_bye(tls->session, GNUTLS_SHUT_WR);
    if (tls->session)
        gnutls_deinit(tls->session);
    net_tls_context_unref(tls->context);
    g_free(tls->failure);
    g_free(tls->peer_name);
}

static const NetSocketOps tls_ops = {
    .receive = tls_receive,
    .send = tls_send,
    .close = tls_close,
    .wants = tls_wants,
    .has_pending = tls_has_pending,
    .peer_name = tls_peer_name,
    .failure = tls_failure,
};

NetSocket *net_tls_server_new(int fd, void *context)
{
    TlsSocket *tls = g_new0(TlsSocket, 1);

    net_socket_init(&tls->base, &tls_ops, fd);
    tls->context = net_tls_context_ref(context);
    int rc = gnutls_init(&tls->session, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);
    if (rc >= 0)
        rc = net_tls_context_apply(tls->context, tls->session);
    if (rc < 0) {
        tls_fail(tls, EPROTO, gnutls_strerror(rc));
        return &tls->base;
    }
    gnutls_session_set_ptr(tls->session, tls);
    gnutls_transport_set_int(tls->session, fd);
    gnutls_handshake_set_max_packet_length(tls->session, MAX_HANDSHAKE_MESSAGE);
    if (net_tls_context_verifies_peer(tls->context))
        gnutls_session_set_verify_function(tls->session, tls_verify_peer);
    return &tls->base;
}
