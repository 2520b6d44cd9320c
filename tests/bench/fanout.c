#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/modes.h"
#include "bench/rpc.h"
#include "bench/stats.h"

static const uint8_t object_uuid[16] = "rpcbench fan-out";
/* A life-cycle event of an object: callback, name or usage, uuid, event, detail. */
enum { EVENT_SIZE = RPC_HEADER_SIZE + 4 + 8 + 16 + 8 };

typedef struct Trigger {
    const char *name, *xml;
    uint32_t register_any, event, define, undefine;
    bool has_flags;  /* whether define takes flags */
    bool name_first; /* an object is name, uuid; a secret is uuid, usage type, usage id */
} Trigger;

static const Trigger triggers[] = {
    { "network",
      "<network><name>rpcb</name><uuid>72706362-656e-6368-2066-616e2d6f7574</uuid></network>",
      RPC_NETWORK_EVENT_REGISTER_ANY, RPC_NETWORK_EVENT_LIFECYCLE, RPC_NETWORK_DEFINE_XML,
      RPC_NETWORK_UNDEFINE, false, true },
    { "secret",
      "<secret ephemeral='yes'><uuid>72706362-656e-6368-2066-616e2d6f7574</uuid></secret>",
      RPC_SECRET_EVENT_REGISTER_ANY, RPC_SECRET_EVENT_LIFECYCLE, RPC_SECRET_DEFINE_XML,
      RPC_SECRET_UNDEFINE, true, false },
};

static const Trigger *trigger_find(const char *name)
{
    for (size_t i = 0; i < sizeof triggers / sizeof triggers[0]; i++) {
        if (strcmp(triggers[i].name, name) == 0)
            return &triggers[i];
    }
    die("no trigger is called %s", name);
}

static void begin_define(const Trigger *trigger, Message *message)
{
    message_begin(message, trigger->define);
    message_put_string(message, trigger->xml);
    if (trigger->has_flags)
        message_put_word(message, 0);
}

static void begin_undefine(const Trigger *trigger, Message *message)
{
    message_begin(message, trigger->undefine);
    if (trigger->name_first)
        message_put_string(message, "rpcb");
    message_put_bytes(message, object_uuid, sizeof object_uuid);
    if (!trigger->name_first) {
        message_put_word(message, 0);
        message_put_string(message, "");
    }
}

/* Waits until each descriptor in @epoll has had one frame of @procedure (0: any). */
static void wait_all(int epoll, size_t count, uint32_t procedure)
{
    struct epoll_event events[128];
    Message message;
    while (count) {
        int ready = epoll_wait(epoll, events, 128, 10000);
        if (ready <= 0)
            die("fanout: %zu clients wait for their event", count);
        for (int i = 0; i < ready; i++) {
            rpc_receive(events[i].data.fd, &message);
            if (procedure && message_get_word(&message, 3) != procedure)
                die("fanout: a message of procedure %u", message_get_word(&message, 3));
            count--;
        }
    }
}

static void watch(int epoll, int fd)
{
    struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        die("epoll_ctl: %s", strerror(errno));
}

void mode_fanout(const Options *options)
{
    const Trigger *trigger = trigger_find(options->trigger);
    Message message;
    Samples samples;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < options->count; i++) {
        int fd = rpc_open(options->socket, options->uri);
        message_begin(&message, trigger->register_any);
        message_put_word(&message, 0); /* the life-cycle event */
        message_put_word(&message, 0); /* of all objects */
        rpc_call(fd, &message);
        watch(epoll, fd);
    }
    int fd = rpc_open(options->socket, options->uri);
    samples_init(&samples, options->rounds);
    double start = clock_us();
    for (size_t i = 0; i < options->rounds; i++) {
        if (i % 2 == 0)
            begin_define(trigger, &message);
        else
            begin_undefine(trigger, &message);
        double begin = clock_us();
        rpc_send(fd, &message);
        wait_all(epoll, options->count, trigger->event);
        samples_add(&samples, clock_us() - begin);
        rpc_receive(fd, &message);
        if (message_get_word(&message, 6) != 0)
            die("fanout: the %s change failed", trigger->name);
    }
    samples_print(&samples, "fanout", clock_us() - start);
    samples_clear(&samples);
}

/* The process that is all fan-out: a byte in, @count frames out. */
static void serve_floor(int control, const int *fds, size_t count)
{
    uint8_t frame[EVENT_SIZE] = { 0, 0, 0, EVENT_SIZE }, byte;
    while (read(control, &byte, 1) == 1) {
        for (size_t i = 0; i < count; i++) {
            if (send(fds[i], frame, sizeof frame, MSG_NOSIGNAL) != EVENT_SIZE)
                die("fanout floor: %s", strerror(errno));
        }
    }
    exit(0);
}

void mode_fanout_floor(const Options *options)
{
    int *servers = calloc(options->count, sizeof *servers), pair[2], control[2];
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    Samples samples;
    for (size_t i = 0; i < options->count; i++) {
        if (!servers || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
            die("fanout floor: %s", strerror(errno));
        servers[i] = pair[0];
        watch(epoll, pair[1]);
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, control) < 0)
        die("fanout floor: %s", strerror(errno));
    if (fork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        serve_floor(control[0], servers, options->count);
    }
    samples_init(&samples, options->rounds);
    double start = clock_us();
    for (size_t i = 0; i < options->rounds; i++) {
        double begin = clock_us();
        if (write(control[1], "", 1) != 1)
            die("fanout floor: %s", strerror(errno));
        wait_all(epoll, options->count, 0);
        samples_add(&samples, clock_us() - begin);
    }
    samples_print(&samples, "fanout-floor", clock_us() - start);
    samples_clear(&samples);
    free(servers);
}
