/* What each kind of device accepts, makes of it, and refuses. The cases are in data/devices: an
 * element, "=>", and the element that is written or "error CODE of DOMAIN: MESSAGE"; an empty line
 * ends a case. They are what existing daemons answer, as far as the element alone decides it. */
#include <string.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "base/error.h"
#include "base/log.h"
#include "virtqemud/model/domain_devices.h"

static char *load(const char *family)
{
    g_autofree char *name = g_strconcat(family, ".cases", NULL);
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "data", "devices", name, NULL);
    g_autoptr(GError) error = NULL;
    char *text = NULL;

    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    return text;
}

static const DeviceFamily *family_of(const char *element)
{
    for (size_t i = 0; i < N_DEVICE_FAMILIES; i++)
        if (strcmp(device_families[i].name, element) == 0)
            return &device_families[i];
    g_error("no family <%s>", element);
}

/* The element that comes of @device, or the error. */
static char *outcome(const XmlNode *device)
{
    const DeviceFamily *family = family_of(xml_node_name(device));
    g_autoptr(XmlWriter) writer = xml_writer_new();
    g_autoptr(GError) error = NULL;
    void *parsed = NULL;
    char *text = NULL;

    if (!family->parse(device, DOMAIN_PARSE_INACTIVE, &parsed, &error) ||
        (family->validate && !family->validate(parsed, &error))) {
        family->free(parsed);
        return g_strdup_printf("error %d of %d: %s", error->code, error_get_from(error),
                               error->message);
    }
    family->format(parsed, writer, DOMAIN_FORMAT_INACTIVE | DOMAIN_FORMAT_SECURE);
    family->free(parsed);
    text = xml_writer_finish(writer);
    return g_strchomp(text);
}

static void check_case(const char *text)
{
    g_auto(GStrv) halves = g_strsplit(text, "\n=>\n", 2);
    g_autoptr(GError) error = NULL;
    g_autoptr(XmlDoc) doc = xml_parse(halves[0], "case", &error);
    g_autofree char *found = NULL;

    g_assert_no_error(error);
    g_strchomp(halves[1]);
    found = g_strchomp(outcome(xml_doc_root(doc)));
    if (strcmp(found, halves[1]) != 0) {
        g_test_message("%s\ngives\n%s\nand not\n%s", halves[0], found, halves[1]);
        g_test_fail();
    }
}

static void test_family(gconstpointer family)
{
    g_autofree char *text = load(family);
    g_auto(GStrv) cases = g_strsplit(text, "\n\n", -1);
    guint count = 0;

    for (char **at = cases; *at; at++) {
        if (**at == '\0')
            continue;
        check_case(*at);
        count++;
    }
    g_assert_cmpuint(count, >, 5);
}

/* Operators find in the debug log what a definition lost. */
static void test_elements_that_are_not_known_are_logged(void)
{
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), "model-devices-XXXXXX", NULL);
    int fd = g_mkstemp(path);
    g_autofree char *output = g_strconcat("1:file:", path, NULL);
    g_autoptr(DomainDef) def = NULL;
    g_autofree char *log = NULL;

    g_assert_cmpint(fd, >=, 0);
    g_assert_true(log_set_outputs(output, NULL));
    g_assert_true(log_set_level(1, NULL));
    def = domain_def_parse("<domain type='qemu'><name>t</name><memory>65536</memory><os>"
                           "<type arch='x86_64' machine='pc'>hvm</type></os><devices>"
                           "<disk><source file='/x'/><target dev='vda'/><iotune/></disk>"
                           "</devices></domain>",
                           DOMAIN_PARSE_INACTIVE, NULL);
    g_assert_true(log_set_outputs("", NULL));
    g_assert_true(g_file_get_contents(path, &log, NULL, NULL));
    unlink(path);
    close(fd);
    g_assert_nonnull(def);
    g_assert_nonnull(strstr(log, "element <iotune> in <disk> is not known yet"));
    g_assert_null(strstr(log, "<target>"));
}

int main(int argc, char **argv)
{
    static const char *const families[] = {
        "audio",     "balloon", "channel", "console", "controller", "disk",  "graphics", "input",
        "interface", "lease",   "panic",   "rng",     "serial",  "video",      "vsock", "watchdog",
    };

    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(families); i++) {
        g_autofree char *path = g_strconcat("/model_devices/", families[i], NULL);

        g_test_add_data_func(path, families[i], test_family);
    }
    g_test_add_func("/model_devices/unknown_elements", test_elements_that_are_not_known_are_logged);
    return g_test_run();
}
