/* Where the kernel shows the host: the folders that everything in host/ reads and writes
 * below. Tests put a recorded tree there. All reads are bounded; nothing is cached, since
 * what the kernel shows may change between two calls. Files below /proc and /sys do not
 * hang, but a large table takes milliseconds, and some writes (huge pages, suspend) much
 * longer: those functions say that they are for offload threads. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "base/bitmap.h"

typedef struct HostRoots {
    const char *proc; /* "/proc" */
    const char *sys;  /* "/sys" */
    const char *dev;  /* "/dev" */
} HostRoots;

/* The real ones. */
extern const HostRoots host_roots_default;

/* Numbers of processors and cells stay below. More than any kernel can be built for. */
#define HOST_MAX_IDS 65536u

/* Large enough for every text file that is read whole. */
#define HOST_FILE_LIMIT (4u * 1024 * 1024)

/* Reads the first @limit bytes of the file @root/@format. Sets @ret_data, with a NUL behind
 * the last byte, and @ret_size (which may be NULL). Errors: SYSTEM_ERROR, naming the file. */
bool host_file_read(const char *root, gsize limit, char **ret_data, gsize *ret_size,
                    GError **error, const char *format, ...) G_GNUC_PRINTF(6, 7);

/* Reads a file that holds one decimal number. Errors: SYSTEM_ERROR; INTERNAL_ERROR when it
 * holds something else, a negative number included. */
bool host_file_read_number(const char *root, guint64 *ret_number, GError **error,
                           const char *format, ...) G_GNUC_PRINTF(4, 5);

/* Writes @text in one go to an existing file. Errors: SYSTEM_ERROR, naming the file;
 * errno is what it was then. */
bool host_file_write(const char *root, const char *text, GError **error, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

/* Reads a list of numbers, "0-3,8" (kernel: Documentation/admin-guide/cputopology.rst).
 * Errors: SYSTEM_ERROR; INVALID_ARG when it is none. */
bool host_file_read_set(const char *root, Bitmap **ret_set, GError **error, const char *format,
                        ...) G_GNUC_PRINTF(4, 5);

bool host_file_exists(const char *root, const char *format, ...) G_GNUC_PRINTF(2, 3);
