/* Settings: what a file makes of the defaults, what is refused, what is told. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "common/config.h"

/* A root of its own for each test, and a daemon that is to be configured. */
typedef struct Fixture {
    char *root;
    char *config_path; /* the usual file of the daemon */
    Paths *paths;
    ConfigContext context;
} Fixture;

static void fixture_set_up(Fixture *fixture, gconstpointer data)
{
    g_autofree char *folder = NULL;

    fixture->root = g_dir_make_tmp("config-XXXXXX", NULL);
    g_assert_nonnull(fixture->root);
    fixture->paths = paths_new(true, fixture->root, NULL);
    g_assert_nonnull(fixture->paths);
    folder = g_strdup(fixture->paths->config_dir);
    g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
    fixture->context.daemon = CONFIG_VIRTQEMUD;
    fixture->context.paths = fixture->paths;
    fixture->config_path = paths_config_file(fixture->paths, "virtqemud");
}

static void fixture_tear_down(Fixture *fixture, gconstpointer data)
{
    g_autofree char *etc = g_build_filename(fixture->root, "etc", NULL);

    unlink(fixture->config_path);
    g_assert_cmpint(rmdir(fixture->paths->config_dir), ==, 0);
    g_assert_cmpint(rmdir(etc), ==, 0);
    g_assert_cmpint(rmdir(fixture->root), ==, 0);
    g_free(fixture->config_path);
    g_free(fixture->root);
    paths_free(fixture->paths);
}

static void file_write(const Fixture *fixture, const char *text)
{
    g_assert_true(g_file_set_contents(fixture->config_path, text, -1, NULL));
}

static DaemonConfig *load(const Fixture *fixture, const char *text)
{
    g_autoptr(GError) error = NULL;
    DaemonConfig *config;

    file_write(fixture, text);
    config = config_load(&fixture->context, fixture->config_path, &error);
    g_assert_no_error(error);
    return config;
}

/* @expected has %s for the file's path. */
static void assert_refused(const Fixture *fixture, const char *text, const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DaemonConfig) config = NULL;
    g_auto(GStrv) parts = g_strsplit(expected, "%s", -1);
    g_autofree char *full = g_strjoinv(fixture->config_path, parts);

    file_write(fixture, text);
    config = config_load(&fixture->context, fixture->config_path, &error);
    g_assert_null(config);
    g_assert_error(error, error_quark(VIR_FROM_CONF), VIR_ERR_CONFIG_UNSUPPORTED);
    g_assert_cmpstr(error_detail(error), ==, full);
}

static void assert_notice(const Fixture *fixture, const DaemonConfig *config, guint index,
                          const char *expected)
{
    g_autofree char *full = g_strdup_printf("%s:%s", fixture->config_path, expected);

    g_assert_cmpuint(config->notices->len, >, index);
    g_assert_cmpstr(g_ptr_array_index(config->notices, index), ==, full);
}

static void test_missing_usual_file_means_defaults(Fixture *fixture, gconstpointer data)
{
    g_autoptr(DaemonConfig) config = config_load(&fixture->context, NULL, NULL);

    g_assert_nonnull(config);
    g_assert_cmpuint(config->limits.max_clients, ==, 5000);
    g_assert_cmpuint(config->limits.max_queued_clients, ==, 1000);
    g_assert_cmpuint(config->limits.max_anonymous_clients, ==, 20);
    g_assert_cmpuint(config->limits.min_workers, ==, 5);
    g_assert_cmpuint(config->limits.max_workers, ==, 20);
    g_assert_cmpuint(config->limits.prio_workers, ==, 5);
    g_assert_cmpuint(config->limits.max_client_requests, ==, 5);
    g_assert_cmpint(config->limits.keepalive_interval_s, ==, 5);
    g_assert_cmpuint(config->limits.keepalive_count, ==, 5);
    g_assert_cmpuint(config->admin_limits.max_clients, ==, 5);
    g_assert_cmpuint(config->admin_limits.min_workers, ==, 1);
    g_assert_cmpuint(config->log_level, ==, 3);
    g_assert_false(config->has_log_level || config->has_timeout);
    g_assert_cmpuint(config->timeout_s, ==, 0);
    g_assert_cmpuint(config->unix_sock_admin_perms, ==, 0700);
    g_assert_cmpstr(config->unix_sock_dir, ==, fixture->paths->run_dir);
    g_assert_null(config->tls_allowed_dn_list);
    g_assert_cmpuint(config->notices->len, ==, 0);
}

