/* How many calls of a server run at once. Up to @max calls hold a slot; procedures marked
 * high priority have @priority slots more that no other call takes. Calls over that wait,
 * the clients taking turns.
 *
 * A call that has been waiting for a while for somebody outside (a guest that does not
 * answer, a sibling, a disk) gives its slot back as soon as another call needs it: calls
 * that are stuck cost memory, and nobody else's time. */
#pragma once

#include "common/call.h"
#include "fiber/fiber.h"

typedef struct Workers {
    FiberLoop *loop;
    unsigned min, max, priority;       /* settings, as the admin interface shows them */
    unsigned n_running, n_running_priority;
    size_t n_waiting;                  /* calls without a slot */
    GQueue running;                    /* of Call that hold a slot, oldest first */
    GQueue waiting_clients;            /* of Client that have waiting calls, in turn */
    bool is_starting; /* waiting calls */
    sd_event_source *parking_timer;
} Workers;

void workers_init(Workers *workers, FiberLoop *loop, unsigned min, unsigned max,
                  unsigned priority);
/* No call may be left. */
void workers_clear(Workers *workers);
/* Runs @call now, or as soon as a slot is free. */
void workers_submit(Workers *workers, Call *call);
/* @call has ended: its slot goes to the next. */
void workers_release(Workers *workers, Call *call);
/* Forgets the waiting calls of a client that has gone. */
void workers_drop_client(Workers *workers, Client *client);
/* A client can have calls run again that could not. */
void workers_run_waiting(Workers *workers);
/* Changed settings take effect at once. */
void workers_set(Workers *workers, unsigned min, unsigned max, unsigned priority);
/* What the admin interface calls the pool's current size. */
unsigned workers_get_current(const Workers *workers);
