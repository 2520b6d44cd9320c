#include "common/holder/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_ITEMS 16
#define MAX_INDEX_DIGITS 9

bool holder_name_is_valid(const char *name, size_t length)
{
    if (length == 0 || length > HOLDER_NAME_MAX)
        return false;
    for (size_t i = 0; i < length; i++) {
        char c = name[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
            c != '.' && c != '_' && c != '-')
            return false;
    }
    return true;
}

static HeldFd *store_find(HolderStore *store, const char *name)
{
    for (size_t i = 0; i < store->n_items; i++) {
        if (strcmp(store->items[i].name, name) == 0)
            return &store->items[i];
    }
    return NULL;
}

int holder_store_put(HolderStore *store, const char *name, int fd)
{
    HeldFd *item = store_find(store, name);

    if (item) {
        close(item->fd);
        item->fd = fd;
        return 0;
    }
    if (store->n_items == store->n_allocated) {
        size_t n = store->n_allocated ? store->n_allocated * 2 : FIRST_ITEMS;
        HeldFd *items = realloc(store->items, n * sizeof(*items));

        if (!items)
            return -ENOMEM;
        store->items = items;
        store->n_allocated = n;
    }
    item = &store->items[store->n_items++];
    snprintf(item->name, sizeof(item->name), "%s", name);
    item->fd = fd;
    return 0;
}

void holder_store_drop(HolderStore *store, const char *name)
{
    HeldFd *item = store_find(store, name);
    size_t behind;

    if (!item)
        return;
    close(item->fd);
    /* Order is kept, so that somebody who goes through all by index meets each. */
    behind = (size_t)(store->items + store->n_items - (item + 1));
    memmove(item, item + 1, behind * sizeof(*item));
    store->n_items--;
}

static size_t answer_error(char *answer, const char *text)
{
    return (size_t)snprintf(answer, HOLDER_PACKET_MAX, "%c%s", HOLDER_FAILED, text);
}

static size_t answer_ok(char *answer)
{
    answer[0] = HOLDER_OK;
    return 1;
}

static size_t serve_put(HolderStore *store, const char *name, int fd, char *answer)
{
    int result;

    if (fd < 0)
        return answer_error(answer, "no descriptor came along");
    result = holder_store_put(store, name, fd);
    if (result == 0)
        return answer_ok(answer);
    close(fd);
    return answer_error(answer, strerror(-result));
}

static size_t serve_get(const HolderStore *store, const char *text, char *answer, int *ret_fd)
{
    size_t index = strtoul(text, NULL, 10);

    if (index >= store->n_items)
        return answer_ok(answer);
    *ret_fd = store->items[index].fd;
    return (size_t)snprintf(answer, HOLDER_PACKET_MAX, "%c%s", HOLDER_FOUND,
                            store->items[index].name);
}

static bool is_index(const char *text, size_t length)
{
    return length > 0 && length <= MAX_INDEX_DIGITS && strspn(text, "0123456789") == length;
}

size_t holder_store_serve(HolderStore *store, const char *packet, size_t length, int fd,
                          char *answer, int *ret_fd)
{
    char text[HOLDER_NAME_MAX + 1] = "";
    bool is_name = length > 0 && holder_name_is_valid(packet + 1, length - 1);

    *ret_fd = -1;
    if (is_name)
        memcpy(text, packet + 1, length - 1);
    if (is_name && packet[0] == HOLDER_PUT)
        return serve_put(store, text, fd, answer);
    if (fd >= 0)
        close(fd);
    if (is_name && packet[0] == HOLDER_GET && is_index(text, length - 1))
        return serve_get(store, text, answer, ret_fd);
    if (is_name && packet[0] == HOLDER_DROP) {
        holder_store_drop(store, text);
        return answer_ok(answer);
    }
    return 0;
}
