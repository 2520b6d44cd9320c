/* Disks of running guests, backing chains, and the numbers in targets. */
#include "device_fixture.h"

#define RUNNING                                                                                    \
    "<disk type='file' device='disk'>\n"                                                           \
    "  <driver name='qemu' type='qcow2'/>\n"                                                       \
    "  <source file='/top' index='3'/>\n"                                                          \
    "  <backingStore type='file' index='4'>\n"                                                     \
    "    <format type='raw'/>\n"                                                                   \
    "    <source file='/base'/>\n"                                                                 \
    "    <backingStore/>\n"                                                                        \
    "  </backingStore>\n"                                                                          \
    "  <target dev='vda' bus='virtio'/>\n"                                                         \
    "  <alias name='virtio-disk0'/>\n"                                                             \
    "</disk>"

static void test_target_numbers(void)
{
    static const struct {
        const char *target;
        int number;
    } targets[] = {
        { "vda", 0 },
        { "vdb", 1 },
        { "sdz", 25 },
        { "hdaa", 26 },
        { "sdab", 27 },
        { "fdb", 1 },
        { "xvda", 0 },
        { "vdzz", 701 },
        { "vdaaa", 702 },
        { "vda1", 0 },
        { "vd", -1 },
        { "vdA", -1 },
        { "", -1 },
        { "zzz", -1 },
        { "vda-", -1 },
        { "vda01", 0 },
        { "vdzzzzzzzzzzzz", -1 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(targets); i++)
        g_assert_cmpint(disk_target_index(targets[i].target), ==, targets[i].number);
}

static void test_target_names_are_what_their_numbers_come_from(void)
{
    for (unsigned i = 0; i < 20000; i += 7) {
        g_autofree char *name = disk_target_name("sd", i);

        g_assert_cmpint(disk_target_index(name), ==, (int)i);
    }
}

static void test_running_disk_shows_its_chain(void)
{
    assert_again(RUNNING, DOMAIN_PARSE_STATUS, 0, RUNNING);
}

static void test_definition_has_no_indexes(void)
{
    g_autofree char *text = device_again(RUNNING, DOMAIN_PARSE_STATUS, DOMAIN_FORMAT_INACTIVE);

    g_assert_null(strstr(text, "index="));
    g_assert_null(strstr(text, "alias"));
}

static void test_indexes_of_a_definition_are_not_taken_in(void)
{
    g_autofree char *text = device_again(RUNNING, DOMAIN_PARSE_INACTIVE, 0);

    g_assert_null(strstr(text, "index="));
}

static void test_node_names_are_in_the_state_only(void)
{
    DiskDef *disk = device_read(RUNNING, DOMAIN_PARSE_STATUS);
    g_autoptr(XmlWriter) writer = xml_writer_new();
    g_autofree char *status = NULL;
    g_autofree char *shown = NULL;
    DiskDef *again = NULL;

    disk->source->node_name = g_strdup("libvirt-3-format");
    disk->source->backing->node_name = g_strdup("libvirt-4-format");
    disk_def_format(disk, writer, DOMAIN_FORMAT_STATUS);
    status = xml_writer_finish(writer);
    again = device_read(status, DOMAIN_PARSE_STATUS);
    g_assert_cmpstr(again->source->node_name, ==, "libvirt-3-format");
    g_assert_cmpstr(again->source->backing->node_name, ==, "libvirt-4-format");
    disk_def_format(again, writer, 0);
    shown = g_strchomp(xml_writer_finish(writer));
    g_assert_cmpstr(shown, ==, RUNNING);
    disk_def_free(disk);
    disk_def_free(again);
}

static void test_empty_drive_of_a_running_guest_has_no_format(void)
{
    const char *drive = "<disk type='file' device='cdrom'>\n"
                        "  <driver name='qemu'/>\n"
                        "  <target dev='sda' bus='sata'/>\n"
                        "  <readonly/>\n"
                        "</disk>";

    assert_again(drive, DOMAIN_PARSE_STATUS, 0, drive);
}

/* A disk with @count images below its own. */
static char *disk_with_chain(unsigned count)
{
    GString *xml = g_string_new("<disk><driver type='qcow2'/><source file='/x'/>");

    for (unsigned i = 0; i < count; i++)
        g_string_append(xml, "<backingStore type='file'><format type='qcow2'/><source file='/b'/>");
    for (unsigned i = 0; i < count; i++)
        g_string_append(xml, "</backingStore>");
    g_string_append(xml, "<target dev='vda'/></disk>");
    return g_string_free(xml, FALSE);
}

static void test_chain_of_200_images_is_read_and_written(void)
{
    g_autofree char *xml = disk_with_chain(200);
    g_autofree char *text = device_again(xml, DOMAIN_PARSE_INACTIVE, DOMAIN_FORMAT_INACTIVE);
    g_autofree char *second = device_again(text, DOMAIN_PARSE_INACTIVE, DOMAIN_FORMAT_INACTIVE);

    g_assert_cmpstr(text, ==, second);
}

static void test_longer_chain_is_refused(void)
{
    g_autofree char *xml = disk_with_chain(201);

    assert_refused(xml, "XML error: backing chains of more than 200 images are not supported");
}

static void test_copy_of_a_source_has_its_whole_chain(void)
{
    DiskDef *disk = device_read(RUNNING, DOMAIN_PARSE_STATUS);
    DiskSource *copy = disk_source_copy(disk->source);

    disk_def_free(disk);
    g_assert_cmpstr(copy->path, ==, "/top");
    g_assert_cmpuint(copy->index, ==, 3);
    g_assert_cmpstr(copy->backing->path, ==, "/base");
    g_assert_true(copy->backing->is_chain_end);
    g_assert_null(copy->backing->backing);
    disk_source_free(copy);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/model_disk/target_numbers", test_target_numbers);
    g_test_add_func("/model_disk/target_names", test_target_names_are_what_their_numbers_come_from);
    g_test_add_func("/model_disk/running_shows_chain", test_running_disk_shows_its_chain);
    g_test_add_func("/model_disk/definition_without_indexes", test_definition_has_no_indexes);
    g_test_add_func("/model_disk/indexes_not_taken_in",
                    test_indexes_of_a_definition_are_not_taken_in);
    g_test_add_func("/model_disk/node_names_in_state", test_node_names_are_in_the_state_only);
    g_test_add_func("/model_disk/empty_drive", test_empty_drive_of_a_running_guest_has_no_format);
    g_test_add_func("/model_disk/chain_of_200", test_chain_of_200_images_is_read_and_written);
    g_test_add_func("/model_disk/chain_too_long", test_longer_chain_is_refused);
    g_test_add_func("/model_disk/copy", test_copy_of_a_source_has_its_whole_chain);
    return g_test_run();
}
