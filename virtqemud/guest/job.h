/* The jobs of a domain: calls that change its guest run one after the other, in order of
 * arrival; calls that only look take no job. Who has the job is known, for errors and for the
 * calls that show it. Zero is the initial state; nothing survives a restart. */
#pragma once

#include "fiber/sync.h"

/* What a call that waits for the job gives up after. */
#define JOB_WAIT_MS 30000

typedef struct JobQueue {
    FiberMutex mutex;
    const char *api;   /* the public name of the call that has the job; NULL: nobody has */
    uint64_t since_us; /* monotonic */
    int operation;     /* virDomainJobOperation */
    unsigned n_waiting;
} JobQueue;

/* @api is static. Errors: OPERATION_TIMEOUT naming the holder, OPERATION_ABORTED. */
SUSPENDS bool job_begin(JobQueue *queue, const char *api, int operation, GError **error);
void job_end(JobQueue *queue);
