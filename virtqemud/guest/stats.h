/* Statistics of a running guest. What QEMU has to say is asked of all guests at the same time:
 * first every question is sent, then the answers are collected. A QEMU that is stopped, or does
 * not answer, is waited for once and then only when it has answered again: what the kernel and
 * the daemon know of its guest is told at once. */
#pragma once

#include "virtqemud/guest/guest.h"
#include "wire/typed_params.h"

/* The questions of one guest that are under way. */
typedef struct GuestStats GuestStats;

/* Sends what the groups @wanted (VIR_DOMAIN_STATS_*) need; never waits. */
GuestStats *guest_stats_ask(Guest *guest, unsigned wanted);
/* Sends what the answers to the first questions made necessary; waits for those, until @deadline_us.
 * To be called for every guest before any is collected. */
SUSPENDS void guest_stats_ask_more(GuestStats *stats, uint64_t deadline_us);
/* Collects the answers until @deadline_us and appends all that is known. */
SUSPENDS void guest_stats_collect(GuestStats *stats, uint64_t deadline_us, bool with_backing,
                                  TypedParams *params);
/* Forgets what was not collected. NULL is ignored. */
void guest_stats_free(GuestStats *stats);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestStats, guest_stats_free)
