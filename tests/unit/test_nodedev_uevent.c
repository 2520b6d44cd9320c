/* Messages of the kernel about devices. */
#include <glib.h>

#include "virtnodedevd/uevent.h"

#define PARSE(bytes, event) uevent_parse((bytes), sizeof(bytes), (event))

static void test_add(void)
{
    Uevent event;

    g_assert_true(PARSE("add@/devices/virtual/net/a\0ACTION=add\0DEVPATH=/devices/virtual/net/a\0"
                        "SUBSYSTEM=net\0SEQNUM=7",
                        &event));
    g_assert_cmpint(event.action, ==, UEVENT_ADD);
    g_assert_cmpstr(event.path, ==, "/devices/virtual/net/a");
    g_assert_cmpstr(event.subsystem, ==, "net");
    g_assert_null(event.old_path);
}

static void test_move(void)
{
    Uevent event;

    g_assert_true(PARSE("move@/devices/b\0ACTION=move\0DEVPATH=/devices/b\0SUBSYSTEM=net\0"
                        "DEVPATH_OLD=/devices/a",
                        &event));
    g_assert_cmpint(event.action, ==, UEVENT_MOVE);
    g_assert_cmpstr(event.old_path, ==, "/devices/a");
}

static void test_driver_is_a_change(void)
{
    static const char *const actions[] = { "bind", "unbind", "online", "change", "nonsense" };
    static const char rest[] = "\0DEVPATH=/devices/a\0SUBSYSTEM=pci";

    for (size_t i = 0; i < G_N_ELEMENTS(actions); i++) {
        g_autoptr(GString) bytes = g_string_new("x@/devices/a");
        Uevent event;

        g_string_append_c(bytes, '\0');
        g_string_append_printf(bytes, "ACTION=%s", actions[i]);
        g_string_append_len(bytes, rest, sizeof(rest));
        g_assert_true(uevent_parse(bytes->str, bytes->len, &event));
        g_assert_cmpint(event.action, ==, UEVENT_CHANGE);
    }
}

static void test_what_is_none(void)
{
    Uevent event;

    g_assert_false(uevent_parse("", 0, &event));
    g_assert_false(PARSE("", &event));
    g_assert_false(PARSE("libudev\0ACTION=add\0DEVPATH=/devices/a\0SUBSYSTEM=net", &event));
    g_assert_false(PARSE("a@b\0DEVPATH=/devices/a\0SUBSYSTEM=net", &event));
    g_assert_false(PARSE("a@b\0ACTION=add\0SUBSYSTEM=net", &event));
    g_assert_false(PARSE("a@b\0ACTION=add\0DEVPATH=/devices/a", &event));
    g_assert_false(PARSE("a@b\0ACTION=add\0DEVPATH=/etc/a\0SUBSYSTEM=net", &event));
    g_assert_false(PARSE("a@b\0ACTION=add\0DEVPATH=/devices/../a\0SUBSYSTEM=net", &event));
    /* It ends in the middle of a string. */
    g_assert_false(uevent_parse("a@b\0ACTION=add\0DEVPATH=/devices/a\0SUBSYSTEM=net", 46, &event));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/uevent/add", test_add);
    g_test_add_func("/uevent/move", test_move);
    g_test_add_func("/uevent/change", test_driver_is_a_change);
    g_test_add_func("/uevent/none", test_what_is_none);
    return g_test_run();
}
