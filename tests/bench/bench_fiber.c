/* What fibers cost: one plain line per figure. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "fiber/fiber.h"
#include "fiber/offload.h"
#include "fiber/process.h"
#include "fiber/sync.h"

#define N_ROUNDS 2000000
#define N_WAITING 10000
#define N_FDS 256

static uint64_t n_calls;

static void print_ns(const char *what, uint64_t begin_us, uint64_t n)
{
    printf("%-44s %8.1f ns\n", what, (double)(fiber_now_us() - begin_us) * 1000 / (double)n);
}

/* Statistics cost system calls: they are asked for every now and then only. */
static void drain(FiberLoop *loop, uint64_t timeout_us)
{
    FiberStats stats;

    do {
        for (int i = 0; i < 50; i++)
            fiber_loop_step(loop, timeout_us, NULL);
        fiber_loop_get_stats(loop, &stats);
    } while (stats.n_fibers > 0);
}

static void empty_body(void *data)
{
    n_calls++;
}

static void bench_spawn(FiberLoop *loop)
{
    uint64_t begin = fiber_now_us();

    for (int i = 0; i < N_ROUNDS; i++)
        fiber_spawn(loop, "empty", empty_body, NULL, NULL, NULL);
    print_ns("spawn, run and end", begin, N_ROUNDS);
}

/* Each yield is two switches: to the loop and back. */
static void yield_body(void *data)
{
    for (int i = 0; i < N_ROUNDS / 2; i++)
        fiber_yield(NULL);
}

static void bench_yield(FiberLoop *loop, int n_fibers)
{
    g_autofree char *what = g_strdup_printf("switch (yield of %d fibers)", n_fibers);
    uint64_t begin = fiber_now_us();

    for (int i = 0; i < n_fibers; i++)
        fiber_spawn(loop, "yield", yield_body, NULL, NULL, NULL);
    drain(loop, 0);
    print_ns(what, begin, (uint64_t)N_ROUNDS * (uint64_t)n_fibers);
}

typedef struct PingPong {
    FiberQueue to, from;
    uint64_t deadline_us;
} PingPong;

static void ping_body(void *data)
{
    PingPong *ping = data;
    void *item = NULL;

    for (int i = 0; i < N_ROUNDS / 4; i++) {
        fiber_queue_push(&ping->to, ping, FIBER_FOREVER, NULL);
        fiber_queue_pop(&ping->from, ping->deadline_us, &item, NULL);
    }
    fiber_queue_close(&ping->to);
}

static void pong_body(void *data)
{
    PingPong *ping = data;
    void *item = NULL;

    while (fiber_queue_pop(&ping->to, ping->deadline_us, &item, NULL))
        fiber_queue_push(&ping->from, item, FIBER_FOREVER, NULL);
}

static void bench_queue(FiberLoop *loop, const char *what, uint64_t deadline_us)
{
    PingPong ping = { .deadline_us = deadline_us };
    uint64_t begin = fiber_now_us();

    fiber_spawn(loop, "pong", pong_body, &ping, NULL, NULL);
    fiber_spawn(loop, "ping", ping_body, &ping, NULL, NULL);
    drain(loop, 0);
    print_ns(what, begin, N_ROUNDS / 4);
}

/* --- Descriptors --- */

static void wait_fd_body(void *data)
{
    int fd = *(int *)data;
    eventfd_t value;

    while (fiber_wait_fd(fd, EPOLLIN, FIBER_FOREVER, NULL, NULL)) {
        eventfd_read(fd, &value);
        n_calls++;
    }
}

static int handle_fd(sd_event_source *source, int fd, uint32_t revents, void *data)
{
    eventfd_t value;

    eventfd_read(fd, &value);
    n_calls++;
    return 0;
}

/* All descriptors become ready at once; how much each one costs until all are served. */
static void bench_ready_fds(FiberLoop *loop, const int *fds, int n_fds, const char *what)
{
    const int n_rounds = 100000 / n_fds;
    uint64_t begin = fiber_now_us();

    for (int round = 0; round < n_rounds; round++) {
        uint64_t goal = n_calls + (uint64_t)n_fds;
        for (int i = 0; i < n_fds; i++)
            eventfd_write(fds[i], 1);
        while (n_calls < goal)
            fiber_loop_step(loop, 0, NULL);
    }
    print_ns(what, begin, (uint64_t)(n_rounds * n_fds));
}

