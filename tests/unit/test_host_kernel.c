/* What the host's kernel lets us set or says it can do: page merging, sleep, KVM, security
 * models, encrypted memory. */
#include <glib.h>

#include "base/error_codes.h"
#include "host_tree.h"
#include "virtqemud/host/ksm.h"
#include "virtqemud/host/max_vcpus.h"
#include "virtqemud/host/security_model.h"
#include "virtqemud/host/sev.h"
#include "virtqemud/host/suspend.h"

#define KSM_FOLDER "sys/kernel/mm/ksm/"

static HostTree *make_ksm(void)
{
    static const char *const files[][2] = {
        { "pages_to_scan", "100\n" },   { "sleep_millisecs", "20\n" },
        { "pages_shared", "1\n" },      { "pages_sharing", "2\n" },
        { "pages_unshared", "3\n" },    { "pages_volatile", "4\n" },
        { "full_scans", "18446744073709551615\n" }, { "merge_across_nodes", "1\n" },
    };
    HostTree *tree = host_tree_new(NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = g_strconcat(KSM_FOLDER, files[i][0], NULL);

        host_tree_write(tree, path, files[i][1], -1);
    }
    return tree;
}

static void test_ksm_shows_all_parameters(void)
{
    g_autoptr(HostTree) tree = make_ksm();
    KsmParameter parameters[KSM_MAX_PARAMETERS];
    guint count;

    g_assert_true(ksm_read(&tree->roots, parameters, &count, NULL));
    g_assert_cmpuint(count, ==, 8);
    g_assert_cmpstr(parameters[0].name, ==, "shm_pages_to_scan");
    g_assert_cmpint(parameters[0].type, ==, KSM_UINT);
    g_assert_cmpuint(parameters[0].value, ==, 100);
    g_assert_cmpstr(parameters[6].name, ==, "shm_full_scans");
    g_assert_cmpint(parameters[6].type, ==, KSM_ULLONG);
    g_assert_cmpuint(parameters[6].value, ==, G_MAXUINT64);
    g_assert_cmpstr(parameters[7].name, ==, "shm_merge_across_nodes");
}

static void test_ksm_leaves_out_what_kernel_lacks(void)
{
    g_autoptr(HostTree) tree = make_ksm();
    KsmParameter parameters[KSM_MAX_PARAMETERS];
    guint count;

    host_tree_remove(tree, KSM_FOLDER "merge_across_nodes");
    g_assert_true(ksm_read(&tree->roots, parameters, &count, NULL));
    g_assert_cmpuint(count, ==, 7);
}

static void test_kernel_without_ksm_has_no_parameters(void)
{
    g_autoptr(HostTree) tree = host_tree_new(NULL);
    KsmParameter parameters[KSM_MAX_PARAMETERS];
    guint count;

    g_assert_true(ksm_read(&tree->roots, parameters, &count, NULL));
    g_assert_cmpuint(count, ==, 0);
}

static void assert_file(HostTree *tree, const char *path, const char *expected)
{
    g_autofree char *text = host_tree_read(tree, path);

    g_assert_cmpstr(g_strstrip(text), ==, expected);
}

static void test_ksm_sets_several(void)
{
    g_autoptr(HostTree) tree = make_ksm();
    KsmParameter wishes[] = {
        { "shm_sleep_millisecs", KSM_UINT, 30 },
        { "shm_pages_to_scan", KSM_UINT, 4294967295 },
    };

    g_assert_true(ksm_set(&tree->roots, wishes, 2, NULL));
    assert_file(tree, KSM_FOLDER "sleep_millisecs", "30");
    assert_file(tree, KSM_FOLDER "pages_to_scan", "4294967295");
}

/* A first wish that is good must not be granted either. */
static void assert_ksm_refused(KsmParameter wish, int code, const char *message)
{
    g_autoptr(HostTree) tree = make_ksm();
    g_autoptr(GError) error = NULL;
    KsmParameter wishes[] = { { "shm_pages_to_scan", KSM_UINT, 7 }, wish };

    host_tree_remove(tree, KSM_FOLDER "merge_across_nodes");
    g_assert_false(ksm_set(&tree->roots, wishes, 2, &error));
    assert_host_error(&error, code, message);
    assert_file(tree, KSM_FOLDER "pages_to_scan", "100");
}

