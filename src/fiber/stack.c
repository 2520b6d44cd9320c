/* The pool is a stack of stacks: the one used last, whose pages are warm, is used next,
 * and those at the bottom are the ones that a quieter time does not need. */
#include "fiber/stack.h"

#include <glib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fiber/annotate.h"

/* More than a page, so that a frame with a large buffer does not step over it. */
#define STACK_GUARD_SIZE (64 * 1024)
/* What of an idle stack stays resident: enough for a shallow fiber. */
#define STACK_WARM_SIZE (16 * 1024)

static void *stack_map(void)
{
    char *mapping = mmap(NULL, STACK_GUARD_SIZE + STACK_SIZE, PROT_NONE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
    if (mapping == MAP_FAILED)
        return NULL;
    if (mprotect(mapping + STACK_GUARD_SIZE, STACK_SIZE, PROT_READ | PROT_WRITE) < 0) {
        munmap(mapping, STACK_GUARD_SIZE + STACK_SIZE);
        return NULL;
    }
    annotate_stack_mapped(mapping + STACK_GUARD_SIZE, STACK_SIZE);
    return mapping + STACK_GUARD_SIZE;
}

/* From the deepest page that is resident: pages are touched downwards from the top. */
static size_t stack_used(void *stack)
{
    unsigned char pages[STACK_SIZE / 4096];
    size_t page_size = (size_t)sysconf(_SC_PAGESIZE);

    if (mincore(stack, STACK_SIZE, pages) < 0)
        return 0;
    for (size_t offset = 0; offset < STACK_SIZE; offset += page_size) {
        if (pages[offset / page_size] & 1)
            return STACK_SIZE - offset;
    }
    return 0;
}

static void stack_pool_measure_one(StackPool *pool, void *stack)
{
    pool->high_water = MAX(pool->high_water, stack_used(stack));
}

static void stack_pool_unmap(StackPool *pool, void *stack)
{
    stack_pool_measure_one(pool, stack);
    annotate_stack_unmapped(stack, STACK_SIZE);
    munmap((char *)stack - STACK_GUARD_SIZE, STACK_GUARD_SIZE + STACK_SIZE);
}

void *stack_pool_get(StackPool *pool)
{
    if (pool->n_free == 0)
        return stack_map();
    pool->n_free--;
    pool->n_free_min = MIN(pool->n_free_min, pool->n_free);
    return pool->free[pool->n_free];
}

void stack_pool_put(StackPool *pool, void *stack)
{
    if (pool->n_free == STACK_POOL_MAX) {
        stack_pool_unmap(pool, stack);
        return;
    }
    /* The next fiber finds no trace of the frames that were left without returning. */
    annotate_stack_reset(stack, STACK_SIZE);
    pool->free[pool->n_free++] = stack;
}

void stack_pool_measure(StackPool *pool)
{
    for (size_t i = 0; i < pool->n_free; i++)
        stack_pool_measure_one(pool, pool->free[i]);
}

bool stack_pool_trim(StackPool *pool)
{
    size_t n_spare = pool->n_free > STACK_POOL_IDLE ? pool->n_free - STACK_POOL_IDLE : 0;
    size_t n_unmap = MIN(n_spare, pool->n_free_min);

    /* The pool is used from its end: those at its beginning were idle longest. */
    for (size_t i = 0; i < n_unmap; i++)
        stack_pool_unmap(pool, pool->free[i]);
    pool->n_free -= n_unmap;
    for (size_t i = 0; i < pool->n_free; i++)
        pool->free[i] = pool->free[i + n_unmap];
    pool->n_free_min = pool->n_free;

    /* Not idle yet: what is left will be looked at again. */
    if (pool->n_free > STACK_POOL_IDLE)
        return true;
    stack_pool_measure(pool);
    for (size_t i = 0; i < pool->n_free; i++)
        madvise(pool->free[i], STACK_SIZE - STACK_WARM_SIZE, MADV_DONTNEED);
    return false;
}

void stack_pool_clear(StackPool *pool)
{
    while (pool->n_free > 0)
        stack_pool_unmap(pool, pool->free[--pool->n_free]);
    pool->n_free_min = 0;
}
