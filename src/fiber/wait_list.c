/* A waiter that timed out or was cancelled stays in the list until its fiber runs and
 * takes it out: between the two it is skipped, or what it was woken for would be lost. */
#include "fiber/wait_list.h"

#include "fiber/internal.h"

struct FiberWaiter {
    struct FiberWaiter *previous, *next;
    Fiber *fiber;
    bool is_linked;
};

static void wait_list_append(FiberWaitList *list, struct FiberWaiter *waiter)
{
    waiter->previous = list->last;
    if (list->last)
        list->last->next = waiter;
    else
        list->first = waiter;
    list->last = waiter;
    waiter->is_linked = true;
}

/* Whoever wakes a waiter takes it out; the waiter itself comes too late then. */
static void wait_list_remove(FiberWaitList *list, struct FiberWaiter *waiter)
{
    if (!waiter->is_linked)
        return;
    if (waiter->previous)
        waiter->previous->next = waiter->next;
    else
        list->first = waiter->next;
    if (waiter->next)
        waiter->next->previous = waiter->previous;
    else
        list->last = waiter->previous;
    waiter->is_linked = false;
}

bool wait_list_wait(FiberWaitList *list, uint64_t deadline_us, const char *what, GError **error)
{
    struct FiberWaiter waiter = { .fiber = fiber_current() };

    if (!fiber_may_wait(what, error))
        return false;
    /* The waiter is on this stack: it must be out of the list on every way back. */
    wait_list_append(list, &waiter);
    if (fiber_wait(deadline_us, what, error))
        return true;
    wait_list_remove(list, &waiter);
    return false;
}

void wait_list_await(FiberWaitList *list)
{
    struct FiberWaiter waiter = { .fiber = fiber_current() };

    wait_list_append(list, &waiter);
    fiber_wait_shielded(FIBER_FOREVER);
}

Fiber *wait_list_wake_first(FiberWaitList *list)
{
    while (list->first) {
        struct FiberWaiter *waiter = list->first;
        wait_list_remove(list, waiter);
        if (fiber_wake(waiter->fiber, FIBER_WAKE_DONE))
            return waiter->fiber;
    }
    return NULL;
}

void wait_list_wake_all(FiberWaitList *list)
{
    while (wait_list_wake_first(list))
        ;
}
