/* Threads for work on files that may block for as long as their file system likes: one for each
 * folder that has work, so that a disk that hangs holds up its own logs and no others. Work for
 * one folder is done in order, one after the other. A thread ends when it has had nothing to do
 * for a while. Nothing here survives a restart. */
#pragma once

#include "fiber/fiber.h"

typedef struct Lanes Lanes;
typedef void (*LaneFunc)(void *data);

Lanes *lanes_new(FiberLoop *loop, GError **error);
/* Waits up to @patience_us for what is being done; what has not begun never is, and counts as
 * done. False: something hangs; then its thread, and what it works on, are left to the end of the
 * process. No fiber is left. */
bool lanes_free(Lanes *lanes, uint64_t patience_us);

/* Runs @work(@data) in the thread of @folder, then @done(@data) in the loop. @data is the
 * lanes' meanwhile. Errors: SYSTEM_ERROR when there can be no thread; nothing runs then. */
bool lanes_submit(Lanes *lanes, const char *folder, LaneFunc work, LaneFunc done, void *data,
                  GError **error);
/* The folder whose work has been running for longer than @us, to be freed; NULL: none. */
char *lanes_find_stuck(Lanes *lanes, uint64_t us);

/* The same for a fiber that waits, until @deadline_us. Work that is late goes on; @data, which
 * is taken, is freed by @free when it is done and nobody waits for it, else by the caller.
 * Errors: OPERATION_TIMEOUT naming @what. */
SUSPENDS bool lanes_run(Lanes *lanes, const char *folder, LaneFunc work, void *data,
                        GDestroyNotify free, uint64_t deadline_us, const char *what,
                        GError **error);
