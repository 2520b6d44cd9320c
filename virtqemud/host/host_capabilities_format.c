#include "virtqemud/host/cache_bank.h"
#include "virtqemud/host/host_capabilities.h"
#include "virtqemud/host/pages.h"

void host_cpu_topology_format(const HostCapabilities *capabilities, XmlWriter *writer)
{
    const NodeInfo *info = &capabilities->info;

    /* Counts of sockets, cores and threads already stand for all levels between them. */
    xml_writer_open(writer, "topology");
    xml_writer_attr(writer, "sockets", "%u", info->sockets);
    xml_writer_attr(writer, "dies", "1");
    xml_writer_attr(writer, "clusters", "1");
    xml_writer_attr(writer, "cores", "%u", info->cores);
    xml_writer_attr(writer, "threads", "%u", info->threads);
    xml_writer_close(writer);
}

/* Sizes alone: how many there are is told for each cell. */
void host_cpu_pages_format(const HostCapabilities *capabilities, XmlWriter *writer)
{
    for (guint i = 0; i < capabilities->page_sizes->len; i++) {
        xml_writer_open(writer, "pages");
        xml_writer_attr(writer, "unit", "KiB");
        xml_writer_attr(writer, "size", "%u", g_array_index(capabilities->page_sizes, guint, i));
        xml_writer_close(writer);
    }
}

/* Without model and features, for a host whose processor nobody has looked at. */
static void format_cpu(const HostCapabilities *capabilities, XmlWriter *writer)
{
    xml_writer_open(writer, "cpu");
    xml_writer_element_string(writer, "arch", capabilities->info.model);
    host_cpu_topology_format(capabilities, writer);
    host_cpu_pages_format(capabilities, writer);
    xml_writer_close(writer);
}

/* Empty elements that say yes by being there. */
static void format_flag(XmlWriter *writer, const char *name, bool is_set)
{
    if (!is_set)
        return;
    xml_writer_open(writer, name);
    xml_writer_close(writer);
}

/* Stands there empty when the host cannot sleep at all. */
static void format_power_management(const HostCapabilities *capabilities, XmlWriter *writer)
{
    xml_writer_open(writer, "power_management");
    format_flag(writer, "suspend_mem", capabilities->can_suspend_mem);
    format_flag(writer, "suspend_disk", capabilities->can_suspend_disk);
    format_flag(writer, "suspend_hybrid", capabilities->can_suspend_hybrid);
    xml_writer_close(writer);
}

/* What QEMU can do, whatever the host. */
static void format_migration_features(XmlWriter *writer)
{
    xml_writer_open(writer, "migration_features");
    format_flag(writer, "live", true);
    xml_writer_open(writer, "uri_transports");
    xml_writer_element_string(writer, "uri_transport", "tcp");
    xml_writer_element_string(writer, "uri_transport", "rdma");
    xml_writer_close(writer);
    xml_writer_close(writer);
}

/* Every attribute is always there: the schema knows them only together. */
static void format_cell_cpu(const HostTopology *topology, const HostCpu *cpu, XmlWriter *writer)
{
    g_autoptr(Bitmap) siblings = host_topology_siblings(topology, cpu);
    g_autofree char *list = bitmap_format(siblings);

    xml_writer_open(writer, "cpu");
    xml_writer_attr(writer, "id", "%u", cpu->id);
    xml_writer_attr(writer, "socket_id", "%u", cpu->socket_id);
    xml_writer_attr(writer, "die_id", "%u", cpu->die_id);
    xml_writer_attr(writer, "cluster_id", "%u", cpu->cluster_id);
    xml_writer_attr(writer, "core_id", "%u", cpu->core_id);
    xml_writer_attr_string(writer, "siblings", list);
    xml_writer_close(writer);
}

/* A cell that has memory only still shows its list, with nothing in it. */
static void format_cell_cpus(const HostTopology *topology, guint cell_id, XmlWriter *writer)
{
    guint count = 0;

    for (guint i = 0; i < topology->cpus->len; i++)
        count += g_array_index(topology->cpus, HostCpu, i).cell_id == cell_id;
    xml_writer_open(writer, "cpus");
    xml_writer_attr(writer, "num", "%u", count);
    for (guint i = 0; i < topology->cpus->len; i++) {
        const HostCpu *cpu = &g_array_index(topology->cpus, HostCpu, i);

        if (cpu->cell_id == cell_id)
            format_cell_cpu(topology, cpu, writer);
    }
    xml_writer_close(writer);
}

/* Machines whose firmware has no table of distances have none to show. */
static void format_distances(const GArray *distances, XmlWriter *writer)
{
    if (distances->len == 0)
        return;
    xml_writer_open(writer, "distances");
    for (guint i = 0; i < distances->len; i++) {
        const HostDistance *distance = &g_array_index(distances, HostDistance, i);

        xml_writer_open(writer, "sibling");
        xml_writer_attr(writer, "id", "%u", distance->cell_id);
        xml_writer_attr(writer, "value", "%u", distance->value);
        xml_writer_close(writer);
    }
    xml_writer_close(writer);
}

