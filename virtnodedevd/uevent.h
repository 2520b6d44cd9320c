/* What the kernel says when a device comes, goes or changes (kernel:
 * Documentation/core-api/kobject.rst, lib/kobject_uevent; netlink(7), NETLINK_KOBJECT_UEVENT):
 * "ACTION@PATH", then KEY=VALUE strings, each with a NUL behind it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef enum UeventAction {
    UEVENT_ADD,
    UEVENT_REMOVE,
    UEVENT_CHANGE, /* of whatever kind: attributes, driver, … */
    UEVENT_MOVE,   /* it has another path now */
} UeventAction;

/* Points into the message. */
typedef struct Uevent {
    UeventAction action;
    const char *path;      /* "/devices/…" */
    const char *old_path;  /* of a move, else NULL */
    const char *subsystem;
} Uevent;

/* What the kernel calls "add", "remove", "move"; all else is a change. */
UeventAction uevent_action(const char *name);
/* False when the bytes are no such message; one that ends in the middle of a string is none. */
bool uevent_parse(const char *bytes, size_t size, Uevent *ret_event);
