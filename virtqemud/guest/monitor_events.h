/* What QEMU tells without being asked: the state of the guest follows it, and clients are told.
 * Events that nobody here knows go to those who asked for the monitor's events. */
#pragma once

#include <stdint.h>

#include "json/value.h"

/* The handler of the guest's QMP session; @guest is a Guest. */
void guest_monitor_event(void *guest, const char *name, const JsonValue *data, int64_t seconds,
                         int64_t micros);
