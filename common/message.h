/* One message of the protocol as it came in: a view into the receive buffer, valid only
 * during the handler that gets it. Whoever wants to keep something copies it. */
#pragma once

#include "wire/frame.h"

/* Descriptors that came with a message. Those left at the end of the handler are closed. */
typedef struct MessageFds {
    int fds[32]; /* VIR_NET_MESSAGE_NUM_FDS_MAX */
    size_t n_fds;
} MessageFds;

typedef struct Message {
    FrameHeader header;
    const uint8_t *bytes; /* the whole frame, length word included */
    size_t length;
    const uint8_t *payload; /* behind the header, and behind the count of descriptors */
    size_t payload_length;
    MessageFds *fds;
} Message;

/* Closes those that nobody took, and leaves none. */
void message_fds_close(MessageFds *fds);
/* Takes the descriptor at @index (it is then the caller's), -1 when there is none. */
int message_take_fd(const Message *message, size_t index);
