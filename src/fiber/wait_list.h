/* The order in which fibers wait for one thing. A waiter lives on the stack of its fiber. */
#pragma once

#include "fiber/sync.h"

/* Appends the running fiber and suspends it until it is woken, cancelled or out of
 * time. @what names the wait in the error. */
SUSPENDS bool wait_list_wait(FiberWaitList *list, uint64_t deadline_us, const char *what,
                             GError **error);
/* Until it is woken: neither time nor being cancelled ends it. */
SUSPENDS void wait_list_await(FiberWaitList *list);
/* Wakes the fiber that has waited longest and returns it; NULL when there is none.
 * Who has timed out or was cancelled, but did not run since, does not count. */
Fiber *wait_list_wake_first(FiberWaitList *list);
void wait_list_wake_all(FiberWaitList *list);
