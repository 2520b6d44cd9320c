/* kitd: a real daemon on the kit, for tests. It plays the daemon that KITD_AS names, so
 * that it can stand behind a router, and answers some of its calls in ways that tests can
 * steer: by the names of the objects that they are about. Nothing survives a restart. */
#pragma once

#include "common/daemon.h"

/* What one daemon has seen: its driver's data. */
typedef struct Kitd {
    int n_waiting; /* calls and streams that wait now */
    int n_done;    /* calls that came to their end */
    uint64_t n_bytes, n_hole_bytes; /* of uploads, all together */
} Kitd;

#define HOUR_US (3600 * (uint64_t)G_USEC_PER_SEC) /* longer than any test */

extern const ProcedureTable kitd_network_procedures, kitd_storage_procedures,
    kitd_domain_procedures;

/* The number behind the first '-' of @name: "sleep-500", 0 without one. */
uint64_t kitd_number(const char *name);
/* Waits as @name says: "sleep-MS", "stuck" (until cancelled), nothing for others. */
SUSPENDS bool kitd_wait(Kitd *kitd, const char *name, GError **error);
