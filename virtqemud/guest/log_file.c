/* Lines of ours begin with the time in UTC as in existing logs ("2026-11-20 21:57:12.987+0000: "),
 * those of QEMU with a T between date and time, or with no time: that tells them apart. */
#include "virtqemud/guest/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"

LOG_INIT("qemu.log");

/* The level of the interface that we stand for: what readers of such logs look for. */
#define LOG_FILE_VERSION "11.3.0, package: splitvirt " SPLITVIRT_VERSION
#define LOG_FILE_OWN_PREFIX_LENGTH 30
#define LOG_FILE_MODE 0600
#define LOG_FILE_FOLDER_MODE 0755
/* Read for the last words, however few of them are asked for: our own lines are among them. */
#define LOG_FILE_READ_BYTES (32 * 1024)
/* What virtlogd may take for one call: a start can wait for it, an end is not held up by it. */
#define LOG_FILE_MANAGED_MS 10000
#define LOG_FILE_MANAGED_END_MS 2000
/* How long a pipe may take to run empty when QEMU has ended, looked at in these steps. */
#define LOG_FILE_DRAIN_MS 1000
#define LOG_FILE_DRAIN_STEP_MS 5

struct LogFile {
    char *path;
    int fd;              /* the file, or the pipe; -1: a pipe that only QEMU has */
    LogManager *manager; /* NULL: the file is ours; borrowed */
    char *name;          /* of the guest, for the manager */
    Uuid uuid;
    LogPosition mark; /* where QEMU's own words begin */
};

char *log_file_path(const Paths *paths, const char *name, GError **error)
{
    if (!*name || strchr(name, '/') || g_str_equal(name, ".") || g_str_equal(name, "..")) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG,
                  "guest name '%s' cannot be that of a log file", name);
        return NULL;
    }
    return g_strdup_printf("%s/qemu/%s.log", paths->log_dir, name);
}

/* Not through a link that somebody put there: it is QEMU's to write to. */
static int open_append(const char *path)
{
    return open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY,
                LOG_FILE_MODE);
}

static LogFile *log_file_new(const Paths *paths, const char *name, GError **error)
{
    g_autoptr(LogFile) log = g_new0(LogFile, 1);

    log->fd = -1;
    log->path = log_file_path(paths, name, error);
    return log->path ? g_steal_pointer(&log) : NULL;
}

static bool make_folder(const LogFile *log, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(log->path);

    return mkdir_parents(folder, LOG_FILE_FOLDER_MODE, error);
}

LogFile *log_file_open(const Paths *paths, const char *name, GError **error)
{
    g_autoptr(LogFile) log = log_file_new(paths, name, error);

    if (!log)
        return NULL;
    log->fd = open_append(log->path);
    if (log->fd < 0 && errno == ENOENT) {
        if (!make_folder(log, error))
            return NULL;
        log->fd = open_append(log->path);
    }
    if (log->fd < 0) {
        error_set_errno(error, VIR_FROM_QEMU, errno, "cannot open log file '%s'", log->path);
        return NULL;
    }
    return g_steal_pointer(&log);
}

LogFile *log_file_find_managed(LogManager *manager, const Paths *paths, const LogOwner *owner,
                               GError **error)
{
    LogFile *log = log_file_new(paths, owner->name, error);

    if (!log)
        return NULL;
    log->manager = manager;
    log->name = g_strdup(owner->name);
    log->uuid = *owner->uuid;
    return log;
}

LogFile *log_file_open_managed(LogManager *manager, const Paths *paths, const LogOwner *owner,
                               GError **error)
{
    g_autoptr(LogFile) log = log_file_find_managed(manager, paths, owner, error);

    /* virtlogd makes files, not folders. */
    if (!log || !make_folder(log, error))
        return NULL;
    log->fd = log_manager_open(manager, owner, log->path, false,
                               fiber_deadline_ms(LOG_FILE_MANAGED_MS), error);
    return log->fd >= 0 ? g_steal_pointer(&log) : NULL;
}

void log_file_free(LogFile *log)
{
    if (!log)
        return;
    if (log->fd >= 0)
        close(log->fd);
    g_free(log->name);
    g_free(log->path);
    g_free(log);
}

int log_file_get_fd(const LogFile *log)
{
    return log->fd;
}

static uint64_t file_size(const LogFile *log)
{
    struct stat info;

    return fstat(log->fd, &info) == 0 ? (uint64_t)info.st_size : 0;
}

