/* What a daemon that starts finds of the one before: the state file and the kept descriptors.
 * A lock that has both is held, and was all the time: nobody could take it in between. */
#pragma once

#include "virtlockd/lockd.h"

/* Fills the table. Never fails: what cannot be understood is said in the log, and a descriptor
 * whose name alone is left holds its lock until the process in the name ends. */
SUSPENDS void lockd_recover(LockDaemon *lockd);
