/* qemu.conf: its table of keys, its defaults, what is refused and what is only reported. */
#include "virtqemud/qemu_conf.h"

#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

typedef struct ConfCase {
    char *folder, *path;
    Paths *paths;
} ConfCase;

static void case_init(ConfCase *test, bool is_privileged)
{
    g_autoptr(GError) error = NULL;

    *test = (ConfCase){ .folder = g_dir_make_tmp("qemu-conf-XXXXXX", &error) };
    g_assert_no_error(error);
    test->path = g_build_filename(test->folder, "qemu.conf", NULL);
    test->paths = paths_new(is_privileged, test->folder, &error);
    g_assert_no_error(error);
}

static void case_clear(ConfCase *test)
{
    g_autofree char *remove = g_strdup_printf("rm -rf %s", test->folder);

    g_assert_cmpint(system(remove), ==, 0);
    paths_free(test->paths);
    g_free(test->folder);
    g_free(test->path);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ConfCase, case_clear)

static QemuConf *case_load(const ConfCase *test, const char *text, GError **error)
{
    g_assert_true(g_file_set_contents(test->path, text, -1, NULL));
    QemuConf *conf = qemu_conf_load(test->paths, test->path, error);
    g_assert_true(!conf == (error && *error));
    return conf;
}

/* Without privileges: no user is looked for. */
static QemuConf *load(const char *text)
{
    g_auto(ConfCase) test;
    g_autoptr(GError) error = NULL;

    case_init(&test, false);
    QemuConf *conf = case_load(&test, text, &error);
    g_assert_no_error(error);
    return conf;
}

static void assert_refused(const char *text, const char *expected)
{
    g_auto(ConfCase) test;
    g_autoptr(GError) error = NULL;

    case_init(&test, true);
    g_assert_null(case_load(&test, text, &error));
    g_assert_cmpint(error->code, ==, VIR_ERR_CONFIG_UNSUPPORTED);
    g_test_message("%s", error->message);
    g_assert_nonnull(strstr(error->message, expected));
}

static void assert_notice(const char *text, const char *expected)
{
    g_autoptr(QemuConf) conf = load(text);

    g_assert_cmpuint(conf->notices->len, ==, 1);
    g_test_message("%s", (const char *)g_ptr_array_index(conf->notices, 0));
    g_assert_nonnull(strstr(g_ptr_array_index(conf->notices, 0), expected));
}

static void test_defaults_need_no_file(void)
{
    g_auto(ConfCase) test;
    g_autoptr(QemuConf) conf = NULL;

    case_init(&test, false);
    conf = qemu_conf_load(test.paths, NULL, NULL);
    g_assert_cmpstr(conf->vnc_listen, ==, "127.0.0.1");
    g_assert_cmpuint(conf->remote_display_port_min, ==, 5900);
    g_assert_cmpuint(conf->remote_display_port_max, ==, 65535);
    g_assert_true(conf->seccomp_sandbox);
    g_assert_cmpuint(conf->max_core, ==, UINT64_MAX);
    g_assert_null(conf->vnc_password);
    g_autofree char *pki = g_build_filename(test.folder, "etc/pki/qemu", NULL);
    g_assert_cmpstr(conf->vnc_tls_x509_cert_dir, ==, pki);
    g_assert_cmpuint(conf->notices->len, ==, 0);
}

static void test_values_of_the_file_count(void)
{
    g_autoptr(QemuConf) conf = load("vnc_listen = \"0.0.0.0\"\nmax_files = 100\nmax_core = 5\n"
                                    "default_tls_x509_cert_dir = \"/x\"\nvnc_password = \"\"\n"
                                    "default_tls_x509_verify = 1\nseccomp_sandbox = 0\n"
                                    "security_driver = \"none\"\nstdio_handler = \"file\"\n");

    g_assert_cmpstr(conf->vnc_listen, ==, "0.0.0.0");
    g_assert_cmpuint(conf->max_files, ==, 100);
    g_assert_cmpuint(conf->max_core, ==, 5);
    g_assert_cmpstr(conf->vnc_tls_x509_cert_dir, ==, "/x");
    g_assert_true(conf->vnc_tls_x509_verify);
    g_assert_cmpstr(conf->vnc_password, ==, "");
    g_assert_false(conf->seccomp_sandbox);
    g_assert_cmpstr(conf->security_driver[0], ==, "none");
    g_assert_cmpuint(conf->notices->len, ==, 0);
}

