/* The descriptors that a holder has, by name. They live as long as the holder's process. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/holder/protocol.h"

typedef struct HeldFd {
    char name[HOLDER_NAME_MAX + 1];
    int fd;
} HeldFd;

typedef struct HolderStore {
    HeldFd *items; /* in the order in which they came */
    size_t n_items, n_allocated;
} HolderStore;

/* Whether a name of @length bytes can be one, see protocol.h. */
bool holder_name_is_valid(const char *name, size_t length);
/* Takes @fd, on success. @name is valid. 0 or -ENOMEM. */
int holder_store_put(HolderStore *store, const char *name, int fd);
void holder_store_drop(HolderStore *store, const char *name);

/* Does what the packet of @length bytes asks for. @fd came with it (-1: none did) and is taken
 * over. Writes the answer to @answer, HOLDER_PACKET_MAX bytes, and returns its length; 0 for a
 * packet that is none. *@ret_fd goes along with the answer unless it is -1. */
size_t holder_store_serve(HolderStore *store, const char *packet, size_t length, int fd,
                          char *answer, int *ret_fd);
