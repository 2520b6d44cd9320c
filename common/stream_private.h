/* Streams as the rest of the kit sees them. */
#pragma once

#include "common/client_private.h"
#include "common/stream.h"

/* Starts the function of a stream whose call has been answered; takes @stream. */
void stream_start(Stream *stream);
/* Frees a stream whose call failed. NULL is allowed. */
void stream_free_unstarted(Stream *stream);
/* A frame of type STREAM or STREAM_HOLE. False when no stream of the client has this
 * program, procedure and serial. */
bool streams_dispatch(Client *client, const Message *message);
void streams_client_closed(Client *client);
void streams_on_drained(Client *client);
