/* The mechanics under guest_process_start(): a spec becomes the launcher's plan
 * (launcher/plan.h), and the launcher a child of ours. */
#pragma once

#include "virtqemud/guest/process.h"

/* A launcher that runs, or has become its program already. */
typedef struct GuestLaunch {
    pid_t pid;
    int pid_fd;
    int status_fd; /* messages of the launcher; at its end when the program runs */
} GuestLaunch;

/* The plan of @spec. The program's standard descriptors are /dev/null and the log's. */
GByteArray *guest_launch_plan(const GuestProcessSpec *spec);

/* Starts the launcher: two or three system calls of the kernel, without a wait.
 * Errors: SYSTEM_ERROR. */
bool guest_launch_start(const GuestProcessSpec *spec, GuestLaunch *ret_launch, GError **error);

/* Sets @error to what the launcher says in @length bytes at @message: the step that failed. */
void guest_launch_set_error(const GuestProcessSpec *spec, const char *message, size_t length,
                            GError **error);
