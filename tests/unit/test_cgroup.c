/* Which control groups a host has, by files that kernels show, and what groups of guests are
 * called. That groups are made and removed is seen with real ones (functional tests). */
#include <string.h>
#include <unistd.h>

#include "base/error_codes.h"
#include "host_tree.h"
#include "virtqemud/host/cgroup.h"

/* A tree of version 2 shows its controllers in a file: it stands in the test's own folder. */
static GPtrArray *read_mounts(HostTree *tree, const char *lines)
{
    g_autofree char *text = g_strdup_printf(
        "%s40 22 0:30 / %s/sys/v2 rw - cgroup2 cgroup2 rw,nsdelegate\n", lines, tree->folder);
    g_autoptr(GError) error = NULL;
    GPtrArray *found;

    host_tree_write(tree, "proc/self/mountinfo", text, -1);
    found = cgroup_mounts_read(&tree->roots, &error);
    g_assert_no_error(error);
    return found;
}

static const CgroupHierarchy *at(const GPtrArray *hierarchies, guint i)
{
    g_assert_cmpuint(i, <, hierarchies->len);
    return g_ptr_array_index(hierarchies, i);
}

#define V1                                                                                       \
    "22 1 0:20 / / rw - ext4 /dev/vda rw\n"                                                      \
    "30 22 0:21 / /cg/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n"                   \
    "31 22 0:22 / /cg/systemd rw - cgroup cgroup rw,name=systemd\n"                               \
    "32 22 0:23 / /cg/with\\040space rw - cgroup cgroup rw,devices\n"                             \
    "33 22 0:21 / /other rw - cgroup cgroup rw,cpu,cpuacct\n"                                     \
    "34 22 0:24 / /cg/freezer rw - cgroup cgroup rw,freezer\n"

static void test_hierarchies_of_version_1(void)
{
    g_autoptr(HostTree) tree = host_tree_new(NULL);
    g_autoptr(GPtrArray) found = read_mounts(tree, V1);

    g_assert_cmpuint(found->len, ==, 3);
    g_assert_cmpstr(at(found, 0)->mount, ==, "/cg/cpu,cpuacct");
    g_assert_cmpuint(at(found, 0)->controllers, ==, CGROUP_CPU | CGROUP_CPUACCT);
    g_assert_cmpstr(at(found, 1)->mount, ==, "/cg/with space");
    g_assert_cmpuint(at(found, 1)->controllers, ==, CGROUP_DEVICES);
    g_assert_true(at(found, 2)->is_unified);
}

static void test_controllers_of_version_2(void)
{
    g_autoptr(HostTree) tree = host_tree_new(NULL);
    g_autoptr(GPtrArray) found = NULL;

    host_tree_write(tree, "sys/v2/cgroup.controllers", "cpuset cpu io memory hugetlb pids\n", -1);
    found = read_mounts(tree, "");
    g_assert_cmpuint(found->len, ==, 1);
    g_assert_cmpuint(at(found, 0)->controllers, ==, CGROUP_ALL & ~(unsigned)CGROUP_DEVICES);
}

static void test_lines_that_are_no_mounts_are_left_out(void)
{
    g_autoptr(HostTree) tree = host_tree_new(NULL);
    g_autoptr(GPtrArray) found = read_mounts(
        tree, "\n1\n1 2 3 4 5 6 - cgroup\n1 2 3 4 - cgroup x cpu\n1 2 3 4 5 6 7 8 cgroup y cpu\n");

    g_assert_cmpuint(found->len, ==, 1);
}

static void test_group_of_a_process(void)
{
    g_autoptr(HostTree) tree = host_tree_new(NULL);
    g_autoptr(GPtrArray) found = read_mounts(tree, V1);
    g_autofree char *cpu = NULL;
    g_autofree char *devices = NULL;
    g_autofree char *unified = NULL;
    g_autofree char *expected = g_strconcat(tree->folder, "/sys/v2/u/x:y", NULL);

    host_tree_write(tree, "proc/7/cgroup",
                    "5:cpu,cpuacct:/machine/a\n4:devices:/../outside\n0::/u/x:y\n", -1);
    cpu = cgroup_of_process(&tree->roots, at(found, 0), 7);
    devices = cgroup_of_process(&tree->roots, at(found, 1), 7);
    unified = cgroup_of_process(&tree->roots, at(found, 2), 7);
    g_assert_cmpstr(cpu, ==, "/cg/cpu,cpuacct/machine/a");
    g_assert_null(devices);
    g_assert_cmpstr(unified, ==, expected);
    g_assert_null(cgroup_of_process(&tree->roots, at(found, 0), 8));
}

static void test_group_below_a_mount_of_a_part(void)
{
    g_autoptr(HostTree) tree = host_tree_new(NULL);
    g_autoptr(GPtrArray) found =
        read_mounts(tree, "30 22 0:21 /box /cg rw - cgroup cgroup rw,cpu\n");
    g_autofree char *inside = NULL;

    host_tree_write(tree, "proc/7/cgroup", "5:cpu:/box/machine\n", -1);
    host_tree_write(tree, "proc/8/cgroup", "5:cpu:/boxes\n", -1);
    inside = cgroup_of_process(&tree->roots, at(found, 0), 7);
    g_assert_cmpstr(inside, ==, "/cg/machine");
    g_assert_null(cgroup_of_process(&tree->roots, at(found, 0), 8));
}

