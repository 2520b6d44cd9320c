/* The processes behind owners. A guest's locks live as long as its process: they are given back
 * when it has ended, never before, whatever becomes of connections.
 *
 * A process that has connected itself (QEMU inherits the connection from before it became QEMU)
 * and loses the connection has lost the guarantee that the connection stands for, and is ended. */
#pragma once

#include "virtlockd/lockd.h"

/* Watches the process from now on. Of one that is gone has_ended is set; of one that cannot be
 * seen (LOCK_OWNER_UNSEEN) connections are all there is to go by, see owner_disconnect().
 * Errors: SYSTEM_ERROR. */
bool owner_watch(LockDaemon *lockd, LockOwner *owner, GError **error);
/* Another connection speaks for it; @is_own: the process itself has connected. */
void owner_connect(LockOwner *owner, bool is_own);
/* One that spoke for it does no more. A process that cannot be seen has ended with the last. */
void owner_disconnect(LockDaemon *lockd, LockOwner *owner, bool is_own);
/* The process is gone: gives back what it has, in a fiber of its own. */
void owner_release(LockDaemon *lockd, LockOwner *owner);
/* The last connection of its own has been closed: ends it, if it has locks. */
void owner_end(LockDaemon *lockd, LockOwner *owner);
