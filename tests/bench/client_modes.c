#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bench/modes.h"
#include "bench/rpc.h"
#include "bench/stats.h"

void mode_call(const Options *options)
{
    Message message;
    Samples samples;
    int fd = rpc_open(options->socket, options->uri);
    samples_init(&samples, options->count);
    /* The first calls fill caches on both sides. */
    for (size_t i = 0; i < options->count / 10; i++)
        rpc_call_plain(fd, (uint32_t)options->procedure, &message);
    double start = clock_us();
    for (size_t i = 0; i < options->count; i++) {
        double begin = clock_us();
        rpc_call_plain(fd, (uint32_t)options->procedure, &message);
        samples_add(&samples, clock_us() - begin);
    }
    samples_print(&samples, "call", clock_us() - start);
    samples_clear(&samples);
    close(fd);
}

static void add_reader(int epoll, int fd)
{
    struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        die("epoll_ctl: %s", strerror(errno));
}

void mode_load(const Options *options)
{
    struct epoll_event events[64];
    Message message;
    size_t calls = 0;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < options->count; i++) {
        int fd = rpc_open(options->socket, options->uri);
        add_reader(epoll, fd);
        message_begin(&message, RPC_CONNECT_GET_LIB_VERSION);
        rpc_send(fd, &message);
    }
    double start = clock_us(), end = start + options->seconds * 1e6;
    while (clock_us() < end) {
        int ready = epoll_wait(epoll, events, 64, 1000);
        for (int i = 0; i < ready; i++) {
            rpc_receive(events[i].data.fd, &message);
            calls++;
            message_begin(&message, RPC_CONNECT_GET_LIB_VERSION);
            rpc_send(events[i].data.fd, &message);
        }
    }
    printf("{\"mode\": \"load\", \"count\": %zu, \"per_second\": %.0f}\n", calls,
           (double)calls * 1e6 / (clock_us() - start));
}

void mode_open(const Options *options)
{
    Message message;
    Samples samples;
    samples_init(&samples, 1000000);
    double start = clock_us(), end = start + options->seconds * 1e6;
    while (clock_us() < end) {
        double begin = clock_us();
        int fd = rpc_open(options->socket, options->uri);
        rpc_call_plain(fd, RPC_CONNECT_CLOSE, &message);
        close(fd);
        samples_add(&samples, clock_us() - begin);
    }
    samples_print(&samples, "open", clock_us() - start);
    samples_clear(&samples);
}

void mode_idle(const Options *options)
{
    char byte;
    double start = clock_us();
    for (size_t i = 0; i < options->count; i++)
        rpc_open(options->socket, options->uri);
    printf("{\"mode\": \"idle\", \"count\": %zu, \"each_us\": %.1f}\n", options->count,
           (clock_us() - start) / (double)options->count);
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
}