static void write_number(XmlWriter *writer, guint64 number)
{
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, number);

    xml_writer_text(writer, text);
}

/* In the order of the schema. */
static void format_cell(const HostTopology *topology, const HostCell *cell, XmlWriter *writer)
{
    xml_writer_open(writer, "cell");
    xml_writer_attr(writer, "id", "%u", cell->id);
    xml_writer_open(writer, "memory");
    xml_writer_attr(writer, "unit", "KiB");
    write_number(writer, cell->memory_kib);
    xml_writer_close(writer);
    for (guint i = 0; i < cell->pages->len; i++) {
        const HostPages *pages = &g_array_index(cell->pages, HostPages, i);

        xml_writer_open(writer, "pages");
        xml_writer_attr(writer, "unit", "KiB");
        xml_writer_attr(writer, "size", "%" G_GUINT64_FORMAT, pages->size_kib);
        write_number(writer, pages->count);
        xml_writer_close(writer);
    }
    format_distances(cell->distances, writer);
    format_cell_cpus(topology, cell->id, writer);
    xml_writer_close(writer);
}

static void format_topology(const HostCapabilities *capabilities, XmlWriter *writer)
{
    xml_writer_open(writer, "topology");
    xml_writer_open(writer, "cells");
    xml_writer_attr(writer, "num", "%u", capabilities->cells->len);
    for (guint i = 0; i < capabilities->cells->len; i++)
        format_cell(capabilities->topology, g_ptr_array_index(capabilities->cells, i), writer);
    xml_writer_close(writer);
    xml_writer_close(writer);
}

/* In the largest unit that holds it as a whole number. */
static void format_bank_size(guint64 size_kib, XmlWriter *writer)
{
    static const char *const units[] = { "KiB", "MiB", "GiB" };
    gsize unit = 0;

    while (unit + 1 < G_N_ELEMENTS(units) && size_kib % 1024 == 0) {
        size_kib /= 1024;
        unit++;
    }
    xml_writer_attr(writer, "size", "%" G_GUINT64_FORMAT, size_kib);
    xml_writer_attr(writer, "unit", "%s", units[unit]);
}

/* The schema wants at least one bank. */
static void format_cache(const GArray *banks, XmlWriter *writer)
{
    if (banks->len == 0)
        return;
    xml_writer_open(writer, "cache");
    for (guint i = 0; i < banks->len; i++) {
        const CacheBank *bank = &g_array_index(banks, CacheBank, i);
        g_autofree char *cpus = bitmap_format(bank->cpus);

        xml_writer_open(writer, "bank");
        xml_writer_attr(writer, "id", "%u", bank->id);
        xml_writer_attr(writer, "level", "%u", bank->level);
        xml_writer_attr_string(writer, "type", bank->type);
        format_bank_size(bank->size_kib, writer);
        xml_writer_attr_string(writer, "cpus", cpus);
        xml_writer_close(writer);
    }
    xml_writer_close(writer);
}

/* The label that guests of this type get where their definition asks for none. */
static void format_baselabel(XmlWriter *writer, const char *type, const char *label)
{
    if (label == NULL)
        return;
    xml_writer_open(writer, "baselabel");
    xml_writer_attr_string(writer, "type", type);
    xml_writer_text(writer, label);
    xml_writer_close(writer);
}

static void format_secmodel(const HostSecmodel *secmodel, XmlWriter *writer)
{
    xml_writer_open(writer, "secmodel");
    xml_writer_element_string(writer, "model", secmodel->model);
    xml_writer_element_string(writer, "doi", secmodel->doi);
    format_baselabel(writer, "kvm", secmodel->kvm_label);
    format_baselabel(writer, "qemu", secmodel->qemu_label);
    xml_writer_close(writer);
}

void host_capabilities_format(const HostCapabilities *capabilities, const HostIdentity *identity,
                              XmlWriter *writer)
{
    xml_writer_open(writer, "host");
    xml_writer_element_string(writer, "uuid", identity->uuid);
    if (identity->format_cpu != NULL)
        identity->format_cpu(capabilities, writer, identity->format_cpu_data);
    else
        format_cpu(capabilities, writer);
    format_power_management(capabilities, writer);
    xml_writer_open(writer, "iommu");
    xml_writer_attr_string(writer, "support", capabilities->has_iommu ? "yes" : "no");
    xml_writer_close(writer);
    format_migration_features(writer);
    format_topology(capabilities, writer);
    format_cache(capabilities->banks, writer);
    for (gsize i = 0; i < identity->n_secmodels; i++)
        format_secmodel(&identity->secmodels[i], writer);
    xml_writer_close(writer);
}
