/* What a secret can be for: the types of usage, by virSecretUsageType. Constant data. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef struct SecretUsage {
    const char *name;    /* of the attribute "type" */
    const char *element; /* the child that names the thing; NULL: there is none */
    const char *missing; /* what to say without it */
} SecretUsage;

extern const SecretUsage secret_usages[];
extern const size_t n_secret_usages;

bool secret_usage_from_name(const char *name, int *ret_type);
