/* Bytes that nobody else may see: values of secrets, keys. They lie in pages of their own that
 * are locked (never swapped), left out of core dumps, empty in a forked child, and wiped before
 * they are given back. The kernel limits locked memory (RLIMIT_MEMLOCK), and the smallest piece
 * is a page: these are for few things, or for a short time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

typedef struct SecretBytes {
    uint8_t *data;
    size_t length; /* may be made smaller */
    size_t mapped; /* private */
} SecretBytes;

/* @length zero bytes. Errors: SYSTEM_ERROR when memory cannot be locked, naming the limit. */
SecretBytes *secret_bytes_new(size_t length, GError **error);
SecretBytes *secret_bytes_copy(const void *data, size_t length, GError **error);
/* Wipes; NULL is nothing. */
void secret_bytes_free(SecretBytes *bytes);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SecretBytes, secret_bytes_free)

/* Reads a regular file of at most @limit bytes, with no copy of it anywhere else; *@ret_bytes is
 * NULL when there is no such file. Blocks. Errors: as file_read_all(). */
bool secret_bytes_read_file(const char *path, size_t limit, SecretBytes **ret_bytes,
                            GError **error);
