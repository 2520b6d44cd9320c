/* Each kind of output has its own way of not waiting: files are opened non-blocking,
 * stderr is asked before every piece, sockets are sent to with MSG_DONTWAIT. The journal
 * and syslog are spoken to directly, since the library calls for both may wait. */
#include "base/log_output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/log_rules.h"

#define SYSLOG_SOCKET "/dev/log"
#define SYSLOG_FACILITY_DAEMON (3 << 3)
#define JOURNALD_SOCKET "/run/systemd/journal/socket"

/* What the kinds are called in settings, in the order of LogOutputKind. */
static const struct {
    const char *name;
    bool has_target;
    const char *socket_path;
} kinds[] = {
    [LOG_OUTPUT_STDERR] = { "stderr", false, NULL },
    [LOG_OUTPUT_FILE] = { "file", true, NULL },
    [LOG_OUTPUT_SYSLOG] = { "syslog", true, SYSLOG_SOCKET },
    [LOG_OUTPUT_JOURNALD] = { "journald", false, JOURNALD_SOCKET },
};

/* Severities as syslog and the journal number them (RFC 5424, 6.2.1). */
static const int severities[] = {
    [LOG_LEVEL_DEBUG] = 7,
    [LOG_LEVEL_INFO] = 6,
    [LOG_LEVEL_WARN] = 4,
    [LOG_LEVEL_ERROR] = 3,
};

/* A file's path is made absolute: two spellings of one file are one output. */
static LogOutput *output_new(int level, LogOutputKind kind, const char *target)
{
    LogOutput *output = g_new0(LogOutput, 1);

    output->level = level;
    output->kind = kind;
    output->socket_path = kinds[kind].socket_path;
    output->fd = -1;
    if (kind == LOG_OUTPUT_FILE)
        output->target = g_canonicalize_filename(target, NULL);
    else
        output->target = g_strdup(target);
    return output;
}

/* Opens nothing: a configuration can be checked where its files cannot be written. */
LogOutput *log_output_parse(const char *text, GError **error)
{
    g_autofree char *name = NULL;
    const char *target;
    LogWord word;
    size_t kind;

    if (!log_word_parse(text, "log output", "log priority", &word, error))
        return NULL;
    target = strchr(word.rest, ':');
    if (target == NULL)
        name = g_strdup(word.rest);
    else
        name = g_strndup(word.rest, (gsize) (target - word.rest));
    for (kind = 0; kind < G_N_ELEMENTS(kinds); kind++) {
        if (strcmp(kinds[kind].name, name) == 0)
            break;
    }
    if (kind == G_N_ELEMENTS(kinds)) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG,
                  "Invalid log destination '%s' for log output '%s'", name, text);
        return NULL;
    }
    /* A second colon would be part of no known target and is a typing error. */
    if (kinds[kind].has_target != (target != NULL) ||
        (target != NULL && strchr(target + 1, ':') != NULL) ||
        (kind == LOG_OUTPUT_FILE && target != NULL && target[1] == '\0')) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG,
                  "Log output '%s' does not meet the format requirements for destination type '%s'",
                  text, name);
        return NULL;
    }
    return output_new(word.level, (LogOutputKind) kind, target == NULL ? NULL : target + 1);
}

/* stderr belongs to the process and is never closed. */
static void output_close(LogOutput *output)
{
    if (output->fd >= 0 && output->kind != LOG_OUTPUT_STDERR)
        close(output->fd);
    output->fd = -1;
}

void log_output_free(LogOutput *output)
{
    if (output == NULL)
        return;
    output_close(output);
    g_free(output->target);
    g_free(output);
}

void log_output_format(const LogOutput *output, GString *text)
{
    g_string_append_printf(text, "%d:%s", output->level, kinds[output->kind].name);
    if (output->target != NULL)
        g_string_append_printf(text, ":%s", output->target);
}

bool log_output_is_same(const LogOutput *a, const LogOutput *b)
{
    return a->kind == b->kind && g_strcmp0(a->target, b->target) == 0;
}

void log_output_swap(LogOutput *a, LogOutput *b)
{
    LogOutput former = *a;

    a->fd = b->fd;
    a->is_regular = b->is_regular;
    b->fd = former.fd;
    b->is_regular = former.is_regular;
}

/* Connects anew; the old connection is given up only when that worked. */
static bool socket_open(LogOutput *output, GError **error)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd;

    g_strlcpy(address.sun_path, output->socket_path, sizeof(address.sun_path));
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *) &address, sizeof(address)) < 0) {
        error_set_errno(error, VIR_FROM_NONE, errno, "cannot connect to log socket '%s'",
                        output->socket_path);
        if (fd >= 0)
            close(fd);
        return false;
    }
    output_close(output);
    output->fd = fd;
    return true;
}

