/* The steps of a plan, done to this process. Knows libc only, and keeps to plain system calls:
 * whoever runs this is about to be another program. */
#pragma once

#include "virtqemud/launcher/plan.h"

/* What steps leave for those behind them. */
typedef struct Launch {
    int status_fd;
    char **environment; /* of the program; at first empty */
} Launch;

/* Does all of @plan. Returns only when a step failed: errno, with @ret_step and what it was
 * about (a string of the plan, or constant). */
int launch_run(Launch *launch, const LaunchPlan *plan, const LaunchStep **ret_step,
               const char **ret_what);
