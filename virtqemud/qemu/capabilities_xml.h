/* The <guest> elements of the capabilities document (manual: formatcaps; schema:
 * capability.rng): what guests the installed emulators can run. */
#pragma once

#include <glib.h>

#include "xml/writer.h"

/* @guests: of EmulatorGuest (caps_store.h). Each element is followed by an empty line. */
void capabilities_format_guests(const GArray *guests, XmlWriter *writer);