static void test_ksm_refuses_wrong_type(void)
{
    assert_ksm_refused((KsmParameter) { "shm_sleep_millisecs", 1, 3 }, VIR_ERR_INVALID_ARG,
                       "invalid argument: invalid type 'int' for parameter "
                       "'shm_sleep_millisecs', expected 'uint'");
    assert_ksm_refused((KsmParameter) { "shm_sleep_millisecs", 99, 3 }, VIR_ERR_INVALID_ARG, NULL);
}

static void test_ksm_refuses_unknown_and_read_only_names(void)
{
    assert_ksm_refused((KsmParameter) { "nosuch", KSM_UINT, 3 }, VIR_ERR_ARGUMENT_UNSUPPORTED,
                       "argument unsupported: parameter 'nosuch' not supported");
    assert_ksm_refused((KsmParameter) { "shm_full_scans", KSM_ULLONG, 3 },
                       VIR_ERR_ARGUMENT_UNSUPPORTED,
                       "argument unsupported: parameter 'shm_full_scans' not supported");
}

static void test_ksm_refuses_name_that_comes_twice(void)
{
    assert_ksm_refused((KsmParameter) { "shm_pages_to_scan", KSM_UINT, 3 }, VIR_ERR_INVALID_ARG,
                       "invalid argument: parameter 'shm_pages_to_scan' occurs multiple times");
}

static void test_ksm_refuses_what_kernel_lacks(void)
{
    assert_ksm_refused((KsmParameter) { "shm_merge_across_nodes", KSM_UINT, 1 },
                       VIR_ERR_OPERATION_INVALID,
                       "Requested operation is not valid: Parameter 'shm_merge_across_nodes' is "
                       "not supported by this kernel");
}

static HostTree *make_sleeper(void)
{
    HostTree *tree = host_tree_new(NULL);

    host_tree_write(tree, "sys/power/state", "freeze mem disk\n", -1);
    host_tree_write(tree, "sys/power/disk", "[platform] shutdown suspend\n", -1);
    host_tree_write(tree, "sys/class/rtc/rtc0/wakealarm", "", 0);
    return tree;
}

static void test_host_that_can_sleep_says_so(void)
{
    g_autoptr(HostTree) tree = make_sleeper();

    g_assert_true(suspend_is_supported(&tree->roots, SUSPEND_MEM));
    g_assert_true(suspend_is_supported(&tree->roots, SUSPEND_DISK));
    g_assert_true(suspend_is_supported(&tree->roots, SUSPEND_HYBRID));
}

static void test_host_that_cannot_sleep_says_so(void)
{
    g_autoptr(HostTree) tree = host_tree_new(NULL);

    g_assert_false(suspend_is_supported(&tree->roots, SUSPEND_MEM));
    host_tree_write(tree, "sys/power/state", "memory disk\n", -1);
    g_assert_false(suspend_is_supported(&tree->roots, SUSPEND_MEM));
    g_assert_true(suspend_is_supported(&tree->roots, SUSPEND_DISK));
    g_assert_false(suspend_is_supported(&tree->roots, SUSPEND_HYBRID));
}

static void test_suspend_sets_alarm_and_then_sleeps(void)
{
    g_autoptr(HostTree) tree = make_sleeper();

    g_assert_true(suspend_prepare(&tree->roots, SUSPEND_HYBRID, 60, NULL));
    assert_file(tree, "sys/class/rtc/rtc0/wakealarm", "+60");
    assert_file(tree, "sys/power/state", "freeze mem disk");
    g_assert_true(suspend_enter(&tree->roots, SUSPEND_HYBRID, NULL));
    assert_file(tree, "sys/power/disk", "suspend");
    assert_file(tree, "sys/power/state", "disk");
}

static void assert_suspend_refused(HostTree *tree, guint target, guint64 seconds, int code,
                                   const char *message)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(suspend_prepare(&tree->roots, target, seconds, &error));
    assert_host_error(&error, code, message);
}

