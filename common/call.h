/* One call of a client, from the decoded arguments to the reply. A call belongs to the
 * fiber that runs its handler; what it needs of its client is reachable from here, and
 * stays valid even when the client vanishes meanwhile. */
#pragma once

#include "common/message.h"
#include "common/procedure.h"

typedef struct Client Client;
typedef struct Daemon Daemon;

Client *call_get_client(Call *call);
Daemon *call_get_daemon(Call *call);
const WireProcedure *call_get_wire(const Call *call);
uint32_t call_get_serial(const Call *call);

/* Takes descriptor @index of those that came with the call; -1 when there is none. */
int call_take_fd(Call *call, size_t index);
/* Sends @fd (a duplicate of it) with the reply. */
bool call_add_reply_fd(Call *call, int fd, GError **error);

/* Refuses every bit of @flags that is not in @supported; the error names them. */
bool call_check_flags(const char *api, unsigned flags, unsigned supported, GError **error);
