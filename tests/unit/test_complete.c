/* What existing daemons make of definitions, recorded by data/complete/record.sh:
 *
 *   NAME.in.xml    a definition, as a client gives it
 *   NAME.out.xml   what it is shown afterwards; or
 *   NAME.err       the error that it is refused with
 *   NAME.live.xml  some of them while the guest runs: for the aliases */
#include <glib/gstdio.h>
#include <string.h>

#include "base/error.h"
#include "complete_fixture.h"
#include "virtqemud/qemu/alias.h"

static char *data_read(const char *name, const char *suffix)
{
    g_autofree char *file = g_strconcat(name, suffix, NULL);
    g_autofree char *path = g_build_filename(g_getenv("TEST_DATA"), "complete", file, NULL);
    char *text = NULL;

    g_file_get_contents(path, &text, NULL, NULL);
    return text;
}

static DomainDef *definition_complete(const char *name, GError **error)
{
    g_autofree char *text = data_read(name, ".in.xml");
    g_autoptr(DomainDef) def = domain_def_parse(text, DOMAIN_PARSE_INACTIVE, error);

    if (!def || !domain_def_complete(def, &complete_fixture, error) ||
        !domain_def_validate(def, error))
        return NULL;
    return g_steal_pointer(&def);
}

static void test_is_shown_as_recorded(gconstpointer name)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *expected = data_read(name, ".out.xml");
    g_autoptr(DomainDef) def = definition_complete(name, &error);
    g_autofree char *shown = NULL;

    g_assert_no_error(error);
    shown = domain_def_format(def, DOMAIN_FORMAT_INACTIVE | DOMAIN_FORMAT_SECURE);
    g_assert_cmpstr(g_strchomp(shown), ==, g_strchomp(expected));
}

/* What clients see: "error: PREFIX: DETAIL". */
static void test_is_refused_as_recorded(gconstpointer name)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *expected = data_read(name, ".err");
    g_autoptr(DomainDef) def = definition_complete(name, &error);

    g_assert_null(def);
    g_assert_nonnull(error);
    g_assert_cmpstr(error->message, ==, g_strchomp(expected));
}

static bool alias_append(DeviceInfo *info, const char *what, void *device, void *data)
{
    g_string_append_printf(data, "%s %s\n", what, info->alias ?: "-");
    return true;
}

static char *aliases_of(DomainDef *def)
{
    GString *aliases = g_string_new(NULL);

    domain_def_each_device(def, alias_append, aliases);
    return g_string_free(aliases, FALSE);
}

static void test_aliases_are_as_recorded(gconstpointer name)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *live = data_read(name, ".live.xml");
    g_autoptr(DomainDef) expected = domain_def_parse(live, 0, &error);
    g_autoptr(DomainDef) def = NULL;
    g_autofree char *aliases = NULL, *expected_aliases = NULL;

    g_assert_no_error(error);
    def = definition_complete(name, &error);
    g_assert_no_error(error);
    domain_def_assign_aliases(def);
    aliases = aliases_of(def);
    expected_aliases = aliases_of(expected);
    g_assert_cmpstr(aliases, ==, expected_aliases);
}

/* The <devices> element of @xml. */
static char *devices_of(const char *xml)
{
    const char *start = strstr(xml, "<devices>"), *end = strstr(xml, "</devices>");

    g_assert_true(start && end);
    return g_strndup(start, (gsize) (end - start));
}

/* What a running guest has is written as it was read. */
static void test_devices_are_written_as_recorded(gconstpointer name)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *live = data_read(name, ".live.xml");
    g_autoptr(DomainDef) def = domain_def_parse(live, 0, &error);
    g_autofree char *shown = NULL, *devices = NULL, *expected = NULL;

    g_assert_no_error(error);
    shown = domain_def_format(def, 0);
    devices = devices_of(shown);
    expected = devices_of(live);
    g_assert_cmpstr(devices, ==, expected);
}

