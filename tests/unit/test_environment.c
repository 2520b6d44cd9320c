/* What a daemon says of the place where it runs, from made-up hosts. */
#include <glib/gstdio.h>

#include "common/environment.h"
#include "common/privileges.h"

#define MACHINE_ID "00112233445566778899aabbccddeeff\n"
/* NET_ADMIN and SYS_ADMIN of linux/capability.h. */
#define WANTED (UINT64_C(1) << 12 | UINT64_C(1) << 21)
#define ALL_IDS "         0          0 4294967295\n"

typedef struct Host {
    char *dir;
} Host;

static void host_write(const Host *host, const char *path, const char *text)
{
    g_autofree char *full = g_strconcat(host->dir, path, NULL);
    g_autofree char *folder = g_path_get_dirname(full);

    g_assert_cmpint(g_mkdir_with_parents(folder, 0755), ==, 0);
    g_assert_true(g_file_set_contents(full, text, -1, NULL));
}

/* An ordinary host with cgroups v2, where this process is root. */
static void host_set_up(Host *host, const void *unused)
{
    g_unsetenv("DBUS_SYSTEM_BUS_ADDRESS");
    host->dir = g_dir_make_tmp("environment-XXXXXX", NULL);
    host_write(host, "/run/systemd/system/x", "");
    host_write(host, "/run/dbus/system_bus_socket", "");
    host_write(host, "/etc/machine-id", MACHINE_ID);
    host_write(host, "/sys/fs/cgroup/cgroup.controllers", "cpu memory\n");
    host_write(host, "/sys/fs/cgroup/system.slice/a.service/cgroup.procs", "");
    host_write(host, "/proc/self/cgroup", "0::/system.slice/a.service\n");
    host_write(host, "/proc/self/uid_map", ALL_IDS);
    host_write(host, "/proc/self/status", "Name:\ta\nCapEff:\t000001ffffffffff\nCapBnd:\t0\n");
}

static void host_tear_down(Host *host, const void *unused)
{
    const char *argv[] = { "rm", "-rf", host->dir, NULL };

    g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
                               NULL, NULL, NULL));
    g_free(host->dir);
}

static void host_remove(const Host *host, const char *path)
{
    g_autofree char *full = g_strconcat(host->dir, path, NULL);

    g_assert_cmpint(g_remove(full), ==, 0);
}

/* The root's own mount is not made up: what is said of it is cut off. */
static void assert_described(const Host *host, bool is_complete, const char *expected)
{
    Environment environment;
    g_autofree char *line = NULL;

    environment_read(host->dir, WANTED, &environment);
    environment.is_root_read_only = false;
    line = environment_describe(&environment);
    g_assert_cmpstr(line, ==, expected);
    g_assert_true(environment_is_complete(&environment, true) == is_complete);
}

static void test_host_has_everything(Host *host, const void *unused)
{
    assert_described(host, true,
                     "environment: systemd, D-Bus, machine-id, cgroups v2, all capabilities that it uses");
}

static void test_what_is_missing_is_named(Host *host, const void *unused)
{
    host_remove(host, "/run/dbus/system_bus_socket");
    host_remove(host, "/etc/machine-id");
    assert_described(host, false,
                     "environment: systemd, cgroups v2, all capabilities that it uses; without D-Bus, machine-id");
}

static void test_uninitialized_machine_id_is_none(Host *host, const void *unused)
{
    host_write(host, "/etc/machine-id", "uninitialized\n");
    assert_described(host, false,
                     "environment: systemd, D-Bus, cgroups v2, all capabilities that it uses; without machine-id");
}

static void test_missing_capabilities_are_named(Host *host, const void *unused)
{
    g_autofree char *name = privileges_name(21);
    g_autofree char *expected = g_strconcat(
        "environment: systemd, D-Bus, machine-id, cgroups v2; without ", name, NULL);

    host_write(host, "/proc/self/status", "Name:\ta\nCapEff:\t00000000a80435fb\n");
    assert_described(host, false, expected);
}

static void test_who_wants_no_capabilities_misses_none(Host *host, const void *unused)
{
    Environment environment;
    g_autofree char *line = NULL;

    environment_read(host->dir, 0, &environment);
    environment.is_root_read_only = false;
    line = environment_describe(&environment);
    g_assert_cmpstr(line, ==, "environment: systemd, D-Bus, machine-id, cgroups v2");
    g_assert_true(environment_is_complete(&environment, true));
}

static void test_no_capabilities_are_all_that_a_session_has(Host *host, const void *unused)
{
    Environment environment;

    host_write(host, "/proc/self/status", "Name:\ta\nCapEff:\t0000000000000000\n");
    environment_read(host->dir, WANTED, &environment);
    g_assert_true(environment_is_complete(&environment, false));
}

static void test_user_namespace_is_told(Host *host, const void *unused)
{
    host_write(host, "/proc/self/uid_map", "         0     100000      65536\n");
    assert_described(host, true,
                     "environment: systemd, D-Bus, machine-id, cgroups v2, all capabilities that it uses, "
                     "a user namespace");
}

static void test_cgroups_v1_are_told_apart(Host *host, const void *unused)
{
    host_remove(host, "/sys/fs/cgroup/cgroup.controllers");
    host_write(host, "/sys/fs/cgroup/memory/a/tasks", "");
    host_write(host, "/proc/self/cgroup", "4:memory:/a\n1:name=systemd:/\n");
    assert_described(host, true,
                     "environment: systemd, D-Bus, machine-id, cgroups v1, all capabilities that it uses");
}

static void test_empty_place_has_nothing(Host *host, const void *unused)
{
    g_autofree char *nowhere = g_strconcat(host->dir, "/nowhere", NULL);
    g_autofree char *first = privileges_name(12);
    g_autofree char *second = privileges_name(21);
    g_autofree char *expected = g_strconcat(
        "environment: nothing; without systemd, D-Bus, machine-id, cgroups, ", first, ", ", second,
        NULL);
    const Host empty = { nowhere };

    assert_described(&empty, false, expected);
}

#define ADD(name, function) \
    g_test_add("/environment/" name, Host, NULL, host_set_up, function, host_tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("everything", test_host_has_everything);
    ADD("missing", test_what_is_missing_is_named);
    ADD("machine-id-uninitialized", test_uninitialized_machine_id_is_none);
    ADD("capabilities-missing", test_missing_capabilities_are_named);
    ADD("capabilities-none", test_who_wants_no_capabilities_misses_none);
    ADD("capabilities-session", test_no_capabilities_are_all_that_a_session_has);
    ADD("user-namespace", test_user_namespace_is_told);
    ADD("cgroups-v1", test_cgroups_v1_are_told_apart);
    ADD("nothing", test_empty_place_has_nothing);
    return g_test_run();
}
