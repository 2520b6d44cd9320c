/* TCP ports of displays: which of a range nobody has, be it a guest of ours or another program.
 * In memory: guests that are found again claim theirs. */
#pragma once

#include <stdbool.h>

#include <glib.h>

typedef struct Ports Ports;

Ports *ports_new(void);
void ports_free(Ports *ports);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Ports, ports_free)

/* Reserves the first port of @min to @max that can be bound at @address (a numeric address;
 * others are tried as the wildcard). Errors: INTERNAL_ERROR naming the range when all are
 * taken. */
bool ports_take(Ports *ports, const char *address, unsigned min, unsigned max, const char *what,
                unsigned *ret_port, GError **error);
/* Reserves a given one, whoever else may have it: binding it is QEMU's, and its error. */
void ports_claim(Ports *ports, unsigned port);
void ports_release(Ports *ports, unsigned port);
