/* What a daemon knows of itself: clients, calls, fibers, stacks, queued bytes. On SIGUSR2
 * it is written to the log, a figure a line. */
#pragma once

#include "common/daemon.h"

void stats_log(Daemon *daemon);
