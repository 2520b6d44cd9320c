/* Looking at a unix socket without connecting to it: a connection might start a daemon. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <glib.h>

typedef struct SocketProbe {
    int reason;   /* errno of looking at it: 0, ENOENT, EACCES, … */
    bool exists;
    bool is_socket;
    uid_t uid;
    gid_t gid;
    mode_t mode;         /* permission bits */
    bool has_listener;   /* somebody in this network namespace listens at it */
    uint64_t inode;      /* of the listening socket itself; 0 without has_listener */
} SocketProbe;

/* The listening unix sockets of this network namespace: path to inode. @text is that of
 * /proc/net/unix (proc(5)). */
GHashTable *listeners_parse(const char *text);
/* The same, read now; empty when the kernel does not tell. */
GHashTable *listeners_read(void);

void socket_probe(const char *path, GHashTable *listeners, SocketProbe *ret_probe);

/* Finds out which processes hold the sockets in @inodes (a set of uint64_t *): inode to pid, as
 * pointers (GSIZE_TO_POINTER). Those that we may not look into are missing. */
GHashTable *socket_owners_read(GHashTable *inodes);
