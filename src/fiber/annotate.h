/* Tells AddressSanitizer and valgrind about stacks and switches. Everything here is
 * nothing in an ordinary build (valgrind's requests are a few no-op instructions, and
 * only where a stack is mapped or unmapped). */
#pragma once

#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#define ANNOTATE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ANNOTATE_ASAN 1
#endif
#endif

#ifdef ANNOTATE_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef HAVE_VALGRIND
#include <valgrind/valgrind.h>
#endif

/* The bounds of a stack and what the sanitizer keeps about it while it is suspended. */
typedef struct AnnotateStack {
    const void *bottom;
    size_t size;
    void *fake_stack;
} AnnotateStack;

/* Right before a switch to @to; @from is NULL when its stack has run to its end. */
static inline void annotate_switch_start(AnnotateStack *from, const AnnotateStack *to)
{
#ifdef ANNOTATE_ASAN
    __sanitizer_start_switch_fiber(from ? &from->fake_stack : NULL, to->bottom, to->size);
#endif
}

/* Right after arriving on @self. @ret_from (may be NULL) learns the bounds of the stack
 * that was left: a loop's own stack is the thread's, known to nobody else. */
static inline void annotate_switch_finish(AnnotateStack *self, AnnotateStack *ret_from)
{
#ifdef ANNOTATE_ASAN
    const void *bottom = NULL;
    size_t size = 0;

    __sanitizer_finish_switch_fiber(self->fake_stack, &bottom, &size);
    if (ret_from) {
        ret_from->bottom = bottom;
        ret_from->size = size;
    }
#endif
}

/* A stack was left without unwinding: forget what its frames had marked. */
static inline void annotate_stack_reset(void *stack, size_t size)
{
#ifdef ANNOTATE_ASAN
    __asan_unpoison_memory_region(stack, size);
#endif
}

/* valgrind's handle lives in the last word of the stack: contexts start below ANNOTATE_RESERVED. */
#ifdef HAVE_VALGRIND
#define ANNOTATE_RESERVED 16
#else
#define ANNOTATE_RESERVED 0
#endif

static inline void annotate_stack_mapped(void *stack, size_t size)
{
    annotate_stack_reset(stack, size);
#ifdef HAVE_VALGRIND
    if (RUNNING_ON_VALGRIND) {
        void *slot = (char *)stack + size - ANNOTATE_RESERVED;
        *(unsigned *)slot = VALGRIND_STACK_REGISTER(stack, (char *)stack + size);
    }
#endif
}

static inline void annotate_stack_unmapped(void *stack, size_t size)
{
    annotate_stack_reset(stack, size);
#ifdef HAVE_VALGRIND
    if (RUNNING_ON_VALGRIND) {
        void *slot = (char *)stack + size - ANNOTATE_RESERVED;
        VALGRIND_STACK_DEREGISTER(*(unsigned *)slot);
    }
#endif
}
