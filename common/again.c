/* What a daemon gets from whoever executed it, and what it passes on when it executes itself
 * anew. Sockets of the service manager and sockets of its own are told apart, because the former
 * have their files made and removed by somebody else. */
#include <unistd.h>

#include "base/error.h"
#include "common/daemon_private.h"
#include "common/holder/protocol.h"
#include "common/reexec.h"
#include "common/server_private.h"

#include "base/log.h"

LOG_INIT("daemon.again");

typedef struct FoundFd {
    int fd; /* -1: taken */
    char *name;
    KeptFrom from;
} FoundFd;

static void found_fd_free(void *data)
{
    FoundFd *found = data;

    if (found->fd >= 0)
        close(found->fd);
    g_free(found->name);
    g_free(found);
}

static void daemon_add_found(Daemon *daemon, const char *name, int fd, KeptFrom from)
{
    FoundFd *found = g_new0(FoundFd, 1);

    found->fd = fd;
    found->name = g_strdup(name);
    found->from = from;
    g_ptr_array_add(daemon->found, found);
}

static void daemon_take_former(Daemon *daemon, const ReexecFd *item)
{
    switch (item->kind) {
    case REEXEC_OWN_SOCKET:
        g_ptr_array_add(daemon->own_sockets, net_activated_fd_new(item->fd, item->name));
        break;
    case REEXEC_ACTIVATED_SOCKET:
        g_ptr_array_add(daemon->activated, net_activated_fd_new(item->fd, item->name));
        break;
    case REEXEC_KEPT:
        daemon_add_found(daemon, item->name, item->fd, KEPT_FROM_SELF);
        break;
    case REEXEC_PID_FILE:
        daemon->inherited_pid_fd = item->fd;
        break;
    }
}

/* What the service manager passes besides sockets comes out of its descriptor store. In a daemon
 * that keeps none it is a mistake in a unit, which is said where sockets are opened. */
static void daemon_take_stored(Daemon *daemon)
{
    for (guint i = daemon->activated->len; i-- > 0;) {
        NetActivatedFd *activated = g_ptr_array_index(daemon->activated, i);

        if (activated->is_listening)
            continue;
        daemon_add_found(daemon, activated->name, activated->fd, KEPT_FROM_MANAGER);
        activated->fd = -1;
        g_ptr_array_remove_index(daemon->activated, i);
    }
}

bool daemon_receive_fds(Daemon *daemon, GError **error)
{
    g_autoptr(GPtrArray) former = NULL;

    if (!net_activation_receive(&daemon->activated, error))
        return false;
    if (!daemon->spec->keeps_descriptors)
        return true;
    daemon->program = reexec_find_program();
    daemon->own_sockets = g_ptr_array_new_with_free_func(net_activated_fd_free);
    daemon->found = g_ptr_array_new_with_free_func(found_fd_free);
    /* What the last execution had comes before what others kept of it. */
    former = reexec_receive(&daemon->is_anew);
    for (guint i = 0; i < former->len; i++)
        daemon_take_former(daemon, g_ptr_array_index(former, i));
    daemon_take_stored(daemon);
    return true;
}

void daemon_forget_fds(Daemon *daemon)
{
    g_clear_pointer(&daemon->activated, g_ptr_array_unref);
    g_clear_pointer(&daemon->own_sockets, g_ptr_array_unref);
    g_clear_pointer(&daemon->found, g_ptr_array_unref);
    g_clear_pointer(&daemon->program, g_free);
}

void daemon_begin_keeping(Daemon *daemon)
{
    g_autofree char *holder_path = NULL;

    if (!daemon->spec->keeps_descriptors)
        return;
    holder_path = g_strdup_printf("%s/%s%s", daemon->paths->run_dir, daemon->spec->name,
                                  HOLDER_SOCKET_SUFFIX);
    daemon->kept = kept_fds_new(daemon->loop, holder_path);
    for (guint i = 0; i < daemon->found->len; i++) {
        FoundFd *found = g_ptr_array_index(daemon->found, i);

        kept_fds_add_found(daemon->kept, found->name, found->fd, found->from);
        found->fd = -1;
    }
}

/* A client that connects from now on waits in the queue, for the next of us. */
void daemon_reexecute(Daemon *daemon)
{
    if (daemon->is_stopping)
        return;
    daemon->is_reexecuting = true;
    for (guint i = 0; i < daemon->servers->len; i++)
        server_pause_listening(g_ptr_array_index(daemon->servers, i));
    daemon_await_end(daemon);
}

static void add_sockets(const Daemon *daemon, GPtrArray *fds)
{
    for (guint i = 0; i < daemon->servers->len; i++) {
        const Server *server = g_ptr_array_index(daemon->servers, i);

        for (guint j = 0; j < server->listeners->len; j++) {
            const ServerListener *listener = g_ptr_array_index(server->listeners, j);

            if (listener->listener)
                reexec_fds_add(fds,
                               net_listener_owns_path(listener->listener) ? REEXEC_OWN_SOCKET
                                                                          : REEXEC_ACTIVATED_SOCKET,
                               net_listener_get_fd(listener->listener),
                               net_listener_get_address(listener->listener));
        }
    }
}

static void add_kept(const char *name, int fd, void *fds)
{
    reexec_fds_add(fds, REEXEC_KEPT, fd, name);
}

void daemon_execute_anew(Daemon *daemon)
{
    g_autoptr(GPtrArray) fds = reexec_fds_new();
    /* Not main()'s: paths in it are seen from the folder that the daemon was started in. */
    g_auto(GStrv) argv = options_to_argv(daemon->options, daemon->argv[0]);
    g_autoptr(GError) error = NULL;

    add_sockets(daemon, fds);
    kept_fds_foreach(daemon->kept, add_kept, fds);
    if (daemon->pid_file)
        reexec_fds_add(fds, REEXEC_PID_FILE, pid_file_get_fd(daemon->pid_file), "");
    reexec_run(daemon->program, argv, fds, &error);
    LOG_GERROR(error);
}