static void test_missing_named_file_is_an_error(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DaemonConfig) config =
        config_load(&fixture->context, fixture->config_path, &error);

    g_assert_null(config);
    g_assert_nonnull(strstr(error->message, fixture->config_path));
}

static void test_usual_file_is_read(Fixture *fixture, gconstpointer data)
{
    g_autoptr(DaemonConfig) config = NULL;

    file_write(fixture, "max_clients = 77\n");
    config = config_load(&fixture->context, NULL, NULL);
    g_assert_cmpuint(config->limits.max_clients, ==, 77);
}

static void test_virtlogd_has_defaults_of_its_own(Fixture *fixture, gconstpointer data)
{
    g_autoptr(DaemonConfig) config = NULL;

    fixture->context.daemon = CONFIG_VIRTLOGD;
    config = config_load(&fixture->context, NULL, NULL);
    g_assert_cmpuint(config->limits.max_clients, ==, 1024);
    g_assert_cmpuint(config->max_size_bytes, ==, 2097152);
    g_assert_cmpuint(config->max_backups, ==, 3);
    g_assert_cmpstr(config->log_root, ==, fixture->paths->log_dir);
}

static void test_values_reach_their_fields(Fixture *fixture, gconstpointer data)
{
    g_autoptr(DaemonConfig) config =
        load(fixture, "max_clients = 100\nkeepalive_interval = -1\nkeepalive_count = 0\n"
                      "admin_max_workers = 3\nunix_sock_ro_perms = \"0750\"\n"
                      "unix_sock_dir = \"/run/x\"\nauth_unix_ro = \"none\"\n"
                      "log_level = 1\nlog_filters = \"1:rpc 4:net\"\n"
                      "log_outputs = \"3:stderr\"\ntimeout = 30\n");

    g_assert_cmpuint(config->limits.max_clients, ==, 100);
    g_assert_cmpint(config->limits.keepalive_interval_s, ==, -1);
    g_assert_cmpuint(config->limits.keepalive_count, ==, 0);
    g_assert_cmpuint(config->admin_limits.max_workers, ==, 3);
    g_assert_cmpuint(config->unix_sock_ro_perms, ==, 0750);
    g_assert_cmpstr(config->unix_sock_dir, ==, "/run/x");
    g_assert_true(config->has_log_level && config->has_timeout);
    g_assert_cmpuint(config->log_level, ==, 1);
    g_assert_cmpstr(config->log_filters, ==, "1:rpc 4:net");
    g_assert_cmpstr(config->log_outputs, ==, "3:stderr");
    g_assert_cmpuint(config->timeout_s, ==, 30);
    g_assert_cmpuint(config->notices->len, ==, 0);
}

