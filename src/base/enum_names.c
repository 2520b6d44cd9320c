/* Tables are short: searching from the front is as fast as anything. */
#include "base/enum_names.h"

#include <string.h>

const char *enum_to_name(const char *const *names, size_t n_names, int value)
{
    return value >= 0 && (size_t) value < n_names ? names[value] : NULL;
}

bool enum_from_name(const char *const *names, size_t n_names, const char *name, int *ret_value)
{
    for (size_t i = 0; i < n_names; i++) {
        if (names[i] != NULL && strcmp(names[i], name) == 0) {
            *ret_value = (int) i;
            return true;
        }
    }
    return false;
}
