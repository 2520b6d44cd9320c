/* A heap of points in time, earliest first. Entries live inside their owners (a fiber
 * has one) and know their place, so that leaving early is cheap. */
#pragma once

#include <glib.h>
#include <stdint.h>

typedef struct Deadline {
    uint64_t at_us;
    size_t position; /* in the heap, counted from 1; 0: not in it */
} Deadline;

typedef struct DeadlineHeap {
    Deadline **items;
    size_t n_items, n_allocated;
} DeadlineHeap;

void deadline_heap_insert(DeadlineHeap *heap, Deadline *deadline);
/* Nothing happens when @deadline is not in the heap. */
void deadline_heap_remove(DeadlineHeap *heap, Deadline *deadline);
/* The earliest, NULL when there is none. */
Deadline *deadline_heap_first(const DeadlineHeap *heap);
void deadline_heap_clear(DeadlineHeap *heap);