static void test_network_values_reach_virtproxyd(Fixture *fixture, gconstpointer data)
{
    g_autoptr(DaemonConfig) config = NULL;

    fixture->context.daemon = CONFIG_VIRTPROXYD;
    config = load(fixture, "listen_tls = 1\nlisten_tcp = 1\nauth_tcp = \"none\"\n"
                           "listen_addr = \"::1\"\ntls_port = \"1\"\ntcp_port = \"http\"\n"
                           "ca_file = \"/ca\"\ntls_allowed_dn_list = [ \"CN=a\", \"CN=b\" ]\n"
                           "tls_priority = \"NORMAL\"\ntls_no_verify_certificate = 1\n");
    g_assert_true(config->listen_tls && config->listen_tcp);
    g_assert_cmpint(config->auth_tcp, ==, AUTH_NONE);
    g_assert_cmpstr(config->listen_addr, ==, "::1");
    g_assert_cmpstr(config->tls_port, ==, "1");
    g_assert_cmpstr(config->tcp_port, ==, "http");
    g_assert_cmpstr(config->ca_file, ==, "/ca");
    g_assert_cmpuint(g_strv_length(config->tls_allowed_dn_list), ==, 2);
    g_assert_cmpstr(config->tls_priority, ==, "NORMAL");
    g_assert_true(config->tls_no_verify_certificate);
    g_assert_cmpuint(config->notices->len, ==, 0);
}

static void test_empty_dn_list_differs_from_none(Fixture *fixture, gconstpointer data)
{
    g_autoptr(DaemonConfig) config = NULL;

    fixture->context.daemon = CONFIG_VIRTPROXYD;
    config = load(fixture, "tls_allowed_dn_list = []");
    g_assert_nonnull(config->tls_allowed_dn_list);
    g_assert_null(config->tls_allowed_dn_list[0]);
}

static void test_certificates_are_below_the_root(Fixture *fixture, gconstpointer data)
{
    g_autoptr(DaemonConfig) config = config_load(&fixture->context, NULL, NULL);
    g_autofree char *key = g_strconcat(fixture->root, "/etc/pki/libvirt/private/serverkey.pem",
                                       NULL);
    g_autofree char *ca = g_strconcat(fixture->root, "/etc/pki/CA/cacert.pem", NULL);

    g_assert_cmpstr(config->key_file, ==, key);
    g_assert_cmpstr(config->ca_file, ==, ca);
}

static void test_polkit_opens_the_main_socket_to_all(Fixture *fixture, gconstpointer data)
{
    g_autoptr(DaemonConfig) with = NULL;
    g_autoptr(DaemonConfig) without = config_load(&fixture->context, NULL, NULL);

    fixture->context.has_polkit = true;
    with = config_load(&fixture->context, NULL, NULL);
    g_assert_cmpint(without->auth_unix_rw, ==, AUTH_NONE);
    g_assert_cmpuint(without->unix_sock_rw_perms, ==, 0700);
    g_assert_cmpint(with->auth_unix_rw, ==, AUTH_POLKIT);
    g_assert_cmpint(with->auth_unix_ro, ==, AUTH_POLKIT);
    g_assert_cmpuint(with->unix_sock_rw_perms, ==, 0777);
}

static void test_nobody_to_ask_opens_no_door(Fixture *fixture, gconstpointer data)
{
    g_autoptr(DaemonConfig) own = NULL;
    g_autoptr(DaemonConfig) of_group = NULL;
    g_autoptr(DaemonConfig) of_all = NULL;
    g_autoptr(DaemonConfig) activated = NULL;

    fixture->context.knows_polkit = true;
    own = load(fixture, "");
    of_group = load(fixture, "unix_sock_rw_perms = \"0770\"");
    of_all = load(fixture, "unix_sock_rw_perms = \"0777\"");
    fixture->context.is_socket_activated = true;
    activated = load(fixture, "");
    g_assert_cmpint(own->auth_unix_rw, ==, AUTH_NONE);
    g_assert_cmpuint(own->unix_sock_rw_perms, ==, 0700);
    g_assert_cmpint(of_group->auth_unix_rw, ==, AUTH_NONE);
    g_assert_cmpint(of_all->auth_unix_rw, ==, AUTH_POLKIT);
    g_assert_cmpint(activated->auth_unix_rw, ==, AUTH_POLKIT);
    g_assert_cmpint(activated->auth_unix_ro, ==, AUTH_POLKIT);
}

