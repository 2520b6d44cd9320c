/* Who runs now and who waits. There are no threads: a slot is the right to have a fiber.
 * Clients with waiting calls stand in a ring and get a slot in turn, so one that sends
 * thousands of calls delays the others by one call each at most. */
#include "common/workers.h"

#include "common/call_private.h"
#include "common/client_private.h"

/* A call that was suspended for this long is waiting for somebody outside. */
#define PARKING_AGE_US (20 * 1000)

void workers_init(Workers *workers, FiberLoop *loop, unsigned min, unsigned max,
                  unsigned priority)
{
    *workers = (Workers){ .loop = loop, .min = min, .max = max, .priority = priority };
    g_queue_init(&workers->running);
    g_queue_init(&workers->waiting_clients);
}

void workers_clear(Workers *workers)
{
    sd_event_source_disable_unref(g_steal_pointer(&workers->parking_timer));
}

/* A client that has not taken the answers to its calls gets no further ones: many large
 * answers at once are no reason to disconnect it. */
static bool client_has_room(const Client *client)
{
    return client->n_slots < client_get_max_requests(client) &&
           channel_get_queued_bytes(client->channel) <= CHANNEL_HIGH_WATER_BYTES;
}

/* Ordinary slots first for everybody; the ones that are kept for high priority only when those
 * are used up. */
static bool workers_have_room(const Workers *workers, const Call *call)
{
    return workers->n_running < workers->max ||
           (call->wire->is_high_priority && workers->n_running_priority < workers->priority);
}

static void workers_take_slot(Workers *workers, Call *call)
{
    call->has_slot = workers->n_running < workers->max;
    call->has_priority_slot = !call->has_slot;
    if (call->has_slot)
        workers->n_running++;
    else
        workers->n_running_priority++;
    call->client->n_slots++;
    g_queue_push_tail_link(&workers->running, &call->link);
}

/* Called twice for a call that was parked: when it is, and when it ends. */
static void workers_give_slot_back(Workers *workers, Call *call)
{
    if (!call->has_slot && !call->has_priority_slot)
        return;
    if (call->has_slot)
        workers->n_running--;
    else
        workers->n_running_priority--;
    call->has_slot = call->has_priority_slot = false;
    call->client->n_slots--;
    g_queue_unlink(&workers->running, &call->link);
}

/* The first waiting call of @client that can have a slot now, with its slot. */
static Call *workers_pick(Workers *workers, Client *client)
{
    if (!client_has_room(client) ||
        (workers->n_running >= workers->max && workers->n_running_priority >= workers->priority))
        return NULL;
    for (GList *link = client->waiting_calls.head; link; link = link->next) {
        Call *call = link->data;

        if (!workers_have_room(workers, call))
            continue;
        g_queue_unlink(&client->waiting_calls, link);
        workers->n_waiting--;
        workers_take_slot(workers, call);
        return call;
    }
    return NULL;
}

/* Only armed while somebody waits: with free slots nobody needs to know who is stuck. A call
 * without a slot is not limited any more but by its client's account. */
static int workers_on_parking_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
    Workers *workers = userdata;
    uint64_t now_us = fiber_now_us(); /* @usec is when this was due */
    GList *next;

    for (GList *link = workers->running.head; link; link = next) {
        Call *call = link->data;
        uint64_t since_us = call->fiber ? fiber_waiting_since_us(call->fiber) : 0;

        /* Giving the slot back takes the call out of this list. */
        next = link->next;
        if (since_us != 0 && since_us + PARKING_AGE_US <= now_us)
            workers_give_slot_back(workers, call);
    }
    workers_run_waiting(workers);
    return 0;
}

static void workers_arm_parking(Workers *workers)
{
    int enabled = SD_EVENT_OFF;

    if (!workers->parking_timer) {
        sd_event_add_time_relative(fiber_loop_get_event(workers->loop), &workers->parking_timer,
                                   CLOCK_MONOTONIC, PARKING_AGE_US, 1000,
                                   workers_on_parking_timer, workers);
        return;
    }
    sd_event_source_get_enabled(workers->parking_timer, &enabled);
    if (enabled != SD_EVENT_OFF)
        return;
    sd_event_source_set_time_relative(workers->parking_timer, PARKING_AGE_US);
    sd_event_source_set_enabled(workers->parking_timer, SD_EVENT_ONESHOT);
}

void workers_run_waiting(Workers *workers)
{
    guint n_without = 0;

    /* A call that ends as soon as it is started leads back to here: the loop goes on. */
    if (workers->is_starting)
        return;
    workers->is_starting = true;
    /* Ends when every client in the ring has been asked once without result. */
    while (workers->n_waiting > 0 && n_without < workers->waiting_clients.length) {
        GList *turn = g_queue_pop_head_link(&workers->waiting_clients);
        Client *client = turn->data;
        Call *call = workers_pick(workers, client);

        if (client->waiting_calls.length > 0)
            g_queue_push_tail_link(&workers->waiting_clients, turn);
        n_without = call ? 0 : n_without + 1;
        if (call)
            call_start(call);
    }
    workers->is_starting = false;
    if (workers->n_waiting > 0 && workers->running.length > 0)
        workers_arm_parking(workers);
}

void workers_submit(Workers *workers, Call *call)
{
    Client *client = call->client;

    /* Calls of one client start in the order of arrival, unless priority says otherwise. */
    if ((client->waiting_calls.length == 0 || call->wire->is_high_priority) &&
        client_has_room(client) && workers_have_room(workers, call)) {
        workers_take_slot(workers, call);
        call_start(call);
        return;
    }
    if (client->waiting_calls.length == 0)
        g_queue_push_tail_link(&workers->waiting_clients, &client->turn);
    g_queue_push_tail_link(&client->waiting_calls, &call->link);
    workers->n_waiting++;
    workers_arm_parking(workers);
}

void workers_release(Workers *workers, Call *call)
{
    workers_give_slot_back(workers, call);
    if (workers->n_waiting > 0)
        workers_run_waiting(workers);
}

void workers_drop_client(Workers *workers, Client *client)
{
    GList *link;

    if (client->waiting_calls.length == 0)
        return;
    g_queue_unlink(&workers->waiting_clients, &client->turn);
    while ((link = g_queue_pop_head_link(&client->waiting_calls))) {
        workers->n_waiting--;
        call_free(link->data);
    }
}

void workers_set(Workers *workers, unsigned min, unsigned max, unsigned priority)
{
    workers->min = min;
    workers->max = max;
    workers->priority = priority;
    workers_run_waiting(workers);
}

unsigned workers_get_current(const Workers *workers)
{
    return MAX(workers->min, workers->n_running);
}
