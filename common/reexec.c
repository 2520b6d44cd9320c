#include "common/reexec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

#include "base/log.h"

LOG_INIT("daemon.reexec");

#define VARIABLE "SPLITVIRT_REEXEC"
#define KINDS "oakp"
#define SELF "/proc/self/exe"
#define DELETED " (deleted)"
#define MAX_LIST_BYTES (16 * 1024 * 1024)

static void reexec_fd_free(void *data)
{
    ReexecFd *item = data;

    g_free(item->name);
    g_free(item);
}

GPtrArray *reexec_fds_new(void)
{
    return g_ptr_array_new_with_free_func(reexec_fd_free);
}

void reexec_fds_add(GPtrArray *fds, ReexecKind kind, int fd, const char *name)
{
    ReexecFd *item = g_new0(ReexecFd, 1);

    item->fd = fd;
    item->kind = kind;
    item->name = g_strdup(name);
    g_ptr_array_add(fds, item);
}

/* Nothing but an open descriptor is believed: names are looked up by whoever gets them. */
static void parse_line(const char *line, GPtrArray *fds)
{
    char *end;
    long fd = strtol(line, &end, 10);

    if (end == line || fd <= STDERR_FILENO || fd > G_MAXINT || end[0] != ' ' || end[1] == '\0' ||
        !strchr(KINDS, end[1]) || end[2] != ' ')
        return;
    if (fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0)
        return;
    reexec_fds_add(fds, (ReexecKind)end[1], (int)fd, end + 3);
}

/* The list from its beginning, wherever the descriptor's position is. */
static char *read_list(int fd)
{
    struct stat status;
    g_autofree char *text = NULL;

    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) || status.st_size > MAX_LIST_BYTES)
        return NULL;
    text = g_malloc0((size_t)status.st_size + 1);
    if (pread(fd, text, (size_t)status.st_size, 0) != status.st_size)
        return NULL;
    return g_steal_pointer(&text);
}

GPtrArray *reexec_receive(bool *ret_is_anew)
{
    GPtrArray *fds = reexec_fds_new();
    const char *number = getenv(VARIABLE);
    int list_fd = number ? atoi(number) : -1;
    g_autofree char *text = list_fd > STDERR_FILENO ? read_list(list_fd) : NULL;
    g_auto(GStrv) lines = text ? g_strsplit(text, "\n", -1) : NULL;

    *ret_is_anew = text != NULL;
    for (size_t i = 0; lines && lines[i]; i++)
        parse_line(lines[i], fds);
    if (text)
        close(list_fd);
    unsetenv(VARIABLE);
    return fds;
}

/* An upgrade unlinks the file that runs: the link then says so behind the path. */
char *reexec_find_program(void)
{
    char *path = g_file_read_link(SELF, NULL);

    if (path && g_str_has_suffix(path, DELETED))
        path[strlen(path) - strlen(DELETED)] = '\0';
    return path;
}

/* Returns a descriptor that the next program inherits; -1 with errno. */
static int write_list(const GPtrArray *fds)
{
    g_autoptr(GString) text = g_string_new(NULL);
    int fd = memfd_create("reexec", 0);

    for (guint i = 0; i < fds->len; i++) {
        const ReexecFd *item = g_ptr_array_index(fds, i);

        g_string_append_printf(text, "%d %c %s\n", item->fd, (char)item->kind, item->name);
    }
    if (fd < 0 || write(fd, text->str, text->len) == (ssize_t)text->len)
        return fd;
    close(fd);
    return -1;
}

static void set_inherited(const GPtrArray *fds, bool is_inherited)
{
    for (guint i = 0; i < fds->len; i++) {
        const ReexecFd *item = g_ptr_array_index(fds, i);

        fcntl(item->fd, F_SETFD, is_inherited ? 0 : FD_CLOEXEC);
    }
}

void reexec_run(const char *program, char **argv, GPtrArray *fds, GError **error)
{
    int list_fd = write_list(fds);
    g_autofree char *number = g_strdup_printf("%d", list_fd);

    if (list_fd < 0) {
        error_set_errno(error, VIR_FROM_NONE, errno, "cannot write the list of descriptors");
        return;
    }
    set_inherited(fds, true);
    setenv(VARIABLE, number, 1);
    if (program) {
        execv(program, argv);
        LOG_ERROR("cannot execute %s: %s; going on with the program that runs", program,
                  g_strerror(errno));
    }
    execv(SELF, argv);
    error_set_errno(error, VIR_FROM_NONE, errno, "cannot execute %s", SELF);
    set_inherited(fds, false);
    unsetenv(VARIABLE);
    close(list_fd);
}
