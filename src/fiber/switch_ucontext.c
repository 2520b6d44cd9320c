/* Contexts over swapcontext, for architectures without an assembly file. Every switch
 * costs a system call here, for the signal mask. */
#include "fiber/switch.h"

#include <stdint.h>
#include <stdlib.h>
#include <ucontext.h>

typedef struct SwitchStart {
    ucontext_t context;
    SwitchEntry entry;
    void *data;
} SwitchStart;

/* makecontext passes ints only: a pointer travels as two halves. */
static void switch_start(unsigned high, unsigned low)
{
    SwitchStart *start = (SwitchStart *)(uintptr_t)((uint64_t)high << 32 | low);

    start->entry(start->data);
    abort();
}

void *switch_prepare(void *stack, size_t size, SwitchEntry entry, void *data)
{
    uintptr_t top = ((uintptr_t)stack + size - sizeof(SwitchStart)) & ~(uintptr_t)63;
    SwitchStart *start = (SwitchStart *)top;

    start->entry = entry;
    start->data = data;
    getcontext(&start->context);
    start->context.uc_stack.ss_sp = stack;
    start->context.uc_stack.ss_size = top - (uintptr_t)stack;
    start->context.uc_link = NULL;
    makecontext(&start->context, (void (*)(void))switch_start, 2, (unsigned)((uint64_t)top >> 32),
                (unsigned)top);
    return &start->context;
}

void switch_to(void **ret_from, void *to)
{
    ucontext_t from;

    /* Valid as long as this frame: until somebody switches back. */
    *ret_from = &from;
    swapcontext(&from, to);
}
