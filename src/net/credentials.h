/* Who is at the other end of a unix socket, as the kernel noted it when the peer
 * connected (SO_PEERCRED and its kin, unix(7)): the process may have changed its ids or
 * passed the connection on since.
 *
 * Across namespaces: a process that this pid namespace cannot see has pid 0 (then
 * has_pid is false), an id that this user namespace does not map is the overflow id,
 * 65534. Neither may be taken for a real process or for the user "nobody". */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct NetCredentials {
    bool has_pid;
    pid_t pid;                   /* 0 without has_pid */
    uint64_t process_start_time; /* field 22 of /proc/PID/stat; 0: the process has gone */
    uid_t uid;
    gid_t gid;
    gid_t *groups; /* supplementary ones */
    size_t n_groups;
    char *selinux_label; /* NULL: no security module labels sockets here */
} NetCredentials;

/* Reads uid, gid and pid of the peer of the connected unix socket @fd: one system call.
 * Errors: SYSTEM_ERROR when @fd is no connected unix socket. */
bool net_credentials_read(int fd, NetCredentials *ret_credentials, GError **error);
/* Adds the rest: start time, supplementary groups, label. May be done any time later when
 * net_credentials_can_wait(): the kernel then says whether the number still means the
 * process that connected. Otherwise do it right after accepting, since a number that is
 * reused before its start time is read names another process. */
void net_credentials_complete(int fd, NetCredentials *credentials);
/* Whether this kernel can (SO_PEERPIDFD, Linux 6.5). */
bool net_credentials_can_wait(int fd);
/* True when @gid is the peer's group or one of its supplementary groups. */
bool net_credentials_has_group(const NetCredentials *credentials, gid_t gid);
/* Deep copy into an uninitialised @ret_copy. */
void net_credentials_copy(const NetCredentials *credentials, NetCredentials *ret_copy);
void net_credentials_clear(NetCredentials *credentials);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(NetCredentials, net_credentials_clear)
