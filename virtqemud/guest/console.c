/* Two fibers for each: the stream's own takes from the client, another one from the guest. */
#include "virtqemud/guest/console.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <termios.h>
#include <unistd.h>

#include "common/stream.h"
#include "virtqemud/guest/sockets.h"

#define CHUNK_BYTES 16384
/* How often somebody who waits for a guest that takes nothing looks whether the client is there. */
#define LOOK_MS 200

typedef struct Console {
    Guest *guest; /* a reference */
    char *alias;
    int fd;
    Stream *stream; /* while its function runs */
    FiberCompletion has_read; /* the reader has ended */
} Console;

GHashTable *console_table_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

static void console_free(void *data)
{
    Console *console = data;

    if (g_hash_table_lookup(console->guest->consoles, console->alias) == console)
        g_hash_table_remove(console->guest->consoles, console->alias);
    close(console->fd);
    guest_unref(console->guest);
    g_free(console->alias);
    g_free(console);
}

/* From the guest to the client, until the guest has closed its end: then the client is told that
 * this was all, and ends the stream. */
SUSPENDS static void console_read(Console *console)
{
    char buffer[CHUNK_BYTES];

    for (;;) {
        ssize_t n = read(console->fd, buffer, sizeof(buffer));

        if (n > 0) {
            if (!stream_send(console->stream, buffer, (size_t)n, NULL))
                return;
            continue;
        }
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            /* Forever: a guest may be silent for days. Cancelled when the client goes. */
            if (!fiber_wait_fd(console->fd, EPOLLIN, FIBER_FOREVER, NULL, NULL))
                return;
            continue;
        }
        /* EIO is how a pseudo-terminal says it. */
        stream_send_end(console->stream);
        return;
    }
}

static void console_run_reader(void *data)
{
    Console *console = data;

    console_read(console);
    fiber_completion_signal(&console->has_read);
}

/* All of @data, however long the guest takes; false when there is no one to send it for. */
static bool console_write(Console *console, GBytes *data)
{
    gsize length;
    const char *bytes = g_bytes_get_data(data, &length);

    while (length > 0) {
        ssize_t n = write(console->fd, bytes, length);

        if (n > 0) {
            bytes += n;
            length -= (gsize)n;
            continue;
        }
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        fiber_wait_fd(console->fd, EPOLLOUT, fiber_deadline_ms(LOOK_MS), NULL, NULL);
        if (stream_is_over(console->stream) || fiber_is_cancelled(fiber_current()))
            return false;
    }
    return true;
}

static void console_run(Stream *stream, void *data)
{
    Console *console = data;
    g_autoptr(Fiber) reader = NULL;
    bool has_end = false;

    console->stream = stream;
    if (!fiber_spawn(fiber_get_loop(fiber_current()), "console", console_run_reader, console,
                     &reader, NULL))
        return;
    while (!has_end) {
        g_auto(StreamItem) item = { 0 };

        if (!stream_receive(stream, &item, NULL))
            break;
        has_end = item.kind == STREAM_ITEM_END;
        /* A guest that has gone takes nothing; its end has been told. */
        if (item.kind == STREAM_ITEM_DATA)
            console_write(console, item.data);
    }
    fiber_cancel(reader);
    /* Stream and console go when this returns, also in a daemon that ends. */
    fiber_completion_await(&console->has_read);
    if (has_end)
        stream_confirm_end(stream);
}

/* A terminal of the guest is its own: nothing is changed on the way, and it is nobody's
 * controlling terminal. */
static int open_pty(const char *path, GError **error)
{
    int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    struct termios mode;

    if (fd < 0) {
        error_set_errno(error, VIR_FROM_QEMU, errno, "Cannot open the console %s", path);
        return -1;
    }
    if (tcgetattr(fd, &mode) == 0) {
        cfmakeraw(&mode);
        tcsetattr(fd, TCSANOW, &mode);
    }
    return fd;
}

static int open_source(const ChardevDef *chardev, GError **error)
{
    const ChardevSource *source = &chardev->source;

    if (!source->path) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID,
                  "character device %s has no path yet", chardev->info.alias);
        return -1;
    }
    if (source->type == CHARDEV_PTY)
        return open_pty(source->path, error);
    if (source->type == CHARDEV_UNIX && source->is_listening)
        return guest_socket_connect_path(source->path, error);
    error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
              "character device %s is not using a PTY", chardev->info.alias);
    return -1;
}

/* The session of somebody else ends; its fibers take themselves away. */
static bool oust(Guest *guest, const ChardevDef *chardev, bool force, GError **error)
{
    const char *alias = chardev->info.alias;
    Console *other = g_hash_table_lookup(guest->consoles, alias);
    g_autoptr(GError) reason = NULL;

    if (!other)
        return true;
    if (!force) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED,
                  chardev->kind == CHARDEV_CHANNEL
                      ? "Active channel stream exists for this domain"
                      : "Active console session exists for this domain");
        return false;
    }
    error_set(&reason, VIR_FROM_QEMU, VIR_ERR_OPERATION_ABORTED,
              "the console '%s' was taken over by another client", alias);
    if (other->stream)
        stream_abort(other->stream, reason);
    g_hash_table_remove(guest->consoles, alias);
    return true;
}

bool console_open(Call *call, Guest *guest, const ChardevDef *chardev, bool force, GError **error)
{
    Console *console;
    int fd;

    if (!oust(guest, chardev, force, error))
        return false;
    fd = open_source(chardev, error);
    if (fd < 0)
        return false;
    console = g_new0(Console, 1);
    console->guest = guest_ref(guest);
    console->alias = g_strdup(chardev->info.alias);
    console->fd = fd;
    if (!stream_open(call, console_run, console, console_free, error)) {
        console_free(console);
        return false;
    }
    g_hash_table_insert(guest->consoles, g_strdup(console->alias), console);
    return true;
}
