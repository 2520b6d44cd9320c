/* The access-control point: every procedure passes it before its handler runs, with the
 * permissions that the wire's facts name. The driver is "none" for now: what a client may
 * do is decided by the socket that it came in by. */
#pragma once

#include <glib.h>

#include "wire/procedure.h"

typedef struct Client Client;

/* Errors: ACCESS_DENIED, names the API and the permission. */
bool access_check(Client *client, const WireProcedure *wire, GError **error);
/* Whether a list that @wire answers with, or an event that it registers for, may show @client an
 * object: the procedure's acl_filter. */
bool access_may_list(Client *client, const WireProcedure *wire);
