#include "virtnodedevd/uevent.h"

#include <string.h>

#include <glib.h>

UeventAction uevent_action(const char *name)
{
    if (g_str_equal(name, "add"))
        return UEVENT_ADD;
    if (g_str_equal(name, "remove"))
        return UEVENT_REMOVE;
    return g_str_equal(name, "move") ? UEVENT_MOVE : UEVENT_CHANGE;
}

/* The value of @string when its key is @key ("DEVPATH="), else @fallback. */
static const char *value_of(const char *string, const char *key, const char *fallback)
{
    return g_str_has_prefix(string, key) ? string + strlen(key) : fallback;
}

static bool is_device_path(const char *path)
{
    return !path || (g_str_has_prefix(path, "/devices/") && !strstr(path, "/../"));
}

bool uevent_parse(const char *bytes, size_t size, Uevent *ret_event)
{
    Uevent event = { UEVENT_CHANGE, NULL, NULL, NULL };
    const char *action = NULL;

    /* udevd's own messages on this socket begin with "libudev". */
    if (size == 0 || bytes[size - 1] != '\0' || !strchr(bytes, '@'))
        return false;
    for (size_t at = strlen(bytes) + 1; at < size; at += strlen(bytes + at) + 1) {
        const char *string = bytes + at;

        action = value_of(string, "ACTION=", action);
        event.path = value_of(string, "DEVPATH=", event.path);
        event.old_path = value_of(string, "DEVPATH_OLD=", event.old_path);
        event.subsystem = value_of(string, "SUBSYSTEM=", event.subsystem);
    }
    if (!action || !event.path || !event.subsystem || !is_device_path(event.path) ||
        !is_device_path(event.old_path))
        return false;
    event.action = uevent_action(action);
    *ret_event = event;
    return true;
}
