#include "virtqemud/qemu/capabilities_xml.h"

#include <string.h>

#include "virtqemud/qemu/caps_store.h"

static void format_machine(const EmulatorMachine *machine, const char *name, const char *canonical,
                           XmlWriter *writer)
{
    xml_writer_open(writer, "machine");
    xml_writer_attr_string(writer, "canonical", canonical);
    xml_writer_attr(writer, "maxCpus", "%u", machine->max_cpus);
    if (machine->is_deprecated)
        xml_writer_attr_string(writer, "deprecated", "yes");
    xml_writer_text(writer, name);
    xml_writer_close(writer);
}

/* An alias stands behind the machine that it means. */
static void format_machines(const EmulatorCaps *caps, XmlWriter *writer)
{
    guint count;
    const EmulatorMachine *machines = emulator_caps_get_machines(caps, &count);

    for (guint i = 0; i < count; i++) {
        format_machine(&machines[i], machines[i].name, NULL, writer);
        if (machines[i].alias)
            format_machine(&machines[i], machines[i].alias, machines[i].name, writer);
    }
}

static void format_domain(const char *type, XmlWriter *writer)
{
    xml_writer_open(writer, "domain");
    xml_writer_attr_string(writer, "type", type);
    xml_writer_close(writer);
}

static void format_arch(const EmulatorGuest *guest, XmlWriter *writer)
{
    xml_writer_open(writer, "arch");
    xml_writer_attr_string(writer, "name", guest->arch);
    xml_writer_element(writer, "wordsize", "%u", guest->word_size);
    xml_writer_element_string(writer, "emulator", emulator_caps_get_path(guest->caps));
    format_machines(guest->caps, writer);
    format_domain("qemu", writer);
    if (emulator_caps_has_kvm(guest->caps))
        format_domain("kvm", writer);
    xml_writer_close(writer);
}

static void format_feature(const char *name, XmlWriter *writer)
{
    xml_writer_open(writer, name);
    xml_writer_close(writer);
}

static void format_toggle(const char *name, const char *toggle, XmlWriter *writer)
{
    xml_writer_open(writer, name);
    xml_writer_attr_string(writer, "default", "on");
    xml_writer_attr_string(writer, "toggle", toggle);
    xml_writer_close(writer);
}

/* What depends on the architecture is so by its nature: PAE is an extension of 32-bit x86, ACPI
 * tables can be left out where QEMU makes them. */
static void format_features(const EmulatorGuest *guest, XmlWriter *writer)
{
    bool is_i686 = strcmp(guest->arch, "i686") == 0;
    bool is_x86 = is_i686 || strcmp(guest->arch, "x86_64") == 0;
    guint n_cpus;

    emulator_caps_get_cpus(guest->caps,
                           emulator_caps_has_kvm(guest->caps) ? EMULATOR_KVM : EMULATOR_TCG,
                           &n_cpus);
    xml_writer_open(writer, "features");
    if (is_i686) {
        format_feature("pae", writer);
        format_feature("nonpae", writer);
    }
    if (is_x86 || strcmp(guest->arch, "aarch64") == 0)
        format_toggle("acpi", "yes", writer);
    if (is_x86)
        format_toggle("apic", "no", writer);
    if (n_cpus > 0)
        format_feature("cpuselection", writer);
    format_feature("deviceboot", writer);
    format_toggle("disksnapshot", "no", writer);
    xml_writer_close(writer);
}

void capabilities_format_guests(const GArray *guests, XmlWriter *writer)
{
    for (guint i = 0; i < guests->len; i++) {
        const EmulatorGuest *guest = &g_array_index(guests, EmulatorGuest, i);

        xml_writer_open(writer, "guest");
        xml_writer_element_string(writer, "os_type", "hvm");
        format_arch(guest, writer);
        format_features(guest, writer);
        xml_writer_close(writer);
        xml_writer_blank_line(writer);
    }
}
