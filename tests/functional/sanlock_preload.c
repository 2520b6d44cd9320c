/* Lets sanlock's daemon run where limits and real-time priorities are refused. Put in front of it by
 * LD_PRELOAD, for tests alone. */
#include <sys/types.h>

/* Under the names that a program is linked with, which the headers may turn into others. */
#define ALLOW(name, parameters)                                                                    \
    __attribute__((visibility("default"))) int allow_##name parameters __asm__(#name);             \
    int allow_##name parameters                                                                    \
    {                                                                                              \
        return 0;                                                                                  \
    }

ALLOW(setrlimit, (int resource, const void *limit))
ALLOW(setrlimit64, (int resource, const void *limit))
ALLOW(mlockall, (int flags))
ALLOW(sched_setscheduler, (pid_t pid, int policy, const void *parameter))
