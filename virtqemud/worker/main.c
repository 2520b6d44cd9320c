/* A file worker: answers one request after the other until the daemon closes the socket. When
 * an operation hangs for good the daemon abandons the worker; a process can be, a thread could
 * not. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "virtqemud/worker/ops.h"

/* A request in one piece: a packet with room for the longest. */
typedef struct Packet {
    FileWorkerRequest request;
    char rest[FILE_WORKER_MAX_GROUPS * sizeof(uint32_t) + 2 * FILE_WORKER_MAX_PATH];
} Packet;

typedef struct Answer {
    FileWorkerReply reply;
    char data[FILE_WORKER_MAX_DATA];
} Answer;

static bool packet_is_valid(const Packet *packet, size_t length)
{
    const FileWorkerRequest *request = &packet->request;

    if (length <= sizeof(*request) || request->op >= N_FILE_OPS ||
        request->n_groups > FILE_WORKER_MAX_GROUPS || request->max_bytes > FILE_WORKER_MAX_DATA)
        return false;
    size_t rest = length - sizeof(*request), groups = request->n_groups * sizeof(uint32_t);
    const char *at = packet->rest + groups, *end = packet->rest + rest;
    for (int n = request->flags & FILE_FLAG_JOURNAL ? 2 : 1; n > 0 && at && at < end; n--) {
        at = memchr(at, '\0', (size_t)(end - at));
        at = at ? at + 1 : NULL;
    }
    return rest > groups && at == end;
}

static bool send_answer(const Answer *answer)
{
    struct iovec data = { (void *)answer, sizeof(answer->reply) + answer->reply.length };
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = { .header = { .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET,
                              .cmsg_type = SCM_RIGHTS } };
    struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };

    if (answer->reply.fd >= 0) {
        memcpy(CMSG_DATA(&control.header), &answer->reply.fd, sizeof(int));
        message.msg_control = &control;
        message.msg_controllen = CMSG_LEN(sizeof(int));
    }
    bool is_sent = sendmsg(FILE_WORKER_FD, &message, MSG_NOSIGNAL) >= 0;
    if (answer->reply.fd >= 0)
        close(answer->reply.fd);
    return is_sent;
}

int main(int argc, char **argv)
{
    static Packet packet;
    static Answer answer;
    static uint32_t groups[FILE_WORKER_MAX_GROUPS];

    for (;;) {
        ssize_t n = recv(FILE_WORKER_FD, &packet, sizeof(packet), 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != ECONNRESET)
            fprintf(stderr, "%s is started by virtqemud alone\n", argv[0]);
        if (n <= 0 || !packet_is_valid(&packet, (size_t)n))
            return n == 0 ? 0 : 1;
        size_t groups_size = packet.request.n_groups * sizeof(uint32_t);
        memcpy(groups, packet.rest, groups_size);
        const char *path = packet.rest + groups_size;
        bool has_journal = packet.request.flags & FILE_FLAG_JOURNAL;
        file_op_run(&packet.request, groups, path,
                    has_journal ? path + strlen(path) + 1 : NULL, &answer.reply, answer.data);
        if (!send_answer(&answer))
            return 1;
    }
}
