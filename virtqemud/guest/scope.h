/* The unit of a guest under systemd: a scope of its own below a slice, so that the guest is no
 * part of the daemon's unit, and is accounted and limited by itself. Made by machined, which
 * then lists the guest as a machine (machinectl), or by systemd where there is no machined. A
 * scope vanishes with its last process; nothing of it is kept here. Interfaces:
 * org.freedesktop.machine1(5), org.freedesktop.systemd1(5). */
#pragma once

#include <sys/types.h>

#include "base/uuid.h"
#include "common/system_bus.h"

typedef struct ScopeSpec {
    const char *machine; /* "qemu-1-demo" */
    const char *title;   /* for people: the domain's name */
    Uuid uuid;
    pid_t pid;
    const char *partition; /* "/machine/testing" is machine-testing.slice */
} ScopeSpec;

/* "machine-qemu\x2d1\x2ddemo.scope"; to be freed. */
char *scope_unit_name(const char *machine);
/* "machine-testing.slice" for "/machine/testing"; to be freed. */
char *scope_slice_name(const char *partition);

/* Puts @spec's process into a scope of its own. True when it is in there. Errors: DBUS_SERVICE
 * naming the scope, OPERATION_TIMEOUT, OPERATION_ABORTED. */
SUSPENDS bool scope_start(SystemBus *bus, const ScopeSpec *spec, uint64_t deadline_us,
                          GError **error);
