/* A daemon of the kit without sockets and configuration file, for the targets that give it
 * connections themselves. */
#pragma once

#include "common/daemon_private.h"

/* With one server, named like the daemon, that has the procedures of the connection and
 * knows the programs REMOTE and QEMU. Lives as long as the process. */
Daemon *fuzz_daemon_new(const DaemonSpec *spec, const char *uri);

/* Writes what the socket takes at once. */
void fuzz_feed(int fd, const uint8_t *data, size_t size);
