/* A binary heap in an array; positions count from 1, so that the children of n are at
 * 2n and 2n + 1. */
#include "fiber/deadline.h"

static void deadline_heap_set(DeadlineHeap *heap, size_t position, Deadline *deadline)
{
    heap->items[position - 1] = deadline;
    deadline->position = position;
}

static Deadline *deadline_heap_get(const DeadlineHeap *heap, size_t position)
{
    return heap->items[position - 1];
}

/* Finds the place of @deadline between @position, which is vacant, and the top. */
static void deadline_heap_move_up(DeadlineHeap *heap, Deadline *deadline, size_t position)
{
    for (; position > 1; position /= 2) {
        Deadline *parent = deadline_heap_get(heap, position / 2);
        if (parent->at_us <= deadline->at_us)
            break;
        deadline_heap_set(heap, position, parent);
    }
    deadline_heap_set(heap, position, deadline);
}

/* The same, downwards. */
static void deadline_heap_move_down(DeadlineHeap *heap, Deadline *deadline, size_t position)
{
    while (position * 2 <= heap->n_items) {
        size_t child = position * 2;
        if (child < heap->n_items &&
            deadline_heap_get(heap, child + 1)->at_us < deadline_heap_get(heap, child)->at_us)
            child++;
        if (deadline->at_us <= deadline_heap_get(heap, child)->at_us)
            break;
        deadline_heap_set(heap, position, deadline_heap_get(heap, child));
        position = child;
    }
    deadline_heap_set(heap, position, deadline);
}

static void deadline_heap_resize(DeadlineHeap *heap, size_t n_allocated)
{
    heap->items = g_renew(Deadline *, heap->items, n_allocated);
    heap->n_allocated = n_allocated;
}

void deadline_heap_insert(DeadlineHeap *heap, Deadline *deadline)
{
    if (heap->n_items == heap->n_allocated)
        deadline_heap_resize(heap, MAX(64, heap->n_allocated * 2));
    heap->n_items++;
    deadline_heap_move_up(heap, deadline, heap->n_items);
}

void deadline_heap_remove(DeadlineHeap *heap, Deadline *deadline)
{
    size_t position = deadline->position;
    if (position == 0)
        return;

    Deadline *last = deadline_heap_get(heap, heap->n_items);
    heap->n_items--;
    deadline->position = 0;
    if (last != deadline) {
        if (last->at_us < deadline->at_us)
            deadline_heap_move_up(heap, last, position);
        else
            deadline_heap_move_down(heap, last, position);
    }
    /* Memory goes back after a burst; not at a half, or the border would be expensive. */
    if (heap->n_allocated > 64 && heap->n_items < heap->n_allocated / 4)
        deadline_heap_resize(heap, heap->n_allocated / 2);
}

Deadline *deadline_heap_first(const DeadlineHeap *heap)
{
    return heap->n_items > 0 ? heap->items[0] : NULL;
}

void deadline_heap_clear(DeadlineHeap *heap)
{
    g_clear_pointer(&heap->items, g_free);
    heap->n_items = heap->n_allocated = 0;
}