static int line_compare(const void *a, const void *b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

static char *lines_sort(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    qsort(lines, g_strv_length(lines), sizeof(*lines), line_compare);
    return g_strjoinv("\n", lines);
}

/* What is shown can be defined again. Controllers that were added are put in order then, but
 * nothing comes or moves: but for the number of a console that is not the first, its place. */
static void test_is_kept_when_defined_again(gconstpointer name)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *shown = data_read(name, ".out.xml");
    g_autofree char *again = NULL, *lines = NULL, *lines_again = NULL;
    g_autoptr(DomainDef) def = domain_def_parse(shown, DOMAIN_PARSE_INACTIVE, &error);

    g_assert_no_error(error);
    domain_def_complete(def, &complete_fixture, &error);
    g_assert_no_error(error);
    if (def->consoles->len > 1)
        return;
    again = domain_def_format(def, DOMAIN_FORMAT_INACTIVE | DOMAIN_FORMAT_SECURE);
    lines = lines_sort(g_strchomp(shown));
    lines_again = lines_sort(g_strchomp(again));
    g_assert_cmpstr(lines_again, ==, lines);
}

/* Definitions that are too many to keep as files. */
static DomainDef *machine_with(const char *machine, const char *devices, GError **error)
{
    g_autofree char *text =
        g_strdup_printf("<domain type='qemu'><name>x</name><memory>65536</memory><os><type "
                        "machine='%s'>hvm</type></os><devices>%s</devices></domain>",
                        machine, devices);

    g_autoptr(DomainDef) def = domain_def_parse(text, DOMAIN_PARSE_INACTIVE, error);

    if (!def || !domain_def_complete(def, &complete_fixture, error) ||
        !domain_def_validate(def, error))
        return NULL;
    return g_steal_pointer(&def);
}

static char *repeat(const char *text, guint count)
{
    GString *all = g_string_new(NULL);

    while (count--)
        g_string_append(all, text);
    return g_string_free(all, FALSE);
}

static guint count_buses(const DomainDef *def)
{
    guint n_buses = 0;

    for (guint i = 0; i < def->controllers->len; i++) {
        const ControllerDef *controller = g_ptr_array_index(def->controllers, i);

        n_buses += controller->type == CONTROLLER_PCI;
    }
    return n_buses;
}

#define NIC "<interface type='user'><model type='virtio'/></interface>"