bool log_file_mark(LogFile *log, GError **error)
{
    if (log->manager)
        return log_manager_get_position(log->manager, log->path, &log->mark,
                                        fiber_deadline_ms(LOG_FILE_MANAGED_MS), error);
    log->mark.offset = file_size(log);
    return true;
}

/* Waits until virtlogd has taken what is in the pipe, which is as good as over when QEMU has
 * ended. Not known of a pipe that only QEMU had. */
SUSPENDS static void pipe_drain(const LogFile *log)
{
    uint64_t deadline_us = fiber_deadline_ms(LOG_FILE_DRAIN_MS);
    int n_bytes;

    while (log->fd >= 0 && ioctl(log->fd, FIONREAD, &n_bytes) == 0 && n_bytes > 0 &&
           fiber_now_us() < deadline_us) {
        if (!fiber_sleep(LOG_FILE_DRAIN_STEP_MS * 1000, NULL))
            return;
    }
}

/* One write for each entry: lines of QEMU do not get into it. */
static bool file_write(LogFile *log, const GString *text, GError **error)
{
    size_t done = 0;

    while (done < text->len) {
        ssize_t n = write(log->fd, text->str + done, text->len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            error_set_errno(error, VIR_FROM_QEMU, errno, "cannot write to log file '%s'",
                            log->path);
            return false;
        }
        done += (size_t)n;
    }
    return true;
}

/* Not through the pipe, which would have us wait when it is full. */
SUSPENDS static bool log_file_write(LogFile *log, const GString *text, uint64_t wait_ms,
                                    GError **error)
{
    const LogOwner owner = { log->name, &log->uuid };

    if (!log->manager)
        return file_write(log, text, error);
    return log_manager_append(log->manager, &owner, log->path, text->str,
                              fiber_deadline_ms(wait_ms), error);
}

static GString *line_new(void)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *seconds = g_date_time_format(now, "%Y-%m-%d %H:%M:%S");
    GString *line = g_string_sized_new(256);

    g_string_printf(line, "%s.%03d+0000: ", seconds, g_date_time_get_microsecond(now) / 1000);
    return line;
}

/* In single quotes unless every shell takes it as it is. */
static void append_quoted(GString *line, const char *text)
{
    size_t plain = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                "0123456789_-+.,:/@%^=");

    if (*text && !text[plain]) {
        g_string_append(line, text);
        return;
    }
    g_string_append_c(line, '\'');
    for (; *text; text++) {
        if (*text == '\'')
            g_string_append(line, "'\\''");
        else
            g_string_append_c(line, *text);
    }
    g_string_append_c(line, '\'');
}

/* NAME=VALUE: the name stays outside of the quotes, or it would not be an assignment. */
static void append_assignment(GString *line, const char *assignment)
{
    const char *equals = strchr(assignment, '=');

    if (!equals) {
        append_quoted(line, assignment);
        return;
    }
    g_string_append_len(line, assignment, equals + 1 - assignment);
    if (equals[1])
        append_quoted(line, equals + 1);
}

/* An option and its value share a line. */
static void append_command(GString *line, const LogFileStart *start)
{
    for (size_t i = 0; start->envp && start->envp[i]; i++) {
        append_assignment(line, start->envp[i]);
        g_string_append(line, " \\\n");
    }
    for (size_t i = 0; start->argv && start->argv[i]; i++) {
        if (i > 0)
            g_string_append(line, *start->argv[i] == '-' || i == 1 ? " \\\n" : " ");
        append_quoted(line, start->argv[i]);
    }
    g_string_append_c(line, '\n');
}

bool log_file_write_start(LogFile *log, const LogFileStart *start, GError **error)
{
    g_autoptr(GString) line = line_new();
    struct utsname host;

    g_string_append(line, "starting up libvirt version: " LOG_FILE_VERSION);
    if (start->emulator_version)
        g_string_append_printf(line, ", qemu version: %s", start->emulator_version);
    if (uname(&host) == 0)
        g_string_append_printf(line, ", kernel: %s", host.release);
    if (start->hostname)
        g_string_append_printf(line, ", hostname: %s", start->hostname);
    g_string_append_c(line, '\n');
    append_command(line, start);
    return log_file_write(log, line, LOG_FILE_MANAGED_MS, error);
}

bool log_file_write_line(LogFile *log, GError **error, const char *format, ...)
{
    g_autoptr(GString) line = line_new();
    va_list arguments;

    va_start(arguments, format);
    g_string_append_vprintf(line, format, arguments);
    va_end(arguments);
    g_string_append_c(line, '\n');
    return log_file_write(log, line, LOG_FILE_MANAGED_MS, error);
}