static void test_authentication_none_closes_the_main_socket(Fixture *fixture, gconstpointer data)
{
    g_autoptr(DaemonConfig) config = NULL;

    fixture->context.has_polkit = true;
    config = load(fixture, "auth_unix_rw = \"none\"");
    g_assert_cmpuint(config->unix_sock_rw_perms, ==, 0700);
}

static void test_session_asks_nobody(Fixture *fixture, gconstpointer data)
{
    g_autoptr(Paths) session = NULL;
    g_autoptr(DaemonConfig) config = NULL;

    g_setenv("HOME", fixture->root, TRUE);
    session = paths_new(false, NULL, NULL);
    fixture->context.paths = session;
    fixture->context.has_polkit = true;
    config = load(fixture, "auth_unix_rw = \"polkit\"\nunix_sock_group = \"no-such-group\"");
    g_assert_cmpint(config->auth_unix_rw, ==, AUTH_NONE);
    g_assert_cmpuint(config->unix_sock_rw_perms, ==, 0700);
    assert_notice(fixture, config, 0,
                  "1: auth_unix_rw has no effect: a session daemon serves its own user alone");
    g_assert_cmpuint(config->notices->len, ==, 2);
}

static void test_root_without_privileges_asks_nobody_unless_told(Fixture *fixture,
                                                                 gconstpointer data)
{
    g_autoptr(Paths) paths = paths_new(false, fixture->root, NULL);
    g_autoptr(DaemonConfig) silent = NULL;
    g_autoptr(DaemonConfig) told = NULL;

    fixture->context.paths = paths;
    fixture->context.has_polkit = true;
    silent = load(fixture, "");
    told = load(fixture, "auth_unix_rw = \"polkit\"");
    g_assert_cmpint(silent->auth_unix_rw, ==, AUTH_NONE);
    g_assert_cmpint(told->auth_unix_rw, ==, AUTH_POLKIT);
}

static void test_listen_option_turns_tls_on_unless_the_file_says_no(Fixture *fixture,
                                                                    gconstpointer data)
{
    g_autoptr(DaemonConfig) plain = NULL;
    g_autoptr(DaemonConfig) listening = NULL;
    g_autoptr(DaemonConfig) refused = NULL;

    fixture->context.daemon = CONFIG_VIRTPROXYD;
    plain = load(fixture, "");
    fixture->context.is_listening = true;
    listening = load(fixture, "");
    refused = load(fixture, "listen_tls = 0");
    g_assert_false(plain->listen_tls);
    g_assert_true(listening->listen_tls);
    g_assert_false(refused->listen_tls);
}

static void test_trusted_users_always_have_root_and_ourselves(Fixture *fixture,
                                                              gconstpointer data)
{
    g_autoptr(DaemonConfig) config = load(fixture, "trusted_users = [ 4711, \"4712\", \"root\" ]");
    const uid_t expected[] = { 4711, 4712, 0, geteuid() };

    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
        bool is_found = false;

        for (guint j = 0; j < config->trusted_uids->len; j++) {
            is_found = is_found || g_array_index(config->trusted_uids, uid_t, j) == expected[i];
        }
        g_assert_true(is_found);
    }
}

static void test_unknown_trusted_user_is_refused(Fixture *fixture, gconstpointer data)
{
    assert_refused(fixture, "trusted_users = [ \"no-such-user\" ]",
                   "%s:1: trusted_users: expected users that exist, found \"no-such-user\"");
    assert_refused(fixture, "trusted_users = [ -1 ]",
                   "%s:1: trusted_users: expected a list of user names in quotes and of user "
                   "numbers, found -1");
    /* (uid_t) -1 is what the kernel says of peers that it cannot name. */
    assert_refused(fixture, "trusted_users = [ 4294967295 ]",
                   "%s:1: trusted_users: expected a list of user names in quotes and of user "
                   "numbers, found 4294967295");
}

