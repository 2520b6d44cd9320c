/* TLS of a daemon that listens on the network: its context is made of the files that the
 * configuration names when the first such socket is opened, and anew on reload. */
#pragma once

#include "common/daemon_private.h"

/* Blocks while it reads the files, if they have not been read yet. */
bool daemon_load_tls(Daemon *daemon, GError **error);
void daemon_forget_tls(Daemon *daemon);
/* A NetWrapFunc; @daemon has loaded TLS. */
NetSocket *daemon_wrap_tls(int fd, void *daemon);
