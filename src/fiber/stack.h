/* Stacks for fibers: mapped with a guard below them, kept for reuse up to a limit. Only
 * pages that were touched cost memory, and stack_pool_trim() gives back those of stacks
 * that nobody needed for a while. The pool belongs to one loop. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "fiber/annotate.h"

/* Free stacks kept at most, and what of them stays when the loop is idle. */
#define STACK_POOL_MAX 64
#define STACK_POOL_IDLE 4

/* Usable bytes of each stack. */
#ifdef ANNOTATE_ASAN
#define STACK_SIZE (1024 * 1024)
#else
#define STACK_SIZE (256 * 1024)
#endif

typedef struct StackPool {
    void *free[STACK_POOL_MAX];
    size_t n_free;
    size_t n_free_min; /* least n_free since the last trim */
    size_t high_water; /* most bytes seen in use, see stack_pool_measure() */
} StackPool;

/* A stack is named by its lowest usable address. NULL when there is no memory or the
 * process has too many mappings (vm.max_map_count). */
void *stack_pool_get(StackPool *pool);
void stack_pool_put(StackPool *pool, void *stack);
/* Updates high_water from the pages that the free stacks have; one mincore() each.
 * Stacks that are unmapped or trimmed are measured by themselves. */
void stack_pool_measure(StackPool *pool);
/* Unmaps the stacks that stayed free since the last trim, except STACK_POOL_IDLE, and
 * gives back the deep pages of those. True when another trim could give back more. */
bool stack_pool_trim(StackPool *pool);
void stack_pool_clear(StackPool *pool);
