/* What libvirt-guests does. Which guests ran is kept in /var/lib/libvirt/libvirt-guests from the
 * shutdown of the host to its next start, a line for each: "URI UUID NAME". That the service is
 * started is a file in /run/libvirt. */
#pragma once

#include "virtqemud/libvirt_guests/connection.h"
#include "virtqemud/libvirt_guests/settings.h"

typedef struct GuestsService {
    FiberLoop *loop;
    ChannelPool *pool;
    Paths *paths;
    GuestsSettings *settings;
} GuestsService;

/* All return whether everything went well, and print what they do and what did not go well. */
SUSPENDS bool guests_action_start(GuestsService *service);
/* @records: for the next start, which guests ran. */
SUSPENDS bool guests_action_stop(GuestsService *service, bool records);
SUSPENDS bool guests_action_gueststatus(GuestsService *service);
/* Whether the service is started. */
bool guests_is_started(const GuestsService *service);