bool log_file_write_end(LogFile *log, const char *reason, GError **error)
{
    g_autoptr(GString) line = line_new();

    g_string_append_printf(line, "shutting down, reason=%s\n", reason);
    if (log->manager)
        pipe_drain(log);
    return log_file_write(log, line, LOG_FILE_MANAGED_END_MS, error);
}

/* "2026-11-20 21:57:12.987+0000: " */
static bool line_is_own(const char *line)
{
    static const char pattern[] = "dddd-dd-dd dd:dd:dd.ddd+0000: ";
    size_t i = 0;

    G_STATIC_ASSERT(sizeof(pattern) - 1 == LOG_FILE_OWN_PREFIX_LENGTH);
    while (pattern[i] && (pattern[i] == 'd' ? g_ascii_isdigit(line[i]) : line[i] == pattern[i]))
        i++;
    return !pattern[i];
}

/* What follows the mark, the last LOG_FILE_READ_BYTES of it. */
static char *file_read(const LogFile *log, bool *ret_is_cut)
{
    g_autofree char *text = g_malloc(LOG_FILE_READ_BYTES + 1);
    uint64_t offset = log->mark.offset, size = file_size(log);

    *ret_is_cut = size > offset && size - offset > LOG_FILE_READ_BYTES;
    size_t wanted = *ret_is_cut ? LOG_FILE_READ_BYTES : size > offset ? (size_t)(size - offset) : 0;
    ssize_t n = pread(log->fd, text, wanted, (off_t)(size - wanted));

    for (ssize_t i = 0; i < n; i++)
        text[i] = text[i] ? text[i] : ' ';
    text[MAX(n, 0)] = '\0';
    return g_steal_pointer(&text);
}

SUSPENDS static char *managed_read(const LogFile *log, bool *ret_is_cut)
{
    uint64_t deadline_us = fiber_deadline_ms(LOG_FILE_MANAGED_END_MS);
    LogPosition from = log->mark, end;

    pipe_drain(log);
    *ret_is_cut = log_manager_get_position(log->manager, log->path, &end, deadline_us, NULL) &&
                  end.inode == from.inode && end.offset > from.offset + LOG_FILE_READ_BYTES;
    if (*ret_is_cut)
        from.offset = end.offset - LOG_FILE_READ_BYTES;
    return log_manager_read(log->manager, log->path, &from, LOG_FILE_READ_BYTES, deadline_us,
                            NULL);
}

/* A line that is cut is left out. */
SUSPENDS static char *read_tail(const LogFile *log)
{
    bool is_cut;
    g_autofree char *text = log->manager ? managed_read(log, &is_cut) : file_read(log, &is_cut);
    const char *line_end = text && is_cut ? strchr(text, '\n') : NULL;

    return g_strdup(line_end ? line_end + 1 : text ? text : "");
}

/* Fit for terminals and logs. */
static char *clean(const char *line)
{
    char *valid = g_utf8_make_valid(line, -1);

    for (char *c = valid; *c; c++) {
        if (g_ascii_iscntrl(*c))
            *c = ' ';
    }
    return g_strchomp(valid);
}

/* The first bytes of @text, whole characters, at most @max of them. */
static size_t cut_length(const char *text, size_t max)
{
    size_t length = strlen(text);

    if (length <= max)
        return length;
    while (max > 0 && ((unsigned char)text[max] & 0xc0) == 0x80)
        max--;
    return max;
}

char *log_file_last_words(const LogFile *log, size_t max_bytes)
{
    g_autofree char *tail = read_tail(log);
    g_auto(GStrv) lines = g_strsplit(tail, "\n", -1);
    g_autoptr(GString) words = g_string_new(NULL);

    /* From the end: what was said last explains most. */
    for (size_t i = g_strv_length(lines); i > 0; i--) {
        g_autofree char *line = line_is_own(lines[i - 1]) ? NULL : clean(lines[i - 1]);
        if (!line || !*line)
            continue;
        if (words->len > 0 && words->len + 1 + strlen(line) > max_bytes)
            break;
        if (words->len > 0)
            g_string_prepend_c(words, '\n');
        g_string_prepend_len(words, line, (gssize)cut_length(line, max_bytes - words->len));
    }
    return g_string_free(g_steal_pointer(&words), FALSE);
}

void log_file_remove(const Paths *paths, const char *name)
{
    g_autofree char *path = log_file_path(paths, name, NULL);

    if (path && unlink(path) && errno != ENOENT)
        LOG_WARN("cannot remove the log %s: %s", path, g_strerror(errno));
}
