/* The table of configuration keys: complete, and right about itself. */
#include <string.h>
#include <unistd.h>

#include "common/conf_file.h"
#include "common/config.h"
#include "common/config_value.h"

/* What the reference manual's example files have. */
static const char *const server_keys[] = {
    "listen_tls", "listen_tcp", "tls_port", "tcp_port", "listen_addr", "unix_sock_group",
    "unix_sock_ro_perms", "unix_sock_rw_perms", "unix_sock_admin_perms", "unix_sock_dir",
    "auth_unix_ro", "auth_unix_rw", "auth_tcp", "auth_tls", "tcp_min_ssf", "access_drivers",
    "key_file", "cert_file", "ca_file", "crl_file", "tls_no_sanity_certificate",
    "tls_no_verify_certificate", "tls_allowed_dn_list", "tls_priority",
    "sasl_allowed_username_list", "max_clients", "max_queued_clients", "max_anonymous_clients",
    "min_workers", "max_workers", "prio_workers", "max_client_requests", "admin_min_workers",
    "admin_max_workers", "admin_max_clients", "admin_max_queued_clients",
    "admin_max_client_requests", "log_level", "log_filters", "log_outputs", "audit_level",
    "audit_logging", "host_uuid", "host_uuid_source", "keepalive_interval", "keepalive_count",
    "keepalive_required", "admin_keepalive_required", "admin_keepalive_interval",
    "admin_keepalive_count", "ovs_timeout",
};
static const char *const virtlogd_keys[] = {
    "log_level", "log_filters", "log_outputs", "max_clients", "admin_max_clients",
    "max_size", "max_backups", "max_age_days", "log_root",
};
static const char *const virtlockd_keys[] = {
    "log_level", "log_filters", "log_outputs", "max_clients", "admin_max_clients",
};

static ConfigDaemon daemon_at(unsigned int index)
{
    return (ConfigDaemon) (1u << index);
}

static void assert_has(ConfigDaemon daemon, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const ConfigKey *key = config_key_find(names[i]);

        g_test_message("%s: %s", config_daemon_name(daemon), names[i]);
        g_assert_nonnull(key);
        g_assert_true(key->daemons & (unsigned int) daemon);
    }
}

static void test_every_documented_key_is_there(void)
{
    for (unsigned int i = 0; i < CONFIG_DAEMON_COUNT; i++) {
        if (CONFIG_SERVERS & (unsigned int) daemon_at(i)) {
            assert_has(daemon_at(i), server_keys, G_N_ELEMENTS(server_keys));
        }
    }
    assert_has(CONFIG_VIRTLOGD, virtlogd_keys, G_N_ELEMENTS(virtlogd_keys));
    assert_has(CONFIG_VIRTLOCKD, virtlockd_keys, G_N_ELEMENTS(virtlockd_keys));
}

static void test_names_are_unique(void)
{
    for (const ConfigKey *key = config_keys; key->name; key++) {
        g_assert_true(config_key_find(key->name) == key);
    }
}

static void test_every_key_is_documented(void)
{
    g_assert_nonnull(config_keys[0].section);
    for (const ConfigKey *key = config_keys; key->name; key++) {
        g_test_message("%s", key->name);
        g_assert_true(g_str_has_suffix(key->text, "."));
        g_assert_true(key->fallback || key->example);
    }
}

static void test_every_key_counts_or_has_a_reason(void)
{
    for (const ConfigKey *key = config_keys; key->name; key++) {
        g_test_message("%s", key->name);
        g_assert_cmpuint(key->effective & ~key->daemons, ==, 0);
        g_assert_true(key->effective == key->daemons || key->reason);
    }
}

/* Sets @key to @text in an empty configuration. */
static char *reason_against(const ConfigKey *key, const char *text)
{
    g_autofree char *line = g_strdup_printf("%s = %s", key->name, text);
    g_autoptr(ConfFile) file = conf_file_parse("x.conf", line, strlen(line), NULL);
    DaemonConfig config = { 0 };
    char *reason = NULL;
    bool is_set;

    g_test_message("%s", line);
    g_assert_nonnull(file);
    is_set = config_value_set(&config, key, conf_file_find(file, key->name)->value, &reason);
    g_assert_true(is_set == !reason);
    config_value_clear(&config, key);
    return reason;
}

