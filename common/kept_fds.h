/* Descriptors that outlive their daemon (pipes of guests, locks), each under a name of its own.
 * A descriptor that was put is with whoever can keep it when the daemon is killed, stopped or
 * replaced, before kept_fds_put() returns:
 *
 * - the service manager, in its descriptor store (fd_store.h), when it offers one;
 * - the holder (common/holder/), when somebody serves its socket; for service managers that
 *   empty the store when a unit is stopped (systemd before 254), and for hosts without one.
 *
 * At start the daemon has all of them again, from there or from its own last execution
 * (reexec.h): it claims, by name, those that its state file knows, and drops the others.
 * A lock's descriptor has duplicates elsewhere: closing one's own gives no lock up, F_UNLCK does. */
#pragma once

#include "fiber/fiber.h"

typedef struct KeptFds KeptFds;

/* @holder_path: of the holder's socket. Nothing is touched yet. */
KeptFds *kept_fds_new(FiberLoop *loop, const char *holder_path);
/* Closes the daemon's own descriptors; those that others keep stay there. No fiber is left. */
void kept_fds_free(KeptFds *kept);

/* At start: @fd came with our execution, and is taken; a second one of @name is closed. */
typedef enum KeptFrom { KEPT_FROM_SELF, KEPT_FROM_MANAGER, KEPT_FROM_HOLDER } KeptFrom;
void kept_fds_add_found(KeptFds *kept, const char *name, int fd, KeptFrom from);
/* At start: gets what the holder has; nobody being there is no error. After an error nothing may
 * be claimed or dropped: what the holder has must not be taken for lost.
 * Errors: OPERATION_FAILED, OPERATION_TIMEOUT, SYSTEM_ERROR naming the holder, OPERATION_ABORTED. */
SUSPENDS bool kept_fds_collect(KeptFds *kept, GError **error);

/* A descriptor that was found; it stays the kept ones' own. -1: there is none of that name,
 * or it was claimed before. Whoever keeps others, but lacks this one, gets it now. */
int kept_fds_claim(KeptFds *kept, const char *name);
/* The same without claiming it. */
int kept_fds_peek(KeptFds *kept, const char *name);
/* The names of those found that nobody has claimed. */
GPtrArray *kept_fds_get_unclaimed(KeptFds *kept);
void kept_fds_drop_unclaimed(KeptFds *kept);

/* Keeps @fd, which is taken over in any case, as @name (see holder_name_is_valid()), which must
 * not be in use. What the daemon answers to whoever waits for this is true then. On failure
 * others may have it as well, and the caller has to drop it. Errors: OPERATION_FAILED when
 * everybody who could keep it has failed to; nobody being there is no error. */
SUSPENDS bool kept_fds_put(KeptFds *kept, const char *name, int fd, GError **error);
/* Closes it, here and (some time later, but before any later put) with all who keep it. */
void kept_fds_drop(KeptFds *kept, const char *name);

/* For each, claimed or not. */
typedef void (*KeptFdFunc)(const char *name, int fd, void *data);
void kept_fds_foreach(KeptFds *kept, KeptFdFunc func, void *data);
/* Whether a descriptor that is put now outlives a killed daemon, for operators to know. */
bool kept_fds_has_keeper(const KeptFds *kept);
