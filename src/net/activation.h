/* Descriptors that the service manager passes at start (sd_listen_fds(3)): the sockets
 * of socket units, and whatever a daemon keeps in its descriptor store. */
#pragma once

#include "net/listener.h"

typedef struct NetActivatedFd {
    int fd;            /* close-on-exec; -1 once it was taken */
    char *name;        /* FileDescriptorName=, "unknown" without one */
    bool is_listening; /* a listening stream socket, unix or TCP */
    char *address;     /* its local path or address if it is listening, else NULL */
} NetActivatedFd;

/* Looks at @fd, which is taken over, and is close-on-exec. A GDestroyNotify for it. */
NetActivatedFd *net_activated_fd_new(int fd, const char *name);
void net_activated_fd_free(void *activated);

/* Takes the descriptors out of the environment, which is cleared of them: the second
 * call finds none. Sets @ret_fds to an array of NetActivatedFd, perhaps empty, that
 * closes what was not taken. Errors: SYSTEM_ERROR for an unusable environment. */
bool net_activation_receive(GPtrArray **ret_fds, GError **error);

/* Makes a listener of @activated and takes its descriptor. Error CONFIG_UNSUPPORTED or
 * SYSTEM_ERROR naming it when it is no listening stream socket. */
NetListener *net_activated_fd_to_listener(NetActivatedFd *activated, GError **error);
