/* A holder and its packets: each begins with its length. Every second put comes with a
 * descriptor. Whatever comes, answers fit, and names are as they must be. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/holder/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void serve(HolderStore *store, const uint8_t *packet, size_t length)
{
    char answer[HOLDER_PACKET_MAX];
    int fd = length % 2 ? dup(0) : -1, answer_fd;
    size_t n = holder_store_serve(store, (const char *)packet, length, fd, answer, &answer_fd);

    if (n > sizeof(answer) || (n > 0 && !strchr("OEF", answer[0])) ||
        (answer_fd >= 0) != (n > 0 && answer[0] == HOLDER_FOUND))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    HolderStore store = { 0 };

    while (size > 0) {
        size_t length = data[0] < size ? data[0] : size - 1;

        serve(&store, data + 1, length);
        data += 1 + length;
        size -= 1 + length;
    }
    while (store.n_items > 0) {
        char name[HOLDER_NAME_MAX + 1];

        memcpy(name, store.items[0].name, sizeof(name));
        if (!holder_name_is_valid(name, strlen(name)))
            abort();
        holder_store_drop(&store, name);
    }
    free(store.items);
    return 0;
}