static void test_unknown_key_is_refused_with_the_nearest(Fixture *fixture, gconstpointer data)
{
    assert_refused(fixture, "\nmax_client = 5",
                   "%s:2: max_client: unknown key; did you mean max_clients?");
    assert_refused(fixture, "colour = 5", "%s:1: colour: unknown key");
}

static void test_key_of_another_daemon_is_refused(Fixture *fixture, gconstpointer data)
{
    assert_refused(fixture, "max_size = 5", "%s:1: max_size: virtqemud has no such key");
    fixture->context.daemon = CONFIG_VIRTLOCKD;
    assert_refused(fixture, "auth_tcp = \"none\"", "%s:1: auth_tcp: virtlockd has no such key");
}

static void test_wrong_types_are_refused(Fixture *fixture, gconstpointer data)
{
    assert_refused(fixture, "max_clients = \"x\"",
                   "%s:1: max_clients: expected a number from 1 to 4294967295 (without quotes), "
                   "found \"x\"");
    assert_refused(fixture, "listen_tcp = 7", "%s:1: listen_tcp: expected 0 or 1, found 7");
    assert_refused(fixture, "unix_sock_ro_perms = 0777",
                   "%s:1: unix_sock_ro_perms: expected permissions in octal digits and quotes, "
                   "at most \"0777\", found 777");
    assert_refused(fixture, "tls_port = 16514",
                   "%s:1: tls_port: expected a port (1 to 65535) or the name of a service, in "
                   "quotes, found 16514");
    assert_refused(fixture, "tls_allowed_dn_list = [ \"a\", 3 ]",
                   "%s:1: tls_allowed_dn_list: expected a list that has quoted strings only, "
                   "found 3");
}

static void test_values_out_of_range_are_refused(Fixture *fixture, gconstpointer data)
{
    assert_refused(fixture, "max_workers = 0",
                   "%s:1: max_workers: expected a number from 1 to 4294967295 (without quotes), "
                   "found 0");
    assert_refused(fixture, "log_level = 9",
                   "%s:1: log_level: expected a number from 1 to 4 (without quotes), found 9");
    assert_refused(fixture, "unix_sock_rw_perms = \"1777\"",
                   "%s:1: unix_sock_rw_perms: expected permissions in octal digits and quotes, "
                   "at most \"0777\", found \"1777\"");
    assert_refused(fixture, "tls_port = \"65536\"",
                   "%s:1: tls_port: expected a port (1 to 65535) or the name of a service, in "
                   "quotes, found \"65536\"");
}

static void test_unknown_words_are_refused(Fixture *fixture, gconstpointer data)
{
    assert_refused(fixture, "auth_unix_rw = \"foo\"",
                   "%s:1: auth_unix_rw: expected \"none\" or \"sasl\" or \"polkit\", "
                   "found \"foo\"");
    assert_refused(fixture, "auth_tls = \"polkit\"",
                   "%s:1: auth_tls: expected \"none\" or \"sasl\", found \"polkit\"");
    assert_refused(fixture, "access_drivers = [ \"polkit\" ]",
                   "%s:1: access_drivers: expected \"none\", found \"polkit\"");
}

static void test_relative_paths_are_refused(Fixture *fixture, gconstpointer data)
{
    assert_refused(fixture, "unix_sock_dir = \"run\"",
                   "%s:1: unix_sock_dir: expected an absolute path in quotes, found \"run\"");
}

static void test_bad_uuids_are_refused(Fixture *fixture, gconstpointer data)
{
    assert_refused(fixture, "host_uuid = \"foo\"",
                   "%s:1: host_uuid: expected a quoted UUID like "
                   "\"c7a5fdbd-edaf-9455-926a-d65c16db1809\", found \"foo\"");
    assert_refused(fixture, "host_uuid = \"11111111-1111-1111-1111-111111111111\"",
                   "%s:1: host_uuid: expected a UUID whose digits are not all the same, found "
                   "\"11111111-1111-1111-1111-111111111111\"");
}

