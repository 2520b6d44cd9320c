/* Sending the host to sleep for a while (manual: virNodeSuspendForDuration). Two steps, so that
 * the call can be answered before the host is gone: prepare checks and sets the alarm clock, enter
 * goes to sleep. Talks to the kernel itself (Documentation/admin-guide/pm/sleep-states.rst,
 * Documentation/admin-guide/rtc.rst), so services that inhibit sleep are not asked. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "virtqemud/host/roots.h"

/* With their numbers on the wire. */
typedef enum SuspendTarget {
    SUSPEND_MEM = 0,
    SUSPEND_DISK = 1,
    SUSPEND_HYBRID = 2,
    SUSPEND_TARGETS
} SuspendTarget;

/* A host may not be sent to sleep for less. */
#define SUSPEND_MIN_SECONDS 60

/* Whether the kernel can do it. */
bool suspend_is_supported(const HostRoots *roots, SuspendTarget target);

/* Checks @target (any number) and @seconds, and sets the alarm. Nothing happens yet.
 * Errors: INVALID_ARG, ARGUMENT_UNSUPPORTED when the host cannot do it, SYSTEM_ERROR when there
 * is no clock that can wake it. */
bool suspend_prepare(const HostRoots *roots, guint target, guint64 seconds, GError **error);

/* Goes to sleep and returns when the host is awake again: for an offload thread.
 * Errors: SYSTEM_ERROR. */
bool suspend_enter(const HostRoots *roots, SuspendTarget target, GError **error);
