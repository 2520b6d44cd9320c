/* Character devices of running guests, and their sources. */
#include "device_fixture.h"

#define CONSOLE                                                                                    \
    "<console type='pty' tty='/dev/pts/3'>\n"                                                      \
    "  <source path='/dev/pts/3'/>\n"                                                              \
    "  <target type='serial' port='0'/>\n"                                                         \
    "  <alias name='serial0'/>\n"                                                                  \
    "</console>"
#define CHANNEL                                                                                    \
    "<channel type='unix'>\n"                                                                      \
    "  <source mode='bind' path='/run/agent'/>\n"                                                  \
    "  <target type='virtio' name='org.qemu.guest_agent.0' state='connected'/>\n"                  \
    "  <alias name='channel0'/>\n"                                                                 \
    "  <address type='virtio-serial' controller='0' bus='0' port='1'/>\n"                          \
    "</channel>"

static void test_running_console_shows_its_terminal(void)
{
    assert_again(CONSOLE, DOMAIN_PARSE_STATUS, 0, CONSOLE);
}

static void test_definition_has_no_terminal(void)
{
    static const char *const definition = "<console type='pty'>\n"
                                          "  <target type='serial' port='0'/>\n"
                                          "</console>";

    assert_again(CONSOLE, DOMAIN_PARSE_STATUS, DOMAIN_FORMAT_INACTIVE, definition);
    assert_again(CONSOLE, DOMAIN_PARSE_INACTIVE, 0, definition);
}

static void test_running_channel_shows_its_state(void)
{
    assert_again(CHANNEL, DOMAIN_PARSE_STATUS, 0, CHANNEL);
}

static void test_definition_has_no_channel_state(void)
{
    g_autofree char *shown = device_again(CHANNEL, DOMAIN_PARSE_STATUS, DOMAIN_FORMAT_INACTIVE);
    g_autofree char *taken = device_again(CHANNEL, DOMAIN_PARSE_INACTIVE, 0);

    g_assert_null(strstr(shown, "state="));
    g_assert_null(strstr(taken, "state="));
}

static void test_unknown_state_of_a_channel_is_refused_in_a_state_file(void)
{
    g_autoptr(XmlDoc) doc =
        xml_parse("<channel type='pty'><target type='virtio' state='ajar'/></channel>", "x", NULL);
    g_autoptr(GError) error = NULL;
    ChardevDef *chardev = NULL;

    g_assert_false(chardev_def_parse(xml_doc_root(doc), CHARDEV_CHANNEL, DOMAIN_PARSE_STATUS,
                                     &chardev, &error));
    g_assert_cmpstr(error->message, ==,
                    "XML error: Invalid value for attribute 'state' in element 'target': 'ajar'.");
}

static void test_copy_of_a_source_is_its_equal(void)
{
    ChardevSource source = { .type = CHARDEV_UNIX, .path = g_strdup("/s"), .is_listening = true };
    ChardevSource copy = { 0 };

    chardev_source_copy(&source, &copy);
    g_assert_true(chardev_source_equal(&source, &copy));
    g_assert_true(copy.path != source.path);
    chardev_source_clear(&copy);
    chardev_source_clear(&source);
}

static void test_sources_differ_by_type_path_and_mode(void)
{
    char a[] = "/a", b[] = "/b";
    const ChardevSource source = { .type = CHARDEV_UNIX, .path = a };
    const ChardevSource others[] = {
        { .type = CHARDEV_FILE, .path = a },
        { .type = CHARDEV_UNIX, .path = b },
        { .type = CHARDEV_UNIX, .path = NULL },
        { .type = CHARDEV_UNIX, .path = a, .is_listening = true },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
        g_assert_false(chardev_source_equal(&source, &others[i]));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/model_chardev/terminal", test_running_console_shows_its_terminal);
    g_test_add_func("/model_chardev/no_terminal", test_definition_has_no_terminal);
    g_test_add_func("/model_chardev/channel_state", test_running_channel_shows_its_state);
    g_test_add_func("/model_chardev/no_channel_state", test_definition_has_no_channel_state);
    g_test_add_func("/model_chardev/bad_channel_state",
                    test_unknown_state_of_a_channel_is_refused_in_a_state_file);
    g_test_add_func("/model_chardev/source_copy", test_copy_of_a_source_is_its_equal);
    g_test_add_func("/model_chardev/source_equal", test_sources_differ_by_type_path_and_mode);
    return g_test_run();
}
