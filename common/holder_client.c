#include "common/holder_client.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "common/holder/protocol.h"
#include "net/address.h"

/* A holder only copies descriptors: one that does not answer for so long is stopped or broken. */
#define ANSWER_PATIENCE_MS 5000

struct HolderClient {
    FiberLoop *loop;
    char *path;
    int fd; /* -1: not connected */
    sd_event_source *watch;
    HolderLostFunc lost;
    void *data;
};

typedef struct Packet {
    char bytes[HOLDER_PACKET_MAX + 1]; /* an answer's text ends with a zero byte here */
    size_t length;
    int fd;
} Packet;

typedef union ControlBuffer {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
} ControlBuffer;

HolderClient *holder_client_new(FiberLoop *loop, const char *path, HolderLostFunc lost, void *data)
{
    HolderClient *client = g_new0(HolderClient, 1);

    client->loop = loop;
    client->path = g_strdup(path);
    client->fd = -1;
    client->lost = lost;
    client->data = data;
    return client;
}

static void client_disconnect(HolderClient *client)
{
    client->watch = sd_event_source_disable_unref(client->watch);
    if (client->fd >= 0)
        close(client->fd);
    client->fd = -1;
}

void holder_client_free(HolderClient *client)
{
    if (!client)
        return;
    client_disconnect(client);
    g_free(client->path);
    g_free(client);
}

bool holder_client_is_connected(const HolderClient *client)
{
    return client->fd >= 0;
}

static int client_on_hang_up(sd_event_source *source, int fd, uint32_t revents, void *data)
{
    HolderClient *client = data;

    client_disconnect(client);
    client->lost(client->data);
    return 0;
}

/* Descriptors are given to root or to ourselves only, whoever can write in the folder. */
static bool is_trusted_peer(int fd)
{
    struct ucred peer = { .uid = (uid_t)-1 };
    socklen_t length = sizeof(peer);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 &&
           (peer.uid == 0 || peer.uid == geteuid());
}

static bool is_absence(int errnum)
{
    return errnum == ENOENT || errnum == ECONNREFUSED || errnum == ENOTDIR;
}

bool holder_client_connect(HolderClient *client, bool *ret_is_absent, GError **error)
{
    g_auto(NetUnixAddress) address = { .folder_fd = -1 };
    int fd = -1, reason = 0;

    *ret_is_absent = false;
    if (!net_unix_address_init(&address, client->path, error)) {
        *ret_is_absent = is_absence(errno);
        return false;
    }
    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address.address, address.length) < 0)
        reason = errno;
    else if (!is_trusted_peer(fd))
        reason = EPERM;
    if (reason == 0 && sd_event_add_io(fiber_loop_get_event(client->loop), &client->watch, fd,
                                       EPOLLRDHUP, client_on_hang_up, client) < 0)
        reason = ENOMEM;
    if (reason != 0) {
        if (fd >= 0)
            close(fd);
        *ret_is_absent = is_absence(reason);
        error_set_errno(error, VIR_FROM_RPC, reason, "cannot connect to holder %s", client->path);
        return false;
    }
    client->fd = fd;
    return true;
}

static bool client_fail(HolderClient *client, int errnum, const char *what, GError **error)
{
    error_set_errno(error, VIR_FROM_RPC, errnum, "cannot %s holder %s", what, client->path);
    return false;
}

static bool client_send(HolderClient *client, const Packet *packet, uint64_t deadline_us,
                        GError **error)
{
    struct iovec iov = { (void *)packet->bytes, packet->length };
    ControlBuffer control = { .bytes = { 0 } };
    struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };

    if (packet->fd >= 0) {
        control.header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)),
                                           .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
        memcpy(CMSG_DATA(&control.header), &packet->fd, sizeof(packet->fd));
        message.msg_control = &control;
        message.msg_controllen = sizeof(control);
    }
    while (sendmsg(client->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
        if (errno == EAGAIN) {
            if (!fiber_wait_fd(client->fd, EPOLLOUT, deadline_us, NULL, error))
                return false;
        } else if (errno != EINTR) {
            return client_fail(client, errno, "send to", error);
        }
    }
    return true;
}

