#include "bench/rpc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const uint32_t rpc_program = 0x20008086;

void die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("rpcbench: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

void message_put_bytes(Message *message, const void *bytes, size_t size)
{
    size_t padded = (size + 3) & ~(size_t)3;
    if (padded > sizeof message->bytes - message->size)
        die("a message over %d bytes", RPC_MESSAGE_MAX);
    memset(message->bytes + message->size, 0, padded);
    memcpy(message->bytes + message->size, bytes, size);
    message->size += padded;
}

void message_put_word(Message *message, uint32_t value)
{
    uint32_t wire = htonl(value);
    message_put_bytes(message, &wire, sizeof wire);
}

void message_put_string(Message *message, const char *text)
{
    message_put_word(message, (uint32_t)strlen(text));
    message_put_bytes(message, text, strlen(text));
}

void message_begin(Message *message, uint32_t procedure)
{
    message->size = 0;
    message_put_word(message, 0); /* length, known when it is sent */
    message_put_word(message, rpc_program);
    message_put_word(message, 1); /* version */
    message_put_word(message, procedure);
    message_put_word(message, 0); /* a call */
    message_put_word(message, 1); /* serial: there is one call at a time */
    message_put_word(message, 0); /* status */
}

uint32_t message_get_word(const Message *message, size_t index)
{
    uint32_t wire;
    if ((index + 1) * sizeof wire > message->size)
        die("a frame of %zu bytes has no word %zu", message->size, index);
    memcpy(&wire, message->bytes + index * sizeof wire, sizeof wire);
    return ntohl(wire);
}

int rpc_try_connect(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    size_t length = strlen(path);
    if (length >= sizeof address.sun_path)
        die("socket path over %zu bytes: %s", sizeof address.sun_path - 1, path);
    memcpy(address.sun_path, path, length);
    if (path[0] == '@')
        address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    if (connect(fd, (struct sockaddr *)&address, size) == 0)
        return fd;
    int errnum = errno;
    close(fd);
    errno = errnum;
    return -1;
}

int rpc_connect(const char *path)
{
    int fd = rpc_try_connect(path);
    if (fd < 0)
        die("connect to %s: %s", path, strerror(errno));
    return fd;
}

int rpc_open(const char *path, const char *uri)
{
    Message message;
    int fd = rpc_connect(path);
    rpc_call_plain(fd, RPC_AUTH_LIST, &message);
    message_begin(&message, RPC_CONNECT_OPEN);
    message_put_word(&message, 1); /* there is a name */
    message_put_string(&message, uri);
    message_put_word(&message, 0); /* flags */
    rpc_call(fd, &message);
    return fd;
}

void rpc_send(int fd, Message *message)
{
    uint32_t wire = htonl((uint32_t)message->size);
    memcpy(message->bytes, &wire, sizeof wire);
    ssize_t done = send(fd, message->bytes, message->size, MSG_NOSIGNAL);
    if (done != (ssize_t)message->size)
        die("send: %s", done < 0 ? strerror(errno) : "the socket's buffer is full");
}

void rpc_receive(int fd, Message *message)
{
    size_t length = 0;
    message->size = 0;
    do {
        ssize_t got = read(fd, message->bytes + message->size, RPC_MESSAGE_MAX - message->size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            die("receive: %s", got < 0 ? strerror(errno) : "the daemon closed the connection");
        message->size += (size_t)got;
        if (!length && message->size >= RPC_HEADER_SIZE)
            length = message_get_word(message, 0);
        if (length > RPC_MESSAGE_MAX)
            die("a reply of %zu bytes", length);
    } while (!length || message->size < length);
    if (message->size > length)
        die("more than one frame arrived");
}

void rpc_call(int fd, Message *message)
{
    uint32_t procedure = message_get_word(message, 3);
    rpc_send(fd, message);
    rpc_receive(fd, message);
    if (message_get_word(message, 6) == 0)
        return;
    /* An error: code, domain, then the text behind a word that says that there is one. */
    bool has_text = message_get_word(message, 9) == 1;
    int length = has_text ? (int)message_get_word(message, 10) : 0;
    die("procedure %u: error %u: %.*s", procedure, message_get_word(message, 7), length,
        (const char *)message->bytes + 11 * sizeof(uint32_t));
}

void rpc_call_plain(int fd, uint32_t procedure, Message *message)
{
    message_begin(message, procedure);
    rpc_call(fd, message);
}