/* O_NONBLOCK is for pipes; a terminal must not become the controlling one. */
static bool file_open(LogOutput *output, GError **error)
{
    struct stat status;
    int fd = open(output->target,
                  O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);

    if (fd < 0) {
        error_set_errno(error, VIR_FROM_NONE, errno, "failed to open %s", output->target);
        return false;
    }
    output_close(output);
    output->fd = fd;
    output->is_regular = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
    return true;
}

bool log_output_open(LogOutput *output, GError **error)
{
    struct stat status;

    switch (output->kind) {
    case LOG_OUTPUT_FILE:
        return file_open(output, error);
    case LOG_OUTPUT_JOURNALD:
        return socket_open(output, error);
    case LOG_OUTPUT_SYSLOG:
        socket_open(output, NULL);
        return true;
    case LOG_OUTPUT_STDERR:
        output->fd = STDERR_FILENO;
        output->is_regular = fstat(output->fd, &status) == 0 && S_ISREG(status.st_mode);
        return true;
    }
    return true;
}

/* Whether @fd takes PIPE_BUF bytes now. stderr may be shared with others and so cannot
 * be made non-blocking. */
static bool can_write(int fd)
{
    struct pollfd pollfd = { .fd = fd, .events = POLLOUT };

    return poll(&pollfd, 1, 0) == 1 && pollfd.revents == POLLOUT;
}

/* Pieces of PIPE_BUF bytes are what poll promises room for. */
static void stream_write(LogOutput *output, const char *data, size_t length)
{
    while (length > 0) {
        size_t part = output->is_regular ? length : MIN(length, PIPE_BUF);
        ssize_t written;

        if (!output->is_regular && !can_write(output->fd))
            return;
        written = write(output->fd, data, part);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return;
        data += written;
        length -= (size_t) written;
    }
}

/* One datagram; a full queue at the other end loses it. */
static void socket_write(LogOutput *output, const void *data, size_t length)
{
    if (output->fd >= 0 && send(output->fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
        return;
    /* A receiver that was started anew has a new socket. */
    if (output->fd >= 0 && errno != ECONNREFUSED && errno != ENOTCONN && errno != ECONNRESET)
        return;
    if (socket_open(output, NULL))
        (void) send(output->fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* One message as RFC 3164 and the socket /dev/log have it. */
static void syslog_write(LogOutput *output, const LogRecord *record)
{
    /* English whatever the locale is: strftime would translate them. */
    static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    g_autofree char *text = NULL;
    char stamp[32];
    time_t now = time(NULL);
    struct tm local;

    localtime_r(&now, &local);
    g_snprintf(stamp, sizeof(stamp), "%s %2d %02d:%02d:%02d", months[local.tm_mon],
               local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec);
    text = g_strdup_printf("<%d>%s %s[%d]: %.*s",
                           SYSLOG_FACILITY_DAEMON | severities[record->level], stamp,
                           output->target[0] != '\0' ? output->target
                                                     : program_invocation_short_name,
                           (int) getpid(), (int) (record->line->len - 1 - record->text_offset),
                           record->line->str + record->text_offset);
    socket_write(output, text, strlen(text));
}

/* One field of the journal's native protocol, in the form that allows any bytes. */
static void journal_append(GString *datagram, const char *name, const char *value)
{
    size_t length = strlen(value);
    uint64_t wire_length = GUINT64_TO_LE((uint64_t) length);

    g_string_append_printf(datagram, "%s\n", name);
    g_string_append_len(datagram, (const char *) &wire_length, sizeof(wire_length));
    g_string_append_len(datagram, value, (gssize) length);
    g_string_append_c(datagram, '\n');
}

/* The fields are those of the manual ("logging.html", Systemd journal fields). */
static void journal_write(LogOutput *output, const LogRecord *record)
{
    g_autoptr(GString) datagram = g_string_new(NULL);

    journal_append(datagram, "MESSAGE", record->message);
    g_string_append_printf(datagram, "PRIORITY=%d\nCODE_LINE=%d\nLIBVIRT_SOURCE=%s\n",
                           severities[record->level], record->line_number,
                           record->error != NULL ? "error" : "file");
    journal_append(datagram, "CODE_FILE", record->file);
    journal_append(datagram, "CODE_FUNC", record->func);
    journal_append(datagram, "SYSLOG_IDENTIFIER", program_invocation_short_name);
    if (record->error != NULL)
        g_string_append_printf(datagram, "LIBVIRT_DOMAIN=%d\nLIBVIRT_CODE=%d\n",
                               (int) error_get_from(record->error), record->error->code);
    socket_write(output, datagram->str, datagram->len);
}

void log_output_write(LogOutput *output, const LogRecord *record)
{
    switch (output->kind) {
    case LOG_OUTPUT_STDERR:
    case LOG_OUTPUT_FILE:
        stream_write(output, record->line->str, record->line->len);
        return;
    case LOG_OUTPUT_SYSLOG:
        syslog_write(output, record);
        return;
    case LOG_OUTPUT_JOURNALD:
        journal_write(output, record);
        return;
    }
}
