/* The settings of libvirt-guests, and its record of what ran. */
#include <string.h>

#include "base/error_codes.h"
#include "virtqemud/libvirt_guests/record.h"
#include "virtqemud/libvirt_guests/settings.h"

static GuestsSettings *parse(const char *text)
{
    g_autoptr(GError) error = NULL;
    GuestsSettings *settings = guests_settings_parse("FILE", text, &error);

    g_assert_no_error(error);
    return settings;
}

static void test_defaults(void)
{
    g_autoptr(GuestsSettings) settings = parse("# nothing\n\n");

    g_assert_cmpuint(g_strv_length(settings->uris), ==, 1);
    g_assert_cmpstr(settings->uris[0], ==, "default");
    g_assert_false(settings->starts_on_boot);
    g_assert_cmpuint(settings->parallel_shutdown, ==, 0);
    g_assert_cmpuint(settings->shutdown_timeout_s, ==, 300);
    g_assert_cmpint(settings->kind, ==, GUESTS_ALL);
}

static void test_values_are_quoted_as_in_a_shell(void)
{
    g_autoptr(GuestsSettings) settings =
        parse("URIS='default qemu:///system' # both\n  export ON_BOOT=\"start\"\n"
              "PARALLEL_SHUTDOWN=4 #\nSHUTDOWN_TIMEOUT=0\nPERSISTENT_ONLY=true\nSTART_DELAY=2");

    g_assert_cmpuint(g_strv_length(settings->uris), ==, 2);
    g_assert_cmpstr(settings->uris[1], ==, "qemu:///system");
    g_assert_true(settings->starts_on_boot);
    g_assert_cmpuint(settings->shutdown_timeout_s, ==, 0);
    g_assert_cmpuint(settings->start_delay_s, ==, 2);
    g_assert_cmpint(settings->kind, ==, GUESTS_PERSISTENT);
}

static void test_unknown_variables_are_mentioned(void)
{
    g_autoptr(GuestsSettings) settings = parse("LANG=C\nBYPASS_CACHE=0\nSYNC_TIME=1\n");

    g_assert_cmpuint(settings->notices->len, ==, 2);
    g_assert_cmpstr(settings->notices->pdata[0], ==, "FILE:1: LANG: there is no such variable");
}

static void test_wrong_settings_are_refused(void)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        { "ON_BOOT=yes", "unsupported configuration: FILE:1: ON_BOOT: expected start or ignore, "
                         "found 'yes'" },
        { "\nON_SHUTDOWN=suspend",
          "unsupported configuration: FILE:2: ON_SHUTDOWN: guests cannot be saved by this version, "
          "only shut down, found 'suspend'" },
        { "SHUTDOWN_TIMEOUT=-1", "unsupported configuration: FILE:1: SHUTDOWN_TIMEOUT: expected a "
                                 "number, found '-1'" },
        { "PERSISTENT_ONLY=", "unsupported configuration: FILE:1: PERSISTENT_ONLY: expected "
                              "default, true or false, found ''" },
        { "ON_BOOT=start now", "unsupported configuration: FILE:1: ON_BOOT: expected one value: "
                               "put it in quotes, found 'now'" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(guests_settings_parse("FILE", cases[i].text, &error));
        g_assert_cmpstr(error->message, ==, cases[i].message);
    }
}

static void test_lines_that_are_no_settings_are_refused(void)
{
    static const char *const texts[] = { "ON_BOOT", "=start", "URIS='default" };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(guests_settings_parse("FILE", texts[i], &error));
        g_assert_cmpint(error->code, ==, VIR_ERR_CONF_SYNTAX);
    }
}

static void test_record_is_read_as_it_was_written(void)
{
    g_autoptr(GPtrArray) guests = g_ptr_array_new_with_free_func(guest_name_free);
    g_autoptr(GString) text = g_string_new("garbage\ndefault x y\n");
    g_autoptr(GPtrArray) found = NULL;
    g_autoptr(GPtrArray) others = NULL;
    Uuid uuid;

    g_assert_true(uuid_parse("c44c686b-28e3-4eac-a42f-2b64ac117ae0", &uuid, NULL));
    g_ptr_array_add(guests, guest_name_new("a b", &uuid));
    guests_record_append(text, "default", guests);
    found = guests_record_find(text->str, "default");
    others = guests_record_find(text->str, "qemu:///system");
    g_assert_cmpuint(found->len, ==, 1);
    g_assert_cmpuint(others->len, ==, 0);
    g_assert_cmpstr(((GuestName *)found->pdata[0])->name, ==, "a b");
    g_assert_true(uuid_equal(&((GuestName *)found->pdata[0])->uuid, &uuid));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/libvirt_guests/defaults", test_defaults);
    g_test_add_func("/libvirt_guests/quotes", test_values_are_quoted_as_in_a_shell);
    g_test_add_func("/libvirt_guests/unknown", test_unknown_variables_are_mentioned);
    g_test_add_func("/libvirt_guests/wrong", test_wrong_settings_are_refused);
    g_test_add_func("/libvirt_guests/no_settings", test_lines_that_are_no_settings_are_refused);
    g_test_add_func("/libvirt_guests/record", test_record_is_read_as_it_was_written);
    return g_test_run();
}
