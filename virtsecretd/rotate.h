/* The roll-over of the key, a command of its own (virtsecretd --rotate-key) that runs beside the
 * daemon or without it. Killed at any instant it leaves all values readable, since the old key
 * goes only when nothing needs it any more; run again it goes on. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include <glib.h>

#include "common/config.h"
#include "common/paths.h"

/* Tells @out what was done. Errors: OPERATION_FAILED when there is no key, or values that cannot
 * be encrypted anew, or are plain still: then the old key stays; when the key is a credential that
 * has no new one in front, and values were encrypted with it already. */
bool rotate_key(const Paths *paths, const DaemonConfig *config, FILE *out, GError **error);
