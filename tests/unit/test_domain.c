/* Domains in lists, and the version of the emulator. */
#include "virtqemud/domain.h"

#include <string.h>

#include "wire/api_domain.h"

static Domain *running_domain_new(void)
{
    Uuid uuid = { { 7 } };
    Domain *domain = domain_new("vm", &uuid);

    domain->id = 3;
    domain->state = VIR_DOMAIN_RUNNING;
    return domain;
}

static void assert_matches(const Domain *domain, unsigned flags, bool is_expected)
{
    g_assert_cmpint(domain_matches(domain, flags), ==, is_expected);
}

static void test_no_flag_shows_all(void)
{
    Domain *domain = running_domain_new();

    assert_matches(domain, 0, true);
    object_unref(domain);
}

static void test_activity_chooses(void)
{
    Domain *domain = running_domain_new();

    assert_matches(domain, VIR_CONNECT_LIST_DOMAINS_ACTIVE, true);
    assert_matches(domain, VIR_CONNECT_LIST_DOMAINS_INACTIVE, false);
    assert_matches(domain, VIR_CONNECT_LIST_DOMAINS_ACTIVE | VIR_CONNECT_LIST_DOMAINS_INACTIVE,
                   true);
    object_unref(domain);
}

static void test_every_group_must_match(void)
{
    Domain *domain = running_domain_new();

    assert_matches(domain, VIR_CONNECT_LIST_DOMAINS_ACTIVE | VIR_CONNECT_LIST_DOMAINS_TRANSIENT,
                   true);
    assert_matches(domain, VIR_CONNECT_LIST_DOMAINS_ACTIVE | VIR_CONNECT_LIST_DOMAINS_PERSISTENT,
                   false);
    object_unref(domain);
}

static void test_state_chooses(void)
{
    Domain *domain = running_domain_new();

    assert_matches(domain, VIR_CONNECT_LIST_DOMAINS_RUNNING, true);
    assert_matches(domain, VIR_CONNECT_LIST_DOMAINS_PAUSED, false);
    domain->state = VIR_DOMAIN_PAUSED;
    assert_matches(domain, VIR_CONNECT_LIST_DOMAINS_PAUSED, true);
    domain->state = VIR_DOMAIN_CRASHED;
    assert_matches(domain, VIR_CONNECT_LIST_DOMAINS_OTHER, true);
    object_unref(domain);
}

static void test_new_domain_is_off(void)
{
    Uuid uuid = { { 7 } };
    Domain *domain = domain_new("vm", &uuid);

    assert_matches(domain, VIR_CONNECT_LIST_DOMAINS_INACTIVE, true);
    assert_matches(domain, VIR_CONNECT_LIST_DOMAINS_SHUTOFF, true);
    assert_matches(domain, VIR_CONNECT_LIST_DOMAINS_NO_AUTOSTART, true);
    object_unref(domain);
}

static void test_every_flag_of_the_interface_is_known(void)
{
    g_assert_cmphex(domain_filter_flags, ==, 0xffff);
}

static void test_domain_on_the_wire(void)
{
    Domain *domain = running_domain_new();
    remote_nonnull_domain wire;

    domain_to_wire(domain, &wire);
    g_assert_cmpstr(wire.name, ==, "vm");
    g_assert_cmpint(wire.id, ==, 3);
    g_assert_cmpmem(wire.uuid, sizeof(wire.uuid), domain->object.uuid.bytes, UUID_LENGTH);
    g_free(wire.name);
    object_unref(domain);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/domain/no-flag", test_no_flag_shows_all);
    g_test_add_func("/domain/activity", test_activity_chooses);
    g_test_add_func("/domain/every-group", test_every_group_must_match);
    g_test_add_func("/domain/state", test_state_chooses);
    g_test_add_func("/domain/new-is-off", test_new_domain_is_off);
    g_test_add_func("/domain/flags", test_every_flag_of_the_interface_is_known);
    g_test_add_func("/domain/wire", test_domain_on_the_wire);
    return g_test_run();
}