static void test_bad_log_settings_are_refused(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) filters = NULL;
    g_autoptr(GError) outputs = NULL;

    file_write(fixture, "log_filters = \"foo\"");
    g_assert_null(config_load(&fixture->context, NULL, &filters));
    g_assert_nonnull(strstr(filters->message, ":1: log_filters: "));
    file_write(fixture, "log_outputs = \"3:stderr 3:nowhere\"");
    g_assert_null(config_load(&fixture->context, NULL, &outputs));
    g_assert_nonnull(strstr(outputs->message, ":1: log_outputs: "));
}

static void test_missing_group_is_refused(Fixture *fixture, gconstpointer data)
{
    g_autoptr(DaemonConfig) config = load(fixture, "unix_sock_group = \"root\"");

    g_assert_cmpuint(config->unix_sock_gid, ==, 0);
    assert_refused(fixture, "unix_sock_group = \"no-such-group\"",
                   "%s:1: unix_sock_group: there is no group 'no-such-group'");
}

static void test_long_values_are_not_repeated_in_errors(Fixture *fixture, gconstpointer data)
{
    g_autofree char *fill = g_strnfill(100000, 'a');
    g_autofree char *text = g_strconcat("listen_tcp = \"", fill, "\"", NULL);

    assert_refused(fixture, text, "%s:1: listen_tcp: expected 0 or 1, found a long string");
    assert_refused(fixture, "listen_tcp = \"\"\"a\nb\"\"\"",
                   "%s:1: listen_tcp: expected 0 or 1, found a string of several lines");
}

static void test_sasl_is_refused_where_somebody_could_connect(Fixture *fixture,
                                                              gconstpointer data)
{
    g_autoptr(DaemonConfig) closed = NULL;

    fixture->context.daemon = CONFIG_VIRTPROXYD;
    assert_refused(fixture, "auth_unix_rw = \"sasl\"",
                   "%s:1: auth_unix_rw: this version has no SASL, so nobody could connect; set "
                   "\"polkit\" or \"none\"");
    assert_refused(fixture, "\nlisten_tcp = 1",
                   "%s:2: auth_tcp: this version has no SASL, so nobody could connect; set "
                   "\"none\" or close the port");
    closed = load(fixture, "auth_tcp = \"sasl\"\nlisten_tcp = 0");
    g_assert_cmpint(closed->auth_tcp, ==, AUTH_SASL);
}

static void test_anonymous_clients_are_at_most_all_clients(Fixture *fixture, gconstpointer data)
{
    g_autoptr(DaemonConfig) config = load(fixture, "max_clients = 5");

    g_assert_cmpuint(config->limits.max_anonymous_clients, ==, 5);
    assert_refused(fixture, "max_clients = 5\nmax_anonymous_clients = 6",
                   "%s:2: max_anonymous_clients: expected at most max_clients (5), found 6");
}

static void test_min_workers_give_way_to_max_workers(Fixture *fixture, gconstpointer data)
{
    g_autoptr(DaemonConfig) silent = load(fixture, "max_workers = 3");
    g_autoptr(DaemonConfig) config = load(fixture, "min_workers = 9\nmax_workers = 3");

    g_assert_cmpuint(silent->limits.min_workers, ==, 3);
    g_assert_cmpuint(silent->notices->len, ==, 0);
    g_assert_cmpuint(config->limits.min_workers, ==, 3);
    assert_notice(fixture, config, 0, "1: min_workers (9) is above max_workers (3), which counts");
}

static void test_first_of_repeated_keys_counts_and_is_told(Fixture *fixture, gconstpointer data)
{
    g_autoptr(DaemonConfig) config = load(fixture, "max_clients = 60\nmax_clients = 70\n");

    g_assert_cmpuint(config->limits.max_clients, ==, 60);
    assert_notice(fixture, config, 0, "2: max_clients is set again: line 1 counts");
}