static void check_folder(const char *partition, const char *expected)
{
    g_autoptr(HostTree) tree = host_tree_new(NULL);
    GPtrArray *mounts = read_mounts(tree, "30 22 0:21 / /cg rw - cgroup cgroup rw,memory\n");
    g_autoptr(Cgroup) cgroup = cgroup_new(mounts, CGROUP_ALL, partition, "qemu-1-a", NULL);
    const CgroupFolder *folder = g_ptr_array_index(cgroup->folders, 0);

    g_assert_cmpstr(folder->path, ==, expected);
}

static void test_partitions(void)
{
    check_folder("/machine", "/cg/machine/qemu-1-a.libvirt-qemu");
    check_folder("/machine/prod", "/cg/machine/prod.partition/qemu-1-a.libvirt-qemu");
    check_folder("/foo/", "/cg/foo.partition/qemu-1-a.libvirt-qemu");
    check_folder("/foo/machine",
                 "/cg/foo.partition/machine.partition/qemu-1-a.libvirt-qemu");
    check_folder("/..", "/cg/...partition/qemu-1-a.libvirt-qemu");
    check_folder("/", "/cg/qemu-1-a.libvirt-qemu");
}

static void test_partition_must_be_absolute(void)
{
    g_autoptr(HostTree) tree = host_tree_new(NULL);
    GError *error = NULL;

    g_assert_null(cgroup_new(read_mounts(tree, ""), CGROUP_ALL, "machine", "a", &error));
    assert_host_error(&error, VIR_ERR_CONFIG_UNSUPPORTED,
                      "unsupported configuration: Resource partition 'machine' must start with '/'");
}

static void test_only_wanted_controllers_are_used(void)
{
    g_autoptr(HostTree) tree = host_tree_new(NULL);
    g_autoptr(Cgroup) none = cgroup_new(read_mounts(tree, V1), 0, "/machine", "a", NULL);
    g_autoptr(Cgroup) one = cgroup_new(read_mounts(tree, V1), CGROUP_CPU, "/machine", "a", NULL);
    const CgroupFolder *cpu = g_ptr_array_index(one->folders, 0);

    g_assert_cmpuint(none->folders->len, ==, 0);
    /* Version 2 is always there. */
    g_assert_cmpuint(one->folders->len, ==, 2);
    g_assert_cmpstr(cpu->path, ==, "/cg/cpu,cpuacct/machine/a.libvirt-qemu");
    g_assert_true(cpu->sorts_threads);
}

static void test_controllers_by_name(void)
{
    char *const names[] = { (char *)"cpu", (char *)"blkio", NULL };
    char *const wrong[] = { (char *)"cpu", (char *)"pids", NULL };
    const char *unknown = NULL;
    unsigned controllers;

    g_assert_true(cgroup_controllers_from_names(NULL, &controllers, &unknown));
    g_assert_cmpuint(controllers, ==, CGROUP_ALL);
    g_assert_true(cgroup_controllers_from_names(names, &controllers, &unknown));
    g_assert_cmpuint(controllers, ==, CGROUP_CPU | CGROUP_BLKIO);
    g_assert_false(cgroup_controllers_from_names(wrong, &controllers, &unknown));
    g_assert_cmpstr(unknown, ==, "pids");
}

/* As existing installations have called theirs. */
static void test_machine_names(void)
{
    static const struct {
        int id;
        const char *name, *machine;
    } cases[] = {
        { 1, "a b", "qemu-1-ab" },     { 2, "\303\251", "qemu-2" }, { 4, "a.b-c_d", "qemu-4-a.b-cd" },
        { 5, "a:b", "qemu-5-ab" },     { 6, ".x", "qemu-6-x" },     { 7, "_y", "qemu-7-y" },
        { 9, "---", "qemu-9" },        { 10, "a--b..c", "qemu-10-a-b.c" },
        { 11, "~!@", "qemu-11" },
    };
    g_autofree char *long_name = g_strnfill(100, 'x');
    g_autofree char *cut = machine_name_make("qemu", 3, long_name, "");
    g_autofree char *expected = g_strconcat("qemu-3-", long_name + 43, NULL);
    g_autofree char *other = machine_name_make("qemu", 3, long_name, "0123abcd");

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *machine = machine_name_make("qemu", cases[i].id, cases[i].name, "");

        g_assert_cmpstr(machine, ==, cases[i].machine);
    }
    g_assert_cmpstr(cut, ==, expected);
    g_assert_cmpuint(strlen(other), ==, 64);
    g_assert_true(g_str_has_suffix(other, "-0123abcd"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cgroup/version_1", test_hierarchies_of_version_1);
    g_test_add_func("/cgroup/version_2", test_controllers_of_version_2);
    g_test_add_func("/cgroup/other_lines", test_lines_that_are_no_mounts_are_left_out);
    g_test_add_func("/cgroup/of_process", test_group_of_a_process);
    g_test_add_func("/cgroup/below_part", test_group_below_a_mount_of_a_part);
    g_test_add_func("/cgroup/partitions", test_partitions);
    g_test_add_func("/cgroup/relative_partition", test_partition_must_be_absolute);
    g_test_add_func("/cgroup/wanted", test_only_wanted_controllers_are_used);
    g_test_add_func("/cgroup/names", test_controllers_by_name);
    g_test_add_func("/cgroup/machine_names", test_machine_names);
    return g_test_run();
}
