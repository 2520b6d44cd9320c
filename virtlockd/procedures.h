/* The calls of the lock space protocol, and what is remembered of the connection that makes them:
 * for whom it speaks, and whether it may still change anything. */
#pragma once

#include "common/procedure.h"

extern const ProcedureTable lock_procedures;

/* Of LockDaemon.clients: connections to what is remembered of them. */
GHashTable *lock_clients_new(void);
