/* Files of /proc/PID. */
#include "virtqemud/guest/usage.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* More than any of the files has. */
#define FILE_BYTES 8192

/* The file @name of the process as text. The kernel gives such a file whole to one read; this is
 * done several times for every guest when statistics are asked for. */
static bool read_file(const Guest *guest, const char *name, char text[static FILE_BYTES])
{
    char path[64];
    ssize_t length;
    int fd;

    if (!guest->process)
        return false;
    g_snprintf(path, sizeof(path), "/proc/%d/%s", (int)guest_process_get_pid(guest->process),
               name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    length = read(fd, text, FILE_BYTES - 1);
    close(fd);
    text[MAX(length, 0)] = 0;
    return length > 0;
}

static uint64_t ticks_to_ns(unsigned long long ticks)
{
    return ticks * (G_GUINT64_CONSTANT(1000000000) / (uint64_t)sysconf(_SC_CLK_TCK));
}

bool guest_get_usage(const Guest *guest, GuestUsage *ret_usage)
{
    char text[FILE_BYTES];
    const char *bracket;
    unsigned long long user, system, pages;
    char state;

    /* The name before the bracket may hold anything. Fields 3, 14, 15 and 24. */
    bracket = read_file(guest, "stat", text) ? strrchr(text, ')') : NULL;
    if (!bracket ||
        sscanf(bracket + 1,
               " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d %*d %*d %*u "
               "%*u %llu",
               &state, &user, &system, &pages) != 4)
        return false;
    *ret_usage = (GuestUsage){
        .is_stopped = state == 'T' || state == 't',
        .user_ns = ticks_to_ns(user),
        .system_ns = ticks_to_ns(system),
        .resident_kib = pages * (uint64_t)sysconf(_SC_PAGESIZE) / 1024,
    };
    return true;
}

uint64_t guest_cpu_time_ns(const Guest *guest)
{
    GuestUsage usage;

    return guest_get_usage(guest, &usage) ? usage.user_ns + usage.system_ns : 0;
}

/* "wait_sum : 12.345678" of a thread's "sched", in milliseconds; kernels without it count none. */
static uint64_t read_wait_ns(const Guest *guest, pid_t thread)
{
    char name[40], text[FILE_BYTES];
    const char *line;
    double wait_ms;

    g_snprintf(name, sizeof(name), "task/%d/sched", (int)thread);
    line = read_file(guest, name, text) ? strstr(text, "wait_sum") : NULL;
    return line && sscanf(line, "%*s : %lf", &wait_ms) == 1 ? (uint64_t)(wait_ms * 1e6) : 0;
}

bool guest_get_thread_time(const Guest *guest, pid_t thread, GuestThreadTime *ret_time)
{
    char name[40], text[FILE_BYTES];
    unsigned long long run_ns, delay_ns;

    g_snprintf(name, sizeof(name), "task/%d/schedstat", (int)thread);
    if (!read_file(guest, name, text) || sscanf(text, "%llu %llu", &run_ns, &delay_ns) != 2)
        return false;
    ret_time->run_ns = run_ns;
    ret_time->delay_ns = delay_ns;
    ret_time->wait_ns = read_wait_ns(guest, thread);
    return true;
}
