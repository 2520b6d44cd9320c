/* The filter of calls that list objects (manual: virConnectListAllDomains and its kin): its
 * flags come in groups of which an object has one or some ("active or inactive",
 * "persistent or transient"). No flag of a group lets all pass; else an object must have
 * one of those asked for, in every group. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* @traits: the flags that are true of an object. @groups: all flags of each group, ends with 0. */
static inline bool list_filter_matches(unsigned flags, const unsigned *groups, unsigned traits)
{
    for (; *groups; groups++) {
        if (flags & *groups && !(flags & *groups & traits))
            return false;
    }
    return true;
}
