/* Changing stacks: the one thing here that C cannot say. A context is what a suspended
 * stack remembers (its callee-saved registers and floating point modes), kept on that
 * stack; the pointer to it is all that there is to hold. Implemented in assembly per
 * architecture, or over swapcontext where there is none (chosen in meson.build). */
#pragma once

#include <stddef.h>

typedef void (*SwitchEntry)(void *data);

/* Makes a context at the upper end of the stack [@stack, @stack + @size) that calls
 * @entry(@data) when it is first switched to. @entry must never return. */
void *switch_prepare(void *stack, size_t size, SwitchEntry entry, void *data);

/* Leaves the running context behind in *@ret_from and goes on in @to. Returns when
 * somebody switches back to what *@ret_from was set to. */
void switch_to(void **ret_from, void *to);
