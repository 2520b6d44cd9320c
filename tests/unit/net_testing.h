/* What the tests of sockets share: pairs, descriptors that are open, temporary folders. */
#pragma once

#include <dirent.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "net/stream_socket.h"

/* The number of descriptors that this process has open. */
static inline size_t testing_count_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    size_t n_entries = 0;

    g_assert_nonnull(dir);
    while (readdir(dir))
        n_entries++;
    closedir(dir);
    return n_entries - 3; /* ".", ".." and the folder itself */
}

/* A stream on one end of a socket pair; the other end is a plain blocking descriptor. */
static inline NetSocket *testing_socket_pair(int *ret_peer)
{
    int fds[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
    *ret_peer = fds[1];
    return net_socket_new(fds[0]);
}

/* A buffer to send, of @text without its end. */
static inline struct iovec testing_iov(const char *text)
{
    return (struct iovec){ .iov_base = (char *)text, .iov_len = strlen(text) };
}

static inline char *testing_make_folder(void)
{
    char *folder = g_dir_make_tmp("net-XXXXXX", NULL);

    g_assert_nonnull(folder);
    return folder;
}

/* Removes the folder, which must be empty again. */
static inline void testing_remove_folder(char *folder)
{
    g_assert_cmpint(g_rmdir(folder), ==, 0);
    g_free(folder);
}

#define testing_assert_error(error, code_, text)                                                   \
    do {                                                                                           \
        g_assert_nonnull(error);                                                                   \
        g_assert_cmpint((error)->code, ==, (code_));                                               \
        if (!strstr((error)->message, (text)))                                                     \
            g_error("'%s' is not in '%s'", (text), (error)->message);                              \
        g_clear_error(&(error));                                                                   \
    } while (0)
