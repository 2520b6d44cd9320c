/* The smallest client of the daemons' protocol: one message buffer, blocking calls. The
 * benchmark shares no code with the daemons, so that it measures any of them alike. Whatever
 * goes wrong ends the program with a sentence on stderr. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
    RPC_HEADER_SIZE = 28,
    RPC_MESSAGE_MAX = 16384,
};

/* Procedures of the remote program that the benchmark calls or receives. */
enum {
    RPC_CONNECT_OPEN = 1,
    RPC_CONNECT_CLOSE = 2,
    RPC_NETWORK_DEFINE_XML = 41,
    RPC_NETWORK_UNDEFINE = 49,
    RPC_AUTH_LIST = 66,
    RPC_SECRET_DEFINE_XML = 142,
    RPC_SECRET_UNDEFINE = 146,
    RPC_CONNECT_GET_LIB_VERSION = 157,
    RPC_NETWORK_EVENT_REGISTER_ANY = 313,
    RPC_NETWORK_EVENT_LIFECYCLE = 315,
    RPC_SECRET_EVENT_REGISTER_ANY = 380,
    RPC_SECRET_EVENT_LIFECYCLE = 382,
};

/* One frame, from its length word on. */
typedef struct Message {
    size_t size;
    uint8_t bytes[RPC_MESSAGE_MAX];
} Message;

void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* Starts a call of @procedure; the puts append to its payload. */
void message_begin(Message *message, uint32_t procedure);
void message_put_word(Message *message, uint32_t value);
void message_put_bytes(Message *message, const void *bytes, size_t size);
void message_put_string(Message *message, const char *text);

/* Word @index of the frame: 0 length, 3 procedure, 4 type, 6 status, 7 first of the payload. */
uint32_t message_get_word(const Message *message, size_t index);

/* Connects to a unix socket: a path, or an abstract name behind '@'. Returns the descriptor,
 * or -1 with errno set. */
int rpc_try_connect(const char *path);
int rpc_connect(const char *path);

/* Connects, asks for the authentication types and opens @uri. */
int rpc_open(const char *path, const char *uri);

void rpc_send(int fd, Message *message);
/* Receives exactly one frame. */
void rpc_receive(int fd, Message *message);
/* Sends @message and replaces it by its reply, which must be a success. */
void rpc_call(int fd, Message *message);
/* A call without arguments. */
void rpc_call_plain(int fd, uint32_t procedure, Message *message);