static void test_every_ignored_key_has_a_reason_and_takes_its_example(void)
{
    for (const ConfigKey *key = qemu_conf_keys; key->name; key++) {
        g_autofree char *text = NULL;
        const char *value = key->fallback ? key->fallback : key->example;

        g_test_message("%s", key->name);
        g_assert_nonnull(value);
        g_assert_true(!key->effective == !!key->reason);
        /* The one example that has to be changed. */
        if (key->type == CONFIG_KEY_UUID)
            value = "\"c7a5fdbd-edaf-9455-926a-d65c16db1809\"";
        text = g_strdup_printf("%s = %s\n", key->name, value);
        g_autoptr(QemuConf) conf = load(text);
        g_assert_cmpuint(conf->notices->len, ==, !key->effective || key->is_system ? 1 : 0);
    }
}

/* Loads qemu.conf with the lock manager and @text as its file. */
static QemuConf *load_lockd(const char *text, GError **error)
{
    g_auto(ConfCase) test;
    g_autofree char *path = NULL;
    g_autofree char *folder = NULL;

    case_init(&test, false);
    path = paths_config_file(test.paths, "qemu-lockd");
    folder = g_path_get_dirname(path);
    g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
    g_assert_true(!text || g_file_set_contents(path, text, -1, NULL));
    return case_load(&test, "lock_manager = \"lockd\"\n", error);
}

static void test_lock_manager_has_a_file_of_its_own(void)
{
    g_autoptr(QemuConf) none = load("");
    g_autoptr(QemuConf) missing = load_lockd(NULL, NULL);
    g_autoptr(QemuConf) leases = load_lockd("auto_disk_leases = 0\n", NULL);
    g_autoptr(QemuConf) folder =
        load_lockd("file_lockspace_dir = \"/x\"\nrequire_lease_for_disks = 1\n", NULL);

    g_assert_cmpint(none->lock_manager, ==, QEMU_LOCK_NOP);
    g_assert_cmpint(missing->lock_manager, ==, QEMU_LOCK_LOCKD);
    g_assert_true(missing->lockd.auto_disk_leases);
    g_assert_false(missing->lockd.require_lease_for_disks);
    g_assert_null(missing->lockd.file_lockspace_dir);
    g_assert_true(leases->lockd.require_lease_for_disks);
    g_assert_cmpstr(folder->lockd.file_lockspace_dir, ==, "/x");
    g_assert_true(folder->lockd.require_lease_for_disks);
}

static void test_wrong_values_of_the_lock_manager_are_refused(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(load_lockd("\nfile_lockspace_dir = \"x\"\n", &error));
    g_assert_nonnull(strstr(error->message, "qemu-lockd.conf:2: file_lockspace_dir: expected"));
}

static void test_key_without_effect_is_reported(void)
{
    assert_notice("\nmigrate_tls_force = 1\n", "qemu.conf:2: migrate_tls_force has no effect yet: ");
    assert_notice("user = \"root\"\n", "user has no effect yet: without privileges");
}

static void test_unknown_key_is_reported(void)
{
    assert_notice("clear_emulator_capabilities = 1\n", ":1: clear_emulator_capabilities: this "
                                                       "version has no such key");
}

static void test_second_value_is_reported(void)
{
    assert_notice("max_files = 1\nmax_files = 2\n", ":2: max_files is set again: line 1 counts");
}

static void test_wrong_values_are_refused(void)
{
    assert_refused("vnc_tls = 2\n", ":1: vnc_tls: expected 0 or 1");
    assert_refused("max_core = \"much\"\n", "max_core: expected a number of bytes or \"unlimited\"");
    assert_refused("remote_display_port_min = 80\n", "from 5900 to 65535");
    assert_refused("hugetlbfs_mount = 7\n", "hugetlbfs_mount: expected a [list]");
    assert_refused("vnc_password = 7\n", "vnc_password: expected a quoted string");
    assert_refused("vnc_tls = 2\nvnc_sasl = 3\n", "(and 1 more");
}

static void test_ports_must_be_in_order(void)
{
    assert_refused("remote_display_port_min = 6000\nremote_display_port_max = 5999\n",
                   ":2: remote_display_port_min: expected at most remote_display_port_max (5999)");
}

static void test_missing_confinement_is_refused(void)
{
    assert_refused("security_driver = \"selinux\"\n", "expected \"none\"");
    assert_refused("security_driver = [ \"none\", \"apparmor\" ]\n", "expected \"none\"");
}

static void test_missing_user_is_refused(void)
{
    assert_refused("user = \"no-such-user\"\n", ":1: user: there is no user 'no-such-user'");
    assert_refused("user = \"+x\"\n", "there is no user");
    assert_refused("user = \"root\"\ngroup = \"no-such-group\"\n", ":2: group: there is no group");
}

