/* What a guest's process has used, by the kernel's account (proc(5)): read when asked for, never
 * QEMU's to tell. False when the process, or the thread, has gone. */
#pragma once

#include "virtqemud/guest/guest.h"

typedef struct GuestUsage {
    uint64_t user_ns, system_ns; /* of all threads */
    uint64_t resident_kib;
    bool is_stopped; /* by somebody (SIGSTOP, a debugger): it answers nothing then */
} GuestUsage;
bool guest_get_usage(const Guest *guest, GuestUsage *ret_usage);
/* The time of the processor alone, user and system; 0 when it has gone. */
uint64_t guest_cpu_time_ns(const Guest *guest);

typedef struct GuestThreadTime {
    uint64_t run_ns;   /* on a processor */
    uint64_t wait_ns;  /* for I/O and the like, as far as the kernel counts it */
    uint64_t delay_ns; /* ready, but without a processor */
} GuestThreadTime;
bool guest_get_thread_time(const Guest *guest, pid_t thread, GuestThreadTime *ret_time);
