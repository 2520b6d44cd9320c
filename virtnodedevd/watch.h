/* Where news of devices come from: udevd's events where it runs, else the kernel's own. Messages wait in the socket; when it
 * was full, some are lost, and what there is has to be looked at anew. Interfaces of another
 * network namespace give events only there. Nothing of this is kept. */
#pragma once

#include <glib.h>

#include "virtnodedevd/uevent.h"

typedef struct Watch Watch;

/* One event, copied. */
typedef struct WatchEvent {
    UeventAction action;
    char *path, *old_path;
} WatchEvent;

/* NULL when devices of @subsystem do not matter. A host's Fibre Channel side is the host's: its
 * coming is a change of the host. */
WatchEvent *watch_event_new(UeventAction action, const char *path, const char *old_path,
                            const char *subsystem);
void watch_event_free(WatchEvent *event);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WatchEvent, watch_event_free)

/* Errors: SYSTEM_ERROR. */
Watch *watch_open(GError **error);
void watch_close(Watch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Watch, watch_close)

/* Becomes readable when there is something to take. */
int watch_get_fd(const Watch *watch);
/* The next event of a kind of device that matters; NULL when none is there now. */
WatchEvent *watch_take(Watch *watch);
/* True once after events were lost. */
bool watch_take_lost(Watch *watch);
