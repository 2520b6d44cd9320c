/* Questions to daemons that run, over their sockets. Each opens a connection of its own and is
 * over at its deadline: a daemon that hangs delays nobody but the question. */
#pragma once

#include "common/channel.h"

typedef struct AskClients {
    unsigned connected, limit; /* of all its servers but "admin" */
    char *level;               /* of the protocol: "11.3.0"; to be freed */
} AskClients;

/* By the admin socket at @path. Errors: SYSTEM_ERROR when it cannot be reached (errno is set as
 * net_connect_unix() does), OPERATION_TIMEOUT, and what the daemon answers. */
SUSPENDS bool ask_clients(ChannelPool *pool, const char *path, uint64_t deadline_us,
                          AskClients *ret_clients, GError **error);

typedef struct AskOpen {
    const char *path; /* of the socket */
    const char *uri;  /* what to open; NULL: the admin interface */
    bool is_read_only;
    uint64_t deadline_us;
} AskOpen;

/* What it takes to get in: REMOTE_AUTH_*, none for somebody who is let in at once. */
typedef struct AskOpened {
    bool wants_polkit, wants_sasl;
    int reason; /* errno when there was no connection, else 0 */
} AskOpened;

/* Opens as a client does, without proving who we are: when a proof is wanted, that is the answer.
 * @ret_opened is set in either case. Errors as above. */
SUSPENDS bool ask_open(ChannelPool *pool, const AskOpen *open, AskOpened *ret_opened,
                       GError **error);

/* How many guests the QEMU daemon has. Errors as above, and AUTH_FAILED when it asks us who we
 * are. */
SUSPENDS bool ask_guests(ChannelPool *pool, const AskOpen *open, unsigned *ret_running,
                         unsigned *ret_shut_off, GError **error);