static void test_every_default_and_example_is_accepted(void)
{
    for (const ConfigKey *key = config_keys; key->name; key++) {
        const char *const texts[] = { key->fallback, key->helper_fallback, key->example };

        for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
            /* Users differ from host to host; the example UUID is meant to be refused. */
            if (!texts[i] || key->type == CONFIG_KEY_USERS || key->type == CONFIG_KEY_UUID) {
                continue;
            }
            g_assert_cmpstr(reason_against(key, texts[i]), ==, NULL);
        }
    }
}

static void test_every_key_refuses_a_value_of_another_type(void)
{
    for (const ConfigKey *key = config_keys; key->name; key++) {
        bool is_list = key->type == CONFIG_KEY_LIST || key->type == CONFIG_KEY_USERS ||
                       key->type == CONFIG_KEY_CHOICES;
        g_autofree char *reason = reason_against(key, is_list ? "5" : "[ \"a\" ]");
        const char *found = is_list ? "found 5" : "found a list";

        g_assert_nonnull(reason);
        g_assert_true(g_str_has_prefix(reason, "expected "));
        g_assert_true(g_str_has_suffix(reason, found));
    }
}

static void test_every_number_refuses_what_is_out_of_range(void)
{
    for (const ConfigKey *key = config_keys; key->name; key++) {
        g_autofree char *below = g_strdup_printf("%" G_GINT64_FORMAT, key->min - 1);
        g_autofree char *above = g_strdup_printf("%" G_GINT64_FORMAT, key->max + 1);
        g_autofree char *below_reason = NULL;
        g_autofree char *above_reason = NULL;

        if (key->type != CONFIG_KEY_INT && key->type != CONFIG_KEY_UINT &&
            key->type != CONFIG_KEY_UINT64) {
            continue;
        }
        below_reason = reason_against(key, below);
        g_assert_nonnull(strstr(below_reason, "expected a number from"));
        if (key->max > 0) {
            above_reason = reason_against(key, above);
            g_assert_nonnull(strstr(above_reason, "expected a number from"));
        }
    }
}

static void test_daemon_names_go_both_ways(void)
{
    for (unsigned int i = 0; i < CONFIG_DAEMON_COUNT; i++) {
        g_assert_cmpint(config_daemon_from_name(config_daemon_name(daemon_at(i))), ==,
                        daemon_at(i));
    }
    g_assert_cmpint(config_daemon_from_name("libvirtd"), ==, 0);
    g_assert_null(config_daemon_name((ConfigDaemon) CONFIG_HELPERS));
}

static const char *near(ConfigDaemon daemon, const char *name)
{
    const ConfigKey *key = config_key_find_near(daemon, name);

    return key ? key->name : NULL;
}

static void test_near_misses_are_found(void)
{
    g_assert_cmpstr(near(CONFIG_VIRTQEMUD, "max_client"), ==, "max_clients");
    g_assert_cmpstr(near(CONFIG_VIRTQEMUD, "Max_Clients"), ==, "max_clients");
    g_assert_cmpstr(near(CONFIG_VIRTQEMUD, "log_output"), ==, "log_outputs");
    g_assert_cmpstr(near(CONFIG_VIRTLOGD, "max_backup"), ==, "max_backups");
}

static void test_near_miss_is_a_key_of_the_daemon(void)
{
    g_assert_cmpstr(near(CONFIG_VIRTQEMUD, "max_backup"), !=, "max_backups");
    g_assert_cmpstr(near(CONFIG_VIRTLOCKD, "auth_unix_rx"), ==, NULL);
}

static void test_nothing_is_near_to_nonsense(void)
{
    g_autofree char *longest = g_strnfill(100000, 'a');

    g_assert_cmpstr(near(CONFIG_VIRTQEMUD, "x"), ==, NULL);
    g_assert_cmpstr(near(CONFIG_VIRTQEMUD, "colour"), ==, NULL);
    g_assert_cmpstr(near(CONFIG_VIRTQEMUD, longest), ==, NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add_func("/config-keys/" #name, test_##name)
    ADD(every_documented_key_is_there);
    ADD(names_are_unique);
    ADD(every_key_is_documented);
    ADD(every_key_counts_or_has_a_reason);
    ADD(every_default_and_example_is_accepted);
    ADD(every_key_refuses_a_value_of_another_type);
    ADD(every_number_refuses_what_is_out_of_range);
    ADD(daemon_names_go_both_ways);
    ADD(near_misses_are_found);
    ADD(near_miss_is_a_key_of_the_daemon);
    ADD(nothing_is_near_to_nonsense);
    return g_test_run();
}
