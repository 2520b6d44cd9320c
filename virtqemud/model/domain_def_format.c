/* <domain> as the reference writes it, to the byte. */
#include "virtqemud/model/domain_devices.h"
#include "virtqemud/model/metadata.h"
#include "virtqemud/model/tristate.h"

/* Always in KiB: what was given in another unit has been rounded up to that. */
static void size_format(XmlWriter *writer, const char *name, XmlTristate dump_core,
                        uint64_t size_kib)
{
    char text[24];

    g_snprintf(text, sizeof(text), "%" G_GUINT64_FORMAT, size_kib);
    xml_writer_open(writer, name);
    xml_writer_attr_string(writer, "dumpCore", tristate_on_off(dump_core));
    xml_writer_attr_string(writer, "unit", "KiB");
    xml_writer_text(writer, text);
    xml_writer_close(writer);
}

/* The number that is plugged in is written when it is not all of them. */
static void vcpu_format(const DomainDef *def, XmlWriter *writer)
{
    char text[16];

    g_snprintf(text, sizeof(text), "%u", def->max_vcpus);
    xml_writer_open(writer, "vcpu");
    xml_writer_attr_string(writer, "placement", def->is_vcpu_placement_auto ? "auto" : "static");
    xml_writer_attr_string(writer, "cpuset", def->vcpu_cpuset);
    if (def->vcpus != def->max_vcpus)
        xml_writer_attr(writer, "current", "%u", def->vcpus);
    xml_writer_text(writer, text);
    xml_writer_close(writer);
}

/* Where the guest's processes are accounted; of a running one always known. */
static void partition_format(const DomainDef *def, XmlWriter *writer)
{
    if (!def->partition)
        return;
    xml_writer_open(writer, "resource");
    xml_writer_element_string(writer, "partition", def->partition);
    xml_writer_close(writer);
}

static void pm_element(XmlWriter *writer, const char *name, XmlTristate state)
{
    if (state == XML_TRISTATE_ABSENT)
        return;
    xml_writer_open(writer, name);
    xml_writer_attr_string(writer, "enabled", tristate_yes_no(state));
    xml_writer_close(writer);
}

static void pm_format(const DomainDef *def, XmlWriter *writer)
{
    if (def->pm_mem == XML_TRISTATE_ABSENT && def->pm_disk == XML_TRISTATE_ABSENT)
        return;
    xml_writer_open(writer, "pm");
    pm_element(writer, "suspend-to-mem", def->pm_mem);
    pm_element(writer, "suspend-to-disk", def->pm_disk);
    xml_writer_close(writer);
}

/* Written even when they are the defaults, so that later defaults change no guest. */
static void action_format(XmlWriter *writer, const char *name, LifecycleAction action)
{
    xml_writer_element_string(writer, name, lifecycle_action_names[action]);
}

/* A state file is for this daemon alone, so it has the passwords. */
void domain_def_format_to(const DomainDef *def, XmlWriter *writer, DomainFormatFlags flags)
{
    char uuid[UUID_TEXT_SIZE];

    if (flags & DOMAIN_FORMAT_STATUS)
        flags |= DOMAIN_FORMAT_SECURE;
    xml_writer_open(writer, "domain");
    xml_writer_attr_string(writer, "type", virt_type_names[def->virt_type]);
    if (def->id >= 0 && !(flags & DOMAIN_FORMAT_INACTIVE))
        xml_writer_attr(writer, "id", "%d", def->id);
    xml_writer_element_string(writer, "name", def->name);
    xml_writer_element_string(writer, "uuid", uuid_format(&def->uuid, uuid));
    xml_writer_element_string(writer, "title", def->title);
    xml_writer_element_string(writer, "description", def->description);
    metadata_format(def->metadata, writer);
    size_format(writer, "memory", def->dump_core, def->memory_kib);
    size_format(writer, "currentMemory", XML_TRISTATE_ABSENT, def->current_memory_kib);
    vcpu_format(def, writer);
    partition_format(def, writer);
    domain_os_format(&def->os, writer, flags);
    domain_features_format(&def->features, writer);
    cpu_def_format(def->cpu, writer, flags);
    clock_def_format(&def->clock, writer, flags);
    action_format(writer, "on_poweroff", def->on_poweroff);
    action_format(writer, "on_reboot", def->on_reboot);
    action_format(writer, "on_crash", def->on_crash);
    xml_writer_element_string(writer, "on_lockfailure",
                              lock_failure_action_names[def->on_lockfailure]);
    pm_format(def, writer);
    domain_devices_format(def, writer, flags);
    for (guint i = 0; i < def->seclabels->len && !(flags & DOMAIN_FORMAT_INACTIVE); i++)
        seclabel_def_format(g_ptr_array_index(def->seclabels, i), writer);
    xml_writer_close(writer);
}

char *domain_def_format(const DomainDef *def, DomainFormatFlags flags)
{
    g_autoptr(XmlWriter) writer = xml_writer_new();

    domain_def_format_to(def, writer, flags);
    return xml_writer_finish(writer);
}