/* Without @takes_fd a descriptor that comes along stays the kernel's. */
static bool client_receive(HolderClient *client, Packet *ret_packet, bool takes_fd,
                           uint64_t deadline_us, GError **error)
{
    struct iovec iov = { ret_packet->bytes, HOLDER_PACKET_MAX };
    ControlBuffer control;
    struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
                              .msg_controllen = takes_fd ? sizeof(control) : 0 };
    const struct cmsghdr *header;
    ssize_t length;

    ret_packet->fd = -1;
    while ((length = recvmsg(client->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC)) < 0) {
        if (errno == EAGAIN) {
            if (!fiber_wait_fd(client->fd, EPOLLIN, deadline_us, NULL, error))
                return false;
        } else if (errno != EINTR) {
            return client_fail(client, errno, "receive from", error);
        }
    }
    if (length == 0)
        return client_fail(client, ECONNRESET, "receive from", error);
    header = CMSG_FIRSTHDR(&message);
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
        memcpy(&ret_packet->fd, CMSG_DATA(header), sizeof(ret_packet->fd));
    ret_packet->bytes[length] = '\0';
    ret_packet->length = (size_t)length;
    return true;
}

/* One request and its answer. While it runs, the end of the connection is ours to notice. */
SUSPENDS static bool client_ask(HolderClient *client, const Packet *request, bool takes_fd,
                                Packet *ret_answer, GError **error)
{
    uint64_t deadline_us = fiber_deadline_ms(ANSWER_PATIENCE_MS);
    g_autoptr(GError) failure = NULL;
    bool is_done;

    if (client->fd < 0)
        return client_fail(client, ENOTCONN, "ask", error);
    sd_event_source_set_enabled(client->watch, SD_EVENT_OFF);
    is_done = client_send(client, request, deadline_us, &failure) &&
              client_receive(client, ret_answer, takes_fd, deadline_us, &failure);
    if (is_done) {
        sd_event_source_set_enabled(client->watch, SD_EVENT_ON);
        return true;
    }
    client_disconnect(client);
    if (failure->code == VIR_ERR_OPERATION_TIMEOUT)
        error_set(error, VIR_FROM_RPC, VIR_ERR_OPERATION_TIMEOUT,
                  "holder %s did not answer within %d ms", client->path, ANSWER_PATIENCE_MS);
    else
        g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

static void packet_set(Packet *packet, char kind, const char *text, int fd)
{
    packet->length = (size_t)g_snprintf(packet->bytes, sizeof(packet->bytes), "%c%s", kind, text);
    packet->fd = fd;
}

/* An answer that is none of those that are due ends the connection. */
static bool client_refuse(HolderClient *client, const Packet *answer, GError **error)
{
    bool is_refusal = answer->bytes[0] == HOLDER_FAILED;

    if (answer->fd >= 0)
        close(answer->fd);
    error_set(error, VIR_FROM_RPC, VIR_ERR_OPERATION_FAILED, "holder %s refuses: %s", client->path,
              is_refusal ? answer->bytes + 1 : "its answer is not understood");
    client_disconnect(client);
    return false;
}

static bool client_ask_plain(HolderClient *client, char kind, const char *name, int fd,
                             GError **error)
{
    Packet request, answer;

    packet_set(&request, kind, name, fd);
    if (!client_ask(client, &request, true, &answer, error))
        return false;
    if (answer.bytes[0] != HOLDER_OK || answer.fd >= 0)
        return client_refuse(client, &answer, error);
    return true;
}

bool holder_client_put(HolderClient *client, const char *name, int fd, GError **error)
{
    return client_ask_plain(client, HOLDER_PUT, name, fd, error);
}

bool holder_client_drop(HolderClient *client, const char *name, GError **error)
{
    return client_ask_plain(client, HOLDER_DROP, name, -1, error);
}

bool holder_client_get(HolderClient *client, size_t index, char **ret_name, int *ret_fd,
                       GError **error)
{
    g_autofree char *text = g_strdup_printf("%zu", index);
    Packet request, answer;

    packet_set(&request, HOLDER_GET, text, -1);
    if (!client_ask(client, &request, ret_fd != NULL, &answer, error))
        return false;
    *ret_name = NULL;
    if (ret_fd)
        *ret_fd = -1;
    if (answer.bytes[0] == HOLDER_OK && answer.fd < 0)
        return true;
    if (answer.bytes[0] != HOLDER_FOUND || (ret_fd && answer.fd < 0))
        return client_refuse(client, &answer, error);
    *ret_name = g_strdup(answer.bytes + 1);
    if (ret_fd)
        *ret_fd = answer.fd;
    return true;
}
