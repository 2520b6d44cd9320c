/* The host's processor and UUID, from files that a test makes. */
#include <string.h>

#include <glib.h>

#include "host_tree.h"
#include "virtqemud/host/host_cpu.h"
#include "virtqemud/host/host_uuid.h"

#define UUID "5e1f7a7e-1f0a-4c3b-9f5d-0123456789ab"

static const char cpuinfo[] = "processor\t: 0\n"
                              "vendor_id\t: GenuineIntel\n"
                              "cpu family\t: 6\n"
                              "model\t\t: 167\n"
                              "model name\t: Intel(R) Xeon(R) Processor\n"
                              "stepping\t: 1\n"
                              "microcode\t: 0x2b000\n"
                              "address sizes\t: 48 bits physical, 57 bits virtual\n"
                              "\n"
                              "processor\t: 1\n"
                              "model\t\t: 3\n";

static void test_processor_is_read(void)
{
    g_autoptr(HostTree) tree = host_tree_new(NULL);
    HostProcessor processor;

    host_tree_write(tree, "proc/cpuinfo", cpuinfo, -1);
    host_processor_read(&tree->roots, &processor);
    g_assert_cmpstr(processor.vendor, ==, "Intel");
    g_assert_cmpuint(processor.family, ==, 6);
    g_assert_cmpuint(processor.model, ==, 167);
    g_assert_cmpuint(processor.stepping, ==, 1);
    g_assert_cmpuint(processor.microcode, ==, 0x2b000);
    g_assert_cmpuint(processor.physical_bits, ==, 48);
    g_assert_cmpuint(processor.tsc_hz, ==, 0);
}

static void test_unknown_processor_has_no_numbers(void)
{
    static const char *const texts[] = { "", "vendor_id : Nobody\ncpu family : 6\n", "\n", ":", "model",
                                         "cpu family\t: 99999999999999999999999\n" };

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(HostTree) tree = host_tree_new(NULL);
        HostProcessor processor;

        host_tree_write(tree, "proc/cpuinfo", texts[i], -1);
        host_processor_read(&tree->roots, &processor);
        g_assert_null(processor.vendor);
        g_assert_cmpuint(processor.family, ==, 0);
    }
}

static char *format(HostTree *tree, HostProcessor *processor)
{
    g_autoptr(HostCapabilities) capabilities = NULL;
    g_autoptr(XmlWriter) writer = xml_writer_new();
    g_autoptr(GError) error = NULL;

    host_capabilities_read(&tree->roots, &capabilities, &error);
    g_assert_no_error(error);
    g_strlcpy(capabilities->info.model, "x86_64", sizeof(capabilities->info.model));
    host_processor_format(capabilities, writer, processor);
    return xml_writer_finish(writer);
}

static void test_processor_in_capabilities(void)
{
    g_autoptr(HostTree) tree = host_tree_new("no-numa");
    HostProcessor processor = { .vendor = "AMD", .family = 25, .model = 1, .stepping = 2,
                                .microcode = 7, .physical_bits = 48, .tsc_hz = 2600000000,
                                .has_tsc_scaling = true };
    g_autofree char *text = format(tree, &processor);

    g_assert_true(g_str_has_prefix(text, "<cpu>\n"
                                         "  <arch>x86_64</arch>\n"
                                         "  <vendor>AMD</vendor>\n"
                                         "  <microcode version='7'/>\n"
                                         "  <signature family='25' model='1' stepping='2'/>\n"
                                         "  <counter name='tsc' frequency='2600000000' scaling='yes'/>\n"
                                         "  <topology "));
    g_assert_nonnull(strstr(text, "/>\n  <maxphysaddr mode='emulate' bits='48'/>\n  <pages "));
}

static void test_unknown_processor_in_capabilities(void)
{
    g_autoptr(HostTree) tree = host_tree_new("no-numa");
    HostProcessor processor = { 0 };
    g_autofree char *text = format(tree, &processor);

    g_assert_true(g_str_has_prefix(text, "<cpu>\n  <arch>x86_64</arch>\n  <topology "));
    g_assert_null(strstr(text, "maxphysaddr"));
}

static void assert_uuid(HostTree *tree, const char *configured, bool from_machine_id,
                        const char *expected)
{
    g_autofree char *file = g_build_filename(tree->sys, "machine-id", NULL);
    char text[UUID_TEXT_SIZE];
    Uuid uuid;

    host_uuid_choose(&tree->roots, configured, from_machine_id, file, &uuid);
    uuid_format(&uuid, text);
    if (expected)
        g_assert_cmpstr(text, ==, expected);
    else
        g_assert_true(uuid_is_valid(&uuid) && strcmp(text, UUID) != 0);
}

static void test_configured_uuid_comes_first(void)
{
    g_autoptr(HostTree) tree = host_tree_new(NULL);

    host_tree_write(tree, "sys/machine-id", "00112233445566778899aabbccddeeff\n", -1);
    assert_uuid(tree, UUID, true, UUID);
    assert_uuid(tree, UUID, false, UUID);
}

static void test_machine_id_is_a_uuid(void)
{
    g_autoptr(HostTree) tree = host_tree_new(NULL);

    host_tree_write(tree, "sys/machine-id", "00112233445566778899aabbccddeeff\n", -1);
    assert_uuid(tree, NULL, true, "00112233-4455-6677-8899-aabbccddeeff");
}

static void test_uuid_is_made_up_where_there_is_none(void)
{
    static const char *const texts[] = { "", "uninitialized\n", "00000000000000000000000000000000\n" };
    g_autoptr(HostTree) tree = host_tree_new(NULL);

    assert_uuid(tree, NULL, true, NULL);
    assert_uuid(tree, NULL, false, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        host_tree_write(tree, "sys/machine-id", texts[i], -1);
        assert_uuid(tree, NULL, true, NULL);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/host-cpu/read", test_processor_is_read);
    g_test_add_func("/host-cpu/unknown", test_unknown_processor_has_no_numbers);
    g_test_add_func("/host-cpu/format", test_processor_in_capabilities);
    g_test_add_func("/host-cpu/format-unknown", test_unknown_processor_in_capabilities);
    g_test_add_func("/host-uuid/configured", test_configured_uuid_comes_first);
    g_test_add_func("/host-uuid/machine-id", test_machine_id_is_a_uuid);
    g_test_add_func("/host-uuid/made-up", test_uuid_is_made_up_where_there_is_none);
    return g_test_run();
}
