/* The facts that a daemon that comes next needs: which log each kept pipe belongs to, and whose
 * it is. RUN/libvirt/virtlogd-state.json, replaced as a whole with each change:
 *
 *   { "version": 1,
 *     "logs": [ { "pipe": "p4711",              name of the kept descriptor (kept_fds.h)
 *                 "path": "/var/log/…",         of the log, absolute
 *                 "driver": "qemu",             whose client opened it
 *                 "domain": "NAME", "uuid": "UUID" }, … ] }
 *
 * Members that are not known are left alone. */
#pragma once

#include <glib.h>

#include "base/uuid.h"

typedef struct LogState {
    char *pipe;
    char *path;
    char *driver, *domain;
    Uuid uuid;
} LogState;

void log_state_free(LogState *state);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LogState, log_state_free)

/* @states: of LogState. To be freed. */
char *log_states_format(const GPtrArray *states);
/* Returns an array of LogState. Entries that are no good are left out, with the first reason in
 * *@ret_problem (to be freed; NULL: all were good). Errors: INTERNAL_ERROR when it is no such
 * file at all. */
GPtrArray *log_states_parse(const char *text, size_t length, char **ret_problem, GError **error);
