#include "net/activation.h"

#include <errno.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/error.h"
#include "net/address.h"
#include "net/listener_private.h"

void net_activated_fd_free(void *data)
{
    NetActivatedFd *activated = data;

    if (activated->fd >= 0)
        close(activated->fd);
    g_free(activated->name);
    g_free(activated->address);
    g_free(activated);
}

NetActivatedFd *net_activated_fd_new(int fd, const char *name)
{
    NetActivatedFd *activated = g_new0(NetActivatedFd, 1);

    activated->fd = fd;
    activated->name = g_strdup(name);
    activated->is_listening = net_listener_check_fd(fd, NULL, NULL);
    if (activated->is_listening)
        activated->address = net_address_local(fd);
    return activated;
}

bool net_activation_receive(GPtrArray **ret_fds, GError **error)
{
    char **names = NULL;
    /* Sets close-on-exec on each, and removes the variables. */
    int n_fds = sd_listen_fds_with_names(1, &names);

    if (n_fds < 0) {
        error_set_errno(error, VIR_FROM_SYSTEMD, -n_fds,
                        "cannot take the descriptors that the service manager passed");
        return false;
    }
    GPtrArray *fds = g_ptr_array_new_with_free_func(net_activated_fd_free);
    for (int i = 0; i < n_fds; i++) {
        g_ptr_array_add(fds, net_activated_fd_new(SD_LISTEN_FDS_START + i, names[i]));
        free(names[i]);
    }
    free(names);
    *ret_fds = fds;
    return true;
}

NetListener *net_activated_fd_to_listener(NetActivatedFd *activated, GError **error)
{
    GError *problem = NULL;
    NetListener *listener = net_listener_new_inherited(activated->fd, &problem);

    if (!listener) {
        error_set(error, VIR_FROM_SYSTEMD, problem->code, "'%s': %s", activated->name,
                  error_detail(problem));
        g_error_free(problem);
        return NULL;
    }
    activated->fd = -1;
    return listener;
}
