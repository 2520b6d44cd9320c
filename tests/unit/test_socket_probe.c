/* Who listens at a unix socket, without connecting to it. */
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/splitvirt/socket_probe.h"

/* Lines of a kernel's: a listener, a connection to it, one without a path, an abstract one, and
 * a path with blanks. */
#define TABLE                                                                                \
    "Num       RefCount Protocol Flags    Type St Inode Path\n"                              \
    "ffff8881: 00000002 00000000 00010000 0001 01 1001 /run/libvirt/virtqemud-sock\n"        \
    "ffff8882: 00000003 00000000 00000000 0001 03 1002 /run/libvirt/virtlogd-sock\n"         \
    "ffff8883: 00000003 00000000 00000000 0001 03 1003\n"                                    \
    "ffff8884: 00000002 00000000 00010000 0001 01 1004 @/tmp/abstract\n"                     \
    "ffff8885: 00000002 00000000 00010000 0001 01 1005 /run/a b/sock\n"

static uint64_t inode_of(GHashTable *listeners, const char *path)
{
    const uint64_t *inode = g_hash_table_lookup(listeners, path);

    return inode ? *inode : 0;
}

static void test_only_listeners_with_paths_are_taken(void)
{
    g_autoptr(GHashTable) listeners = listeners_parse(TABLE);

    g_assert_cmpuint(g_hash_table_size(listeners), ==, 2);
    g_assert_cmpuint(inode_of(listeners, "/run/libvirt/virtqemud-sock"), ==, 1001);
    g_assert_cmpuint(inode_of(listeners, "/run/a b/sock"), ==, 1005);
}

static void test_broken_lines_are_skipped(void)
{
    g_autoptr(GHashTable) listeners = listeners_parse("\nx\nffff: 2 0 00010000\n: : : : : : : /a\n");

    g_assert_cmpuint(g_hash_table_size(listeners), ==, 0);
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    g_assert_cmpint(bind(fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    g_assert_cmpint(listen(fd, 1), ==, 0);
    return fd;
}

static SocketProbe probe_now(const char *path)
{
    g_autoptr(GHashTable) listeners = listeners_read();
    SocketProbe probe;

    socket_probe(path, listeners, &probe);
    return probe;
}

static void test_listener_is_found_with_its_process_and_then_missed(void)
{
    g_autofree char *folder = g_dir_make_tmp("probe-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "sock", NULL);
    g_autoptr(GHashTable) inodes = g_hash_table_new(g_int64_hash, g_int64_equal);
    g_autoptr(GHashTable) owners = NULL;
    SocketProbe probe = probe_now(path);
    int fd;

    g_assert_false(probe.exists);
    g_assert_cmpint(probe.reason, ==, ENOENT);
    fd = listen_at(path);
    probe = probe_now(path);
    g_assert_true(probe.is_socket && probe.has_listener);
    g_hash_table_add(inodes, &probe.inode);
    owners = socket_owners_read(inodes);
    g_assert_cmpuint(GPOINTER_TO_SIZE(g_hash_table_lookup(owners, &probe.inode)), ==,
                     (gsize)getpid());
    close(fd);
    probe = probe_now(path);
    g_assert_true(probe.exists);
    g_assert_false(probe.has_listener);
    g_remove(path);
    g_remove(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add_func("/socket_probe/" #name, test_##name)
    ADD(only_listeners_with_paths_are_taken);
    ADD(broken_lines_are_skipped);
    ADD(listener_is_found_with_its_process_and_then_missed);
    return g_test_run();
}
