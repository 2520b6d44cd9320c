/* Graphics of running guests, passwords, and what fills itself in at cards and interfaces. */
#include "device_fixture.h"

#define RUNNING                                                                                    \
    "<graphics type='vnc' port='5900' autoport='yes' listen='127.0.0.1'>\n"                        \
    "  <listen type='address' address='127.0.0.1'/>\n"                                             \
    "</graphics>"
#define WITH_PASSWORD                                                                              \
    "<graphics type='vnc' port='-1' autoport='yes' passwd='secret' "                               \
    "passwdValidTo='2030-01-01T00:00:00' connected='keep'>\n"                                      \
    "  <listen type='address'/>\n"                                                                 \
    "</graphics>"

static void test_running_graphics_show_the_chosen_port(void)
{
    assert_again(RUNNING, DOMAIN_PARSE_STATUS, 0, RUNNING);
}

static void test_chosen_port_is_not_in_the_definition(void)
{
    static const char *const definition =
        "<graphics type='vnc' port='-1' autoport='yes' listen='127.0.0.1'>\n"
        "  <listen type='address' address='127.0.0.1'/>\n"
        "</graphics>";

    assert_again(RUNNING, DOMAIN_PARSE_STATUS, DOMAIN_FORMAT_INACTIVE, definition);
    assert_again(RUNNING, DOMAIN_PARSE_INACTIVE, 0, definition);
}

static void test_password_is_shown_on_request_only(void)
{
    assert_again(WITH_PASSWORD, DOMAIN_PARSE_INACTIVE,
                 DOMAIN_FORMAT_INACTIVE | DOMAIN_FORMAT_SECURE, WITH_PASSWORD);
    assert_again(WITH_PASSWORD, DOMAIN_PARSE_INACTIVE, DOMAIN_FORMAT_INACTIVE,
                 "<graphics type='vnc' port='-1' autoport='yes'>\n"
                 "  <listen type='address'/>\n"
                 "</graphics>");
}

static void test_password_is_in_the_state(void)
{
    g_autofree char *status =
        device_again(WITH_PASSWORD, DOMAIN_PARSE_INACTIVE, DOMAIN_FORMAT_STATUS);

    g_assert_nonnull(strstr(status, "passwd='secret'"));
}

static void test_address_from_the_configuration_is_not_the_definitions(void)
{
    GraphicsDef *graphics = device_read(RUNNING, DOMAIN_PARSE_STATUS);
    g_autoptr(XmlWriter) writer = xml_writer_new();
    g_autofree char *status = NULL;
    g_autofree char *inactive = NULL;

    graphics->is_listen_from_config = true;
    graphics_def_format(graphics, writer, DOMAIN_FORMAT_STATUS);
    status = g_strchomp(xml_writer_finish(writer));
    inactive = device_again(status, DOMAIN_PARSE_STATUS, DOMAIN_FORMAT_INACTIVE);
    g_assert_cmpstr(inactive, ==,
                    "<graphics type='vnc' port='-1' autoport='yes'>\n"
                    "  <listen type='address'/>\n"
                    "</graphics>");
    graphics_def_free(graphics);
}

static void test_card_gets_the_memory_of_its_model(void)
{
    g_autoptr(VideoDef) vga = video_def_new(VIDEO_VGA);
    g_autoptr(VideoDef) qxl = video_def_new(VIDEO_QXL);
    g_autoptr(VideoDef) none = video_def_new(VIDEO_NONE);

    video_def_fill(vga);
    video_def_fill(qxl);
    video_def_fill(none);
    g_assert_cmpuint(vga->vram_kib, ==, 16384);
    g_assert_cmpuint(vga->heads, ==, 1);
    g_assert_cmpuint(qxl->ram_kib, ==, 65536);
    g_assert_cmpuint(qxl->vgamem_kib, ==, 16384);
    g_assert_cmpuint(none->heads, ==, 0);
}

static void test_card_without_a_model_is_left_alone(void)
{
    g_autoptr(VideoDef) video = video_def_new(VIDEO_DEFAULT);

    video_def_fill(video);
    g_assert_cmpuint(video->vram_kib, ==, 0);
    g_assert_cmpuint(video->heads, ==, 0);
}

static void test_interfaces_get_addresses_of_their_own(void)
{
    InterfaceDef *one = device_read("<interface type='user'/>", DOMAIN_PARSE_INACTIVE);
    InterfaceDef *two = device_read("<interface type='user'/>", DOMAIN_PARSE_INACTIVE);

    g_assert_true(one->is_mac_generated);
    g_assert_cmpuint(one->mac.bytes[0], ==, 0x52);
    g_assert_false(mac_is_multicast(&one->mac));
    g_assert_cmpint(mac_compare(&one->mac, &two->mac), !=, 0);
    interface_def_free(one);
    interface_def_free(two);
}

static void test_devices_named_at_start_stay_with_the_running_guest(void)
{
    static const char *const running = "<interface type='user'>\n"
                                       "  <mac address='52:54:00:00:00:01'/>\n"
                                       "  <target dev='vnet0'/>\n"
                                       "</interface>";

    assert_again(running, DOMAIN_PARSE_STATUS, 0, running);
    assert_again(running, DOMAIN_PARSE_INACTIVE, 0,
                 "<interface type='user'>\n"
                 "  <mac address='52:54:00:00:00:01'/>\n"
                 "</interface>");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/model_graphics/chosen_port", test_running_graphics_show_the_chosen_port);
    g_test_add_func("/model_graphics/definition_port", test_chosen_port_is_not_in_the_definition);
    g_test_add_func("/model_graphics/password", test_password_is_shown_on_request_only);
    g_test_add_func("/model_graphics/password_in_state", test_password_is_in_the_state);
    g_test_add_func("/model_graphics/address_from_configuration",
                    test_address_from_the_configuration_is_not_the_definitions);
    g_test_add_func("/model_video/memory", test_card_gets_the_memory_of_its_model);
    g_test_add_func("/model_video/no_model", test_card_without_a_model_is_left_alone);
    g_test_add_func("/model_interface/mac", test_interfaces_get_addresses_of_their_own);
    g_test_add_func("/model_interface/target",
                    test_devices_named_at_start_stay_with_the_running_guest);
    return g_test_run();
}
