/* Guests: only what passes descriptors. Their names say for how long, see kitd_wait(). */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "common/call.h"
#include "kitd.h"
#include "wire/remote.h"
#include "wire/remote_domain.h"
#include "wire/remote_domain_guest.h"

static const char greeting[] = "hello";

static bool fd_greet(int fd, GError **error)
{
    if (write(fd, greeting, strlen(greeting)) == (ssize_t)strlen(greeting))
        return true;
    error_set_errno(error, VIR_FROM_NONE, errno, "Cannot write to descriptor %d", fd);
    return false;
}

static bool open_graphics(Call *call, const remote_domain_open_graphics_args *args, none *ret,
                          GError **error)
{
    int fd = call_take_fd(call, 0);
    bool is_done;

    if (fd < 0) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG, "no descriptor came with the call");
        return false;
    }
    is_done = kitd_wait(daemon_get_driver_data(call_get_daemon(call)), args->dom.name, error) &&
              fd_greet(fd, error);
    close(fd);
    return is_done;
}

static bool open_graphics_fd(Call *call, const remote_domain_open_graphics_fd_args *args,
                             none *ret, GError **error)
{
    int pair[2];
    bool is_done;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        error_set_errno(error, VIR_FROM_NONE, errno, "Cannot make a pair of sockets");
        return false;
    }
    is_done = fd_greet(pair[0], error) && call_add_reply_fd(call, pair[1], error);
    close(pair[0]);
    close(pair[1]);
    return is_done;
}

static const Procedure procedures[] = {
    PROCEDURE(REMOTE_PROC_DOMAIN_OPEN_GRAPHICS, open_graphics, remote_domain_open_graphics_args,
              none),
    PROCEDURE(REMOTE_PROC_DOMAIN_OPEN_GRAPHICS_FD, open_graphics_fd,
              remote_domain_open_graphics_fd_args, none),
};

const ProcedureTable kitd_domain_procedures = { REMOTE_PROGRAM, procedures,
                                                G_N_ELEMENTS(procedures) };
