/* Errors about a resource that is locked: they name it, its lock space, and who has it. */
#pragma once

#include "virtlockd/lock_table.h"
#include "virtlockd/worker/protocol.h"

/* @holder has @resource locked, under the same name or another. */
void conflict_set(GError **error, const LockResource *resource, const Lock *holder);
/* Somebody has the file locked whom the kernel told the worker of, or did not. */
void conflict_set_foreign(GError **error, const LockResource *resource,
                          const LockWorkerReply *reply);
