/* Work for a thread: what burns CPU or waits for a local disk for more than about a
 * millisecond. The function touches only what it was handed. The threads (at most 4) start
 * when first needed and end when they have had nothing to do for some seconds. */
#pragma once

#include "fiber/fiber.h"

typedef bool (*OffloadFunc)(void *data, GError **error);

/* Runs @func(@data) in a thread and waits for it, always to its end, also when the
 * fiber is cancelled meanwhile: @data stays the caller's. Returns what @func returned. */
SUSPENDS bool fiber_offload(OffloadFunc func, void *data, GError **error);