static void test_user_is_found_by_name_and_number(void)
{
    g_auto(ConfCase) test;
    g_autoptr(QemuConf) conf = NULL, by_number = NULL;

    case_init(&test, true);
    conf = case_load(&test, "user = \"nobody\"\ngroup = \"+4711\"\n", NULL);
    g_assert_true(conf->run_as.is_switched);
    g_assert_cmpuint(conf->run_as.uid, ==, getpwnam("nobody")->pw_uid);
    g_assert_cmpuint(conf->run_as.gid, ==, 4711);
    g_assert_cmpuint(g_array_index(conf->run_as.groups, gid_t, 0), ==, 4711);
    by_number = case_load(&test, "user = \"+4712\"\ngroup = \"4713\"\n", NULL);
    g_assert_cmpuint(by_number->run_as.uid, ==, 4712);
    g_assert_cmpuint(by_number->run_as.gid, ==, 4713);
    g_assert_cmpuint(by_number->run_as.groups->len, ==, 1);
    g_assert_cmpuint(by_number->notices->len, ==, 0);
}

/* The account of existing installations, or root and a word about it. */
static void test_default_user_is_usual_or_reported(void)
{
    g_auto(ConfCase) test;
    g_autoptr(QemuConf) conf = NULL;
    struct passwd *usual = getpwnam("libvirt-qemu");

    if (!usual)
        usual = getpwnam("qemu");
    uid_t uid = usual ? usual->pw_uid : 0;
    case_init(&test, true);
    conf = case_load(&test, "", NULL);
    g_assert_true(conf->run_as.is_switched);
    g_assert_cmpuint(conf->run_as.uid, ==, uid);
    g_assert_true(conf->run_as.is_fallback == !usual);
    g_assert_cmpuint(conf->notices->len, ==, usual ? 0 : 1);
}

static void test_session_keeps_its_user(void)
{
    g_autoptr(QemuConf) conf = load("");

    g_assert_false(conf->run_as.is_switched);
    g_assert_false(conf->dynamic_ownership);
    g_assert_cmpuint(conf->run_as.uid, ==, geteuid());
}

/* What the check prints about a file with @text; NULL: there is none. */
static char *check(const char *text, bool expected)
{
    g_auto(ConfCase) test;
    g_autofree char *path = NULL, *printed = NULL;
    size_t size;

    case_init(&test, false);
    path = paths_config_file(test.paths, "qemu");
    g_autofree char *folder = g_path_get_dirname(path);
    g_assert_cmpint(g_mkdir_with_parents(folder, 0755), ==, 0);
    g_assert_true(!text || g_file_set_contents(path, text, -1, NULL));
    FILE *out = open_memstream(&printed, &size);
    g_assert_true(qemu_conf_check(test.paths, out) == expected);
    fclose(out);
    return g_strdup(printed);
}

static void test_check_prints_all_there_is_to_say(void)
{
    g_autofree char *none = check(NULL, true);
    g_autofree char *bad = check("max_files = \"x\"\nmigrate_tls_force = 1\nvnc_tls = 7\n", false);
    g_autofree char *broken = check("vnc_tls\n", false);

    g_assert_cmpstr(none, ==,
                    "qemu.conf: the configuration can be used (there is no file: all defaults)\n");
    g_assert_nonnull(strstr(bad, "error: "));
    g_assert_nonnull(strstr(bad, ":1: max_files: expected"));
    g_assert_nonnull(strstr(bad, ":3: vnc_tls: expected"));
    g_assert_nonnull(strstr(bad, "notice: "));
    g_assert_true(g_str_has_suffix(bad, "the configuration cannot be used: 2 errors\n"));
    g_assert_true(g_str_has_suffix(broken, "the configuration cannot be used\n"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/qemu_conf/" #name, test_##name)
    TEST(defaults_need_no_file);
    TEST(values_of_the_file_count);
    TEST(every_ignored_key_has_a_reason_and_takes_its_example);
    TEST(key_without_effect_is_reported);
    TEST(lock_manager_has_a_file_of_its_own);
    TEST(wrong_values_of_the_lock_manager_are_refused);
    TEST(unknown_key_is_reported);
    TEST(second_value_is_reported);
    TEST(wrong_values_are_refused);
    TEST(ports_must_be_in_order);
    TEST(missing_confinement_is_refused);
    TEST(missing_user_is_refused);
    TEST(user_is_found_by_name_and_number);
    TEST(default_user_is_usual_or_reported);
    TEST(session_keeps_its_user);
    TEST(check_prints_all_there_is_to_say);
    return g_test_run();
}