static void bench_fds_of_fibers(int n_fds)
{
    g_autofree char *what = g_strdup_printf("fiber_wait_fd, %d ready at once, each", n_fds);
    g_autoptr(FiberLoop) loop = fiber_loop_new(NULL);
    int fds[N_FDS] = { 0 };

    for (int i = 0; i < n_fds; i++) {
        fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        fiber_spawn(loop, "fd", wait_fd_body, &fds[i], NULL, NULL);
    }
    bench_ready_fds(loop, fds, n_fds, what);
    g_clear_pointer(&loop, fiber_loop_free);
    for (int i = 0; i < n_fds; i++)
        close(fds[i]);
}

static void bench_fds_of_sources(int n_fds)
{
    g_autofree char *what = g_strdup_printf("sd_event_add_io, %d ready at once, each", n_fds);
    g_autoptr(FiberLoop) loop = fiber_loop_new(NULL);
    int fds[N_FDS] = { 0 };

    for (int i = 0; i < n_fds; i++) {
        fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        sd_event_add_io(fiber_loop_get_event(loop), NULL, fds[i], EPOLLIN, handle_fd, NULL);
    }
    bench_ready_fds(loop, fds, n_fds, what);
    g_clear_pointer(&loop, fiber_loop_free);
    for (int i = 0; i < n_fds; i++)
        close(fds[i]);
}

/* --- Memory --- */

static size_t resident_kib(void)
{
    g_autofree char *text = NULL;
    unsigned long total = 0, resident = 0;

    g_file_get_contents("/proc/self/statm", &text, NULL, NULL);
    sscanf(text, "%lu %lu", &total, &resident);
    return resident * (size_t)sysconf(_SC_PAGESIZE) / 1024;
}

static size_t page_tables_kib(void)
{
    g_autofree char *text = NULL;

    g_file_get_contents("/proc/self/status", &text, NULL, NULL);
    const char *line = strstr(text, "VmPTE:");
    return line ? strtoul(line + 6, NULL, 10) : 0;
}

static void waiting_body(void *data)
{
    fiber_sleep(FIBER_FOREVER - 1 - fiber_now_us(), NULL);
}

static void bench_memory(void)
{
    FiberLoop *loop = fiber_loop_new(NULL);
    size_t before = resident_kib(), tables = page_tables_kib();
    uint64_t begin = fiber_now_us();

    for (int i = 0; i < N_WAITING; i++)
        fiber_spawn(loop, "waiting", waiting_body, NULL, NULL, NULL);
    print_ns("spawn on a new stack and wait", begin, N_WAITING);
    printf("%-44s %8.2f KiB resident, %.2f KiB page tables\n", "per waiting fiber, of 10000",
           (double)(resident_kib() - before) / N_WAITING,
           (double)(page_tables_kib() - tables) / N_WAITING);
    begin = fiber_now_us();
    fiber_loop_free(loop);
    print_ns("cancel, run to the end and unmap", begin, N_WAITING);
    printf("%-44s %8zu KiB\n", "resident after all have ended, more than before",
           resident_kib() - before);
}

/* --- Threads and programs --- */

static bool nothing(void *data, GError **error)
{
    return true;
}

static void offload_body(void *data)
{
    uint64_t begin = fiber_now_us();

    for (int i = 0; i < 20000; i++)
        fiber_offload(nothing, NULL, NULL);
    print_ns("fiber_offload of nothing", begin, 20000);
}

static void process_body(void *data)
{
    const char *const argv[] = { "/bin/true", NULL };
    ProcessSpec spec = { .argv = argv, .deadline_us = FIBER_FOREVER };
    uint64_t begin = fiber_now_us();

    for (int i = 0; i < 200; i++)
        process_run_checked(&spec, NULL, NULL);
    print_ns("process_run of /bin/true", begin, 200);
}

int main(void)
{
    g_autoptr(FiberLoop) loop = fiber_loop_new(NULL);

    setvbuf(stdout, NULL, _IOLBF, 0);
    bench_spawn(loop);
    bench_yield(loop, 1);
    bench_yield(loop, 10);
    bench_queue(loop, "round trip over two queues", FIBER_FOREVER);
    bench_queue(loop, "the same, waits with a deadline", fiber_deadline_ms(60000));
    for (int n_fds = 1; n_fds <= N_FDS; n_fds *= 16) {
        bench_fds_of_fibers(n_fds);
        bench_fds_of_sources(n_fds);
    }
    fiber_spawn(loop, "offload", offload_body, NULL, NULL, NULL);
    drain(loop, 1000);
    fiber_spawn(loop, "process", process_body, NULL, NULL, NULL);
    drain(loop, 1000);
    bench_memory();
    return 0;
}
