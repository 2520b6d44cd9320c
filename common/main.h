/* The life of a daemon, the same for all eight: options, configuration, logging, sockets,
 * readiness, running, reload, and an orderly end. A daemon's main() is one call of this.
 *
 * Exit status: 0 after an orderly end, 1 when it could not start (said on stderr), or not execute
 * itself anew (said in the log). */
#pragma once

#include "common/daemon.h"

int daemon_main(const DaemonSpec *spec, int argc, char **argv);

/* By a signal: what the driver wants to be done before it stops comes first. */
void daemon_stop(Daemon *daemon);