static void test_suspend_refuses_wrong_arguments(void)
{
    g_autoptr(HostTree) tree = make_sleeper();

    assert_suspend_refused(tree, 3, 60, VIR_ERR_INVALID_ARG,
                           "invalid argument: Invalid suspend target");
    assert_suspend_refused(tree, G_MAXUINT, 60, VIR_ERR_INVALID_ARG, NULL);
    assert_suspend_refused(tree, SUSPEND_MEM, 59, VIR_ERR_INVALID_ARG, NULL);
    assert_suspend_refused(tree, SUSPEND_MEM, G_MAXUINT64, VIR_ERR_INVALID_ARG, NULL);
    assert_file(tree, "sys/class/rtc/rtc0/wakealarm", "");
}

static void test_suspend_refuses_what_host_cannot(void)
{
    g_autoptr(HostTree) tree = host_tree_new(NULL);

    assert_suspend_refused(tree, SUSPEND_MEM, 60, VIR_ERR_ARGUMENT_UNSUPPORTED,
                           "argument unsupported: Suspend-to-RAM");
    assert_suspend_refused(tree, SUSPEND_DISK, 0, VIR_ERR_ARGUMENT_UNSUPPORTED,
                           "argument unsupported: Suspend-to-Disk");
    assert_suspend_refused(tree, SUSPEND_HYBRID, 60, VIR_ERR_ARGUMENT_UNSUPPORTED,
                           "argument unsupported: Hybrid-Suspend");
}

static void test_suspend_needs_a_clock(void)
{
    g_autoptr(HostTree) tree = make_sleeper();

    host_tree_remove(tree, "sys/class");
    assert_suspend_refused(tree, SUSPEND_MEM, 60, VIR_ERR_SYSTEM_ERROR, NULL);
}

static void test_max_vcpus_of_emulated_guests(void)
{
    guint max;

    g_assert_true(max_vcpus_read(&host_roots_default, NULL, &max, NULL));
    g_assert_cmpuint(max, ==, 16);
    g_assert_true(max_vcpus_read(&host_roots_default, "QEMU", &max, NULL));
    g_assert_cmpuint(max, ==, 16);
}

static void test_max_vcpus_refuses_other_types(void)
{
    static const char *const types[] = { "xen", "nosuch", "" };
    guint max;

    for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
        g_autofree char *message = g_strdup_printf("invalid argument: unknown type '%s'",
                                                   types[i]);
        g_autoptr(GError) error = NULL;

        g_assert_false(max_vcpus_read(&host_roots_default, types[i], &max, &error));
        assert_host_error(&error, VIR_ERR_INVALID_ARG, message);
    }
}

static void test_max_vcpus_of_kvm_needs_kvm(void)
{
    g_autoptr(HostTree) tree = host_tree_new(NULL);
    g_autoptr(GError) error = NULL;
    guint max;

    g_assert_false(max_vcpus_read(&tree->roots, "kvm", &max, &error));
    assert_host_error(&error, VIR_ERR_SYSTEM_ERROR, NULL);
}

static void test_max_vcpus_of_device_that_does_not_say(void)
{
    g_autoptr(HostTree) tree = host_tree_new(NULL);
    guint max;

    host_tree_write(tree, "dev/kvm", "", 0);
    g_assert_true(max_vcpus_read(&tree->roots, "kvm", &max, NULL));
    g_assert_cmpuint(max, ==, 4);
}

static void test_security_model_without_any_is_none(void)
{
    g_autoptr(HostTree) tree = host_tree_new(NULL);
    SecurityModel model;

    g_assert_true(security_model_choose(&tree->roots, NULL, &model, NULL));
    g_assert_cmpstr(model.name, ==, "none");
    g_assert_cmpstr(model.doi, ==, "0");
}