static void test_keys_of_virtproxyd_are_told_and_ignored(Fixture *fixture, gconstpointer data)
{
    g_autoptr(DaemonConfig) config = load(fixture, "\nlisten_tcp = 1\ntls_port = \"1\"\n");

    g_assert_false(config->listen_tcp);
    g_assert_cmpstr(config->tls_port, ==, "16514");
    assert_notice(fixture, config, 0,
                  "2: listen_tcp has no effect: only virtproxyd listens on the network: set it "
                  "in virtproxyd.conf");
    g_assert_cmpuint(config->notices->len, ==, 2);
}

static void test_socket_keys_are_ignored_under_activation(Fixture *fixture, gconstpointer data)
{
    g_autoptr(DaemonConfig) config = NULL;

    fixture->context.is_socket_activated = true;
    config = load(fixture, "unix_sock_group = \"no-such-group\"\nmax_clients = 9\n");
    assert_notice(fixture, config, 0,
                  "1: unix_sock_group has no effect: the sockets come from the service manager: "
                  "set it in the socket unit");
    g_assert_cmpuint(config->notices->len, ==, 1);
    g_assert_null(config->unix_sock_group);
    g_assert_cmpuint(config->limits.max_clients, ==, 9);
}

static void test_ignored_keys_must_be_right_all_the_same(Fixture *fixture, gconstpointer data)
{
    assert_refused(fixture, "audit_level = 3",
                   "%s:1: audit_level: expected a number from 0 to 2 (without quotes), found 3");
}

static void test_error_tells_how_many_more(Fixture *fixture, gconstpointer data)
{
    assert_refused(fixture, "log_level = 9\nlisten_tcp = 2\naudit_level = 7\n",
                   "%s:1: log_level: expected a number from 1 to 4 (without quotes), found 9 "
                   "(and 2 more: --check-config shows them)");
}

/* Every key of every daemon, set to its default or example: either it counts, or there is
 * one notice for it. */
static void test_every_key_counts_or_is_told(Fixture *fixture, gconstpointer data)
{
    for (unsigned int i = 0; i < CONFIG_DAEMON_COUNT; i++) {
        fixture->context.daemon = (ConfigDaemon) (1u << i);
        for (const ConfigKey *key = config_keys; key->name; key++) {
            g_autoptr(DaemonConfig) config = NULL;
            g_autofree char *text = NULL;
            const char *value = key->fallback ? key->fallback : key->example;

            if (!(key->daemons & (1u << i)) || key->type == CONFIG_KEY_UUID ||
                key->type == CONFIG_KEY_USERS || g_str_equal(key->name, "unix_sock_group")) {
                continue;
            }
            text = g_strdup_printf("%s = %s\n", key->name, value);
            g_test_message("%s: %s", config_daemon_name(fixture->context.daemon), text);
            config = load(fixture, text);
            g_assert_cmpuint(config->notices->len, ==, key->effective & (1u << i) ? 0 : 1);
        }
    }
}

static char *checked(const Fixture *fixture, const char *text, bool is_good)
{
    char *report = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&report, &length);

    if (text) {
        file_write(fixture, text);
    }
    g_assert_true(config_check(&fixture->context, NULL, out) == is_good);
    g_assert_cmpint(fclose(out), ==, 0);
    return report;
}

static void test_check_lists_all_problems_and_notices(Fixture *fixture, gconstpointer data)
{
    g_autofree char *report = checked(fixture, "log_level = 9\nlisten_tcp = 1\nfoo = 7\n", false);
    g_auto(GStrv) lines = g_strsplit(report, "\n", -1);

    g_assert_cmpuint(g_strv_length(lines), ==, 5);
    g_assert_nonnull(strstr(lines[0], "error: "));
    g_assert_nonnull(strstr(lines[0], ":1: log_level: "));
    g_assert_nonnull(strstr(lines[1], ":3: foo: unknown key"));
    g_assert_nonnull(strstr(lines[2], "notice: "));
    g_assert_nonnull(strstr(lines[2], ":2: listen_tcp has no effect: "));
    g_assert_cmpstr(lines[3], ==, "virtqemud: the configuration cannot be used: 2 errors");
}

