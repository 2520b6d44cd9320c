/* Events as the rest of the kit sees them. */
#pragma once

#include "common/events.h"

void events_client_closed(Client *client);
/* How many callbacks @client has here: a daemon with callbacks is not idle. */
size_t events_count(const Client *client);
