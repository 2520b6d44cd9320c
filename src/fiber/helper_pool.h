/* Processes that do for a daemon what can hang in the kernel: whoever touches a file that may be
 * on a remote or removable file system may wait for ever. Each call is done by a process of its
 * own that is kept for the next one; one that does not answer in time is abandoned, and the
 * daemon goes on. Nothing survives a restart: helpers end with the daemon, whose end of the
 * socket they read from; but not before they have done what they were asked for, be the daemon
 * killed or stopped.
 *
 * A helper has a SOCK_SEQPACKET socket as descriptor 3. Each request and each answer is one
 * packet, which may carry a descriptor. */
#pragma once

#include <glib.h>

#include "base/error.h"
#include "fiber/fiber.h"

/* The helper's end of its socket. */
#define HELPER_POOL_FD 3

typedef struct HelperPool HelperPool;

/* @name is that of the program (base/helper_program.h), @from the domain of errors. An
 * answer has @min_answer to @max_answer bytes. Starts none before there is work. */
HelperPool *helper_pool_new(FiberLoop *loop, const char *name, ErrorFrom from, size_t min_answer,
                            size_t max_answer);
/* No fiber may be in a call. */
void helper_pool_free(HelperPool *pool);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HelperPool, helper_pool_free)

typedef struct HelperCall {
    const void *request;
    size_t length;
    int fd;           /* sent along, stays the caller's; below 0: none */
    const char *path; /* what it is about, for errors */
    uint64_t deadline_us;
    /* Whether the helper may hang although it has given this answer, and is not to be asked again:
     * it still has to close what it sent. NULL: never. */
    bool (*is_spent)(const GByteArray *answer);
} HelperCall;

/* Success when there is an answer, at least one byte. @ret_fd may be NULL; it is -1 when no
 * descriptor came. Errors: OPERATION_TIMEOUT, OPERATION_ABORTED, OPERATION_FAILED when too many
 * helpers hang already or the helper has ended, SYSTEM_ERROR when none can be started. */
SUSPENDS bool helper_pool_call(HelperPool *pool, const HelperCall *call, GByteArray **ret_answer,
                               int *ret_fd, GError **error);

/* For tests and statistics: helpers that wait for work, and those that were abandoned and have
 * not ended. */
void helper_pool_count(const HelperPool *pool, unsigned *ret_idle, unsigned *ret_abandoned);