static void test_security_model_is_what_kernel_has(void)
{
    g_autoptr(HostTree) tree = host_tree_new(NULL);
    SecurityModel model;

    host_tree_write(tree, "sys/module/apparmor/parameters/enabled", "N\n", -1);
    g_assert_true(security_model_choose(&tree->roots, NULL, &model, NULL));
    g_assert_cmpstr(model.name, ==, "none");
    host_tree_write(tree, "sys/module/apparmor/parameters/enabled", "Y\n", -1);
    g_assert_true(security_model_choose(&tree->roots, NULL, &model, NULL));
    g_assert_cmpstr(model.name, ==, "apparmor");
    host_tree_write(tree, "sys/fs/selinux/enforce", "1", -1);
    g_assert_true(security_model_choose(&tree->roots, NULL, &model, NULL));
    g_assert_cmpstr(model.name, ==, "selinux");
    g_assert_true(security_model_choose(&tree->roots, "none", &model, NULL));
    g_assert_cmpstr(model.name, ==, "none");
}

static void test_security_model_that_is_not_active_is_refused(void)
{
    g_autoptr(HostTree) tree = host_tree_new(NULL);
    g_autoptr(GError) error = NULL;
    SecurityModel model;

    g_assert_false(security_model_choose(&tree->roots, "apparmor", &model, &error));
    assert_host_error(&error, VIR_ERR_CONFIG_UNSUPPORTED, NULL);
    g_assert_false(security_model_choose(&tree->roots, "nosuch", &model, &error));
    assert_host_error(&error, VIR_ERR_CONFIG_UNSUPPORTED, NULL);
}

static void test_sev_needs_device_and_module(void)
{
    g_autoptr(HostTree) tree = host_tree_new(NULL);
    g_autoptr(GError) error = NULL;

    host_tree_write(tree, "dev/sev", "", 0);
    g_assert_false(sev_check(&tree->roots, &error));
    assert_host_error(&error, VIR_ERR_OPERATION_UNSUPPORTED,
                      "Operation not supported: QEMU does not support SEV guest");
    host_tree_write(tree, "sys/module/kvm_amd/parameters/sev", "Y\n", -1);
    g_assert_true(sev_check(&tree->roots, NULL));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ksm/all", test_ksm_shows_all_parameters);
    g_test_add_func("/ksm/missing", test_ksm_leaves_out_what_kernel_lacks);
    g_test_add_func("/ksm/none", test_kernel_without_ksm_has_no_parameters);
    g_test_add_func("/ksm/set", test_ksm_sets_several);
    g_test_add_func("/ksm/wrong-type", test_ksm_refuses_wrong_type);
    g_test_add_func("/ksm/wrong-name", test_ksm_refuses_unknown_and_read_only_names);
    g_test_add_func("/ksm/twice", test_ksm_refuses_name_that_comes_twice);
    g_test_add_func("/ksm/not-in-kernel", test_ksm_refuses_what_kernel_lacks);
    g_test_add_func("/suspend/supported", test_host_that_can_sleep_says_so);
    g_test_add_func("/suspend/unsupported", test_host_that_cannot_sleep_says_so);
    g_test_add_func("/suspend/sleeps", test_suspend_sets_alarm_and_then_sleeps);
    g_test_add_func("/suspend/wrong-arguments", test_suspend_refuses_wrong_arguments);
    g_test_add_func("/suspend/refused", test_suspend_refuses_what_host_cannot);
    g_test_add_func("/suspend/no-clock", test_suspend_needs_a_clock);
    g_test_add_func("/max-vcpus/emulated", test_max_vcpus_of_emulated_guests);
    g_test_add_func("/max-vcpus/other-types", test_max_vcpus_refuses_other_types);
    g_test_add_func("/max-vcpus/no-kvm", test_max_vcpus_of_kvm_needs_kvm);
    g_test_add_func("/max-vcpus/old-kvm", test_max_vcpus_of_device_that_does_not_say);
    g_test_add_func("/security-model/none", test_security_model_without_any_is_none);
    g_test_add_func("/security-model/active", test_security_model_is_what_kernel_has);
    g_test_add_func("/security-model/inactive", test_security_model_that_is_not_active_is_refused);
    g_test_add_func("/sev", test_sev_needs_device_and_module);
    return g_test_run();
}