static void test_check_of_a_broken_file_fails(Fixture *fixture, gconstpointer data)
{
    g_autofree char *report = checked(fixture, "max_clients", false);

    g_assert_nonnull(strstr(report, ":1: expected '=' after the key\n"));
}

static void test_check_of_a_good_file_succeeds(Fixture *fixture, gconstpointer data)
{
    g_autofree char *missing = checked(fixture, NULL, true);
    g_autofree char *report = checked(fixture, "max_clients = 7\n", true);

    g_assert_cmpstr(report, ==, "virtqemud: the configuration can be used\n");
    g_assert_cmpstr(missing, ==,
                    "virtqemud: the configuration can be used (there is no file: all defaults)\n");
}

static void test_file_full_of_unknown_keys_is_refused_soon(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GString) text = g_string_new(NULL);
    gint64 start;

    for (int i = 0; i < 9000; i++) {
        g_string_append_printf(text, "max_clientsxxxxxxxxxxxxxxxxxxxxxxxxx%d = 1\n", i);
    }
    file_write(fixture, text->str);
    start = g_get_monotonic_time();
    g_assert_null(config_load(&fixture->context, NULL, NULL));
    g_assert_cmpint(g_get_monotonic_time() - start, <, 10 * G_USEC_PER_SEC);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name)                                                                            \
    g_test_add("/config/" #name, Fixture, NULL, fixture_set_up, test_##name, fixture_tear_down)
    ADD(missing_usual_file_means_defaults);
    ADD(missing_named_file_is_an_error);
    ADD(usual_file_is_read);
    ADD(virtlogd_has_defaults_of_its_own);
    ADD(values_reach_their_fields);
    ADD(network_values_reach_virtproxyd);
    ADD(empty_dn_list_differs_from_none);
    ADD(certificates_are_below_the_root);
    ADD(polkit_opens_the_main_socket_to_all);
    ADD(nobody_to_ask_opens_no_door);
    ADD(authentication_none_closes_the_main_socket);
    ADD(session_asks_nobody);
    ADD(root_without_privileges_asks_nobody_unless_told);
    ADD(listen_option_turns_tls_on_unless_the_file_says_no);
    ADD(trusted_users_always_have_root_and_ourselves);
    ADD(unknown_trusted_user_is_refused);
    ADD(unknown_key_is_refused_with_the_nearest);
    ADD(key_of_another_daemon_is_refused);
    ADD(wrong_types_are_refused);
    ADD(values_out_of_range_are_refused);
    ADD(unknown_words_are_refused);
    ADD(relative_paths_are_refused);
    ADD(bad_uuids_are_refused);
    ADD(bad_log_settings_are_refused);
    ADD(missing_group_is_refused);
    ADD(long_values_are_not_repeated_in_errors);
    ADD(sasl_is_refused_where_somebody_could_connect);
    ADD(anonymous_clients_are_at_most_all_clients);
    ADD(min_workers_give_way_to_max_workers);
    ADD(first_of_repeated_keys_counts_and_is_told);
    ADD(keys_of_virtproxyd_are_told_and_ignored);
    ADD(socket_keys_are_ignored_under_activation);
    ADD(ignored_keys_must_be_right_all_the_same);
    ADD(error_tells_how_many_more);
    ADD(every_key_counts_or_is_told);
    ADD(check_lists_all_problems_and_notices);
    ADD(check_of_a_broken_file_fails);
    ADD(check_of_a_good_file_succeeds);
    ADD(file_full_of_unknown_keys_is_refused_soon);
    return g_test_run();
}
