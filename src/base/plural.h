/* Counts in messages: "%u lock%s". */
#pragma once

#include <stdint.h>

/* What makes a noun that is counted a plural. */
static inline const char *plural_s(uint64_t n)
{
    return n == 1 ? "" : "s";
}