/* 59 and the balloon fill bus 0 and one bridge to the last slot. */
static void test_a_full_machine_gets_room_for_one_more(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *devices = repeat(NIC, 59);
    g_autoptr(DomainDef) def = machine_with("pc", devices, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(count_buses(def), ==, 3);
}

static void test_more_ports_than_a_root_has_are_refused(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *devices = repeat(NIC, 250);

    g_assert_null(machine_with("q35", devices, &error));
    g_assert_error(error, error_quark(VIR_FROM_DOMAIN), VIR_ERR_INTERNAL_ERROR);
}

static void test_more_devices_than_places_are_refused(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *devices = repeat(NIC, 8000);

    g_assert_null(machine_with("pc", devices, &error));
    g_assert_error(error, error_quark(VIR_FROM_DOMAIN), VIR_ERR_INTERNAL_ERROR);
}

static void test_more_devices_than_are_searched_are_refused(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *devices = repeat("<controller type='usb'/>", 8193);

    g_assert_null(machine_with("pc", devices, &error));
    g_assert_error(error, error_quark(VIR_FROM_QEMU), VIR_ERR_CONFIG_UNSUPPORTED);
}

static void test_a_crowd_without_indexes_is_numbered_in_time(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *devices = repeat("<controller type='virtio-serial'/>", 8000);
    gint64 start_us = g_get_monotonic_time();

    g_assert_null(machine_with("pc", devices, &error));
    g_assert_cmpint(g_get_monotonic_time() - start_us, <, 30 * G_USEC_PER_SEC);
}

static void test_controllers_up_to_an_absurd_number_are_refused(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(machine_with("pc",
                               "<disk type='file'><source file='/a'/><target dev='sda' bus='scsi'/><address "
                               "type='drive' controller='4294967295'/></disk>",
                               &error));
    g_assert_error(error, error_quark(VIR_FROM_QEMU), VIR_ERR_CONFIG_UNSUPPORTED);
}

static void test_channels_on_an_absurd_controller_are_refused(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(machine_with("pc",
                               "<channel type='unix'><target type='virtio' name='a'/><address "
                               "type='virtio-serial' controller='4294967295'/></channel>",
                               &error));
    g_assert_error(error, error_quark(VIR_FROM_DOMAIN), VIR_ERR_XML_ERROR);
}

/* Addresses have four parts, so hubs are at most three deep. */
static void test_more_usb_devices_than_hubs_have_ports_are_refused(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *devices = repeat("<input type='tablet' bus='usb'/>", 1500);

    g_assert_null(machine_with("pc", devices, &error));
    g_assert_error(error, error_quark(VIR_FROM_DOMAIN), VIR_ERR_XML_ERROR);
}

static void test_a_usb_companion_without_a_master_is_refused(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(machine_with("pc", "<controller type='usb' model='ich9-uhci2'/>", &error));
    g_assert_error(error, error_quark(VIR_FROM_DOMAIN), VIR_ERR_XML_DETAIL);
}

/* The folder of newer daemons, which the recorded ones do not know. */
static void test_sockets_of_guests_that_ran_are_forgotten(void)
{
    static const struct {
        const char *path;
        bool is_kept;
    } cases[] = {
        { "/run/libvirt/qemu/channel/7-vm/org.a", false },
        { "/run/libvirt/qemu/channel/7-vm/org.b", true },
        { "/run/libvirt/qemu/channel/vm/org.a", true },
        { "/run/libvirt/qemu/channel/org.a", true },
        { "/srv/channel/7-vm/org.a", true },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *channel = g_strdup_printf(
            "<channel type='unix'><source mode='bind' path='%s'/><target type='virtio' "
            "name='org.a'/></channel>", cases[i].path);
        g_autoptr(DomainDef) def = machine_with("pc", channel, NULL);
        const ChardevDef *made = g_ptr_array_index(def->channels, 0);

        g_assert_cmpstr(made->source.path, ==, cases[i].is_kept ? cases[i].path : NULL);
    }
}

static void test_kvm_where_there_is_none_is_refused(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DomainDef) def = domain_def_parse(
        "<domain type='kvm'><name>x</name><memory>65536</memory><os><type>hvm</type></os><devices>"
        "<emulator>/usr/bin/qemu-without-kvm</emulator></devices></domain>",
        DOMAIN_PARSE_INACTIVE, &error);

    g_assert_no_error(error);
    g_assert_false(domain_def_complete(def, &complete_fixture, &error));
    g_assert_cmpstr(error->message, ==,
                    "unsupported configuration: Emulator '/usr/bin/qemu-without-kvm' does not "
                    "support virt type 'kvm'");
}

static void cases_add(void)
{
    static const struct {
        const char *suffix, *what;
        GTestDataFunc func;
    } kinds[] = {
        { ".out.xml", "shown", test_is_shown_as_recorded },
        { ".out.xml", "again", test_is_kept_when_defined_again },
        { ".err", "refused", test_is_refused_as_recorded },
        { ".live.xml", "aliases", test_aliases_are_as_recorded },
        { ".live.xml", "live", test_devices_are_written_as_recorded },
    };
    g_autofree char *folder = g_build_filename(g_getenv("TEST_DATA"), "complete", NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *file = NULL;

    g_assert_nonnull(dir);
    while ((file = g_dir_read_name(dir))) {
        for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
            g_autofree char *path = NULL;
            char *name = NULL;

            if (!g_str_has_suffix(file, kinds[i].suffix))
                continue;
            name = g_strndup(file, strlen(file) - strlen(kinds[i].suffix));
            path = g_strdup_printf("/complete/%s/%s", kinds[i].what, name);
            g_test_add_data_func_full(path, name, kinds[i].func, g_free);
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    cases_add();
#define ADD(name) g_test_add_func("/complete/" #name, test_##name)
    ADD(a_full_machine_gets_room_for_one_more);
    ADD(more_ports_than_a_root_has_are_refused);
    ADD(more_devices_than_places_are_refused);
    ADD(more_devices_than_are_searched_are_refused);
    ADD(a_crowd_without_indexes_is_numbered_in_time);
    ADD(controllers_up_to_an_absurd_number_are_refused);
    ADD(channels_on_an_absurd_controller_are_refused);
    ADD(more_usb_devices_than_hubs_have_ports_are_refused);
    ADD(a_usb_companion_without_a_master_is_refused);
    ADD(sockets_of_guests_that_ran_are_forgotten);
    ADD(kvm_where_there_is_none_is_refused);
    return g_test_run();
}
