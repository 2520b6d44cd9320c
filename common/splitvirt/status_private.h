/* The parts of one look at the suite. */
#pragma once

#include "common/splitvirt/status.h"

void daemon_status_note(DaemonStatus *status, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* status_decide.c. Sets state, reason and starts_on_demand from all that was seen from outside. */
void daemon_status_decide(DaemonStatus *status, const SuiteStatus *suite, bool has_stale_pid_file);
/* status_ask.c. Asks the daemons that run, all at once. Errors: see channel_pool_new(). */
SUSPENDS bool suite_status_ask(SuiteStatus *suite, FiberLoop *loop, const Paths *paths,
                               GError **error);
