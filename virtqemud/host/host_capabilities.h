/* The <host> part of the capabilities document (manual: formatcaps; schema: capability.rng):
 * what is read from the kernel, and its form. The model and features of the processor are not
 * known here: whoever knows them writes the <cpu> element. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "virtqemud/host/node_info.h"
#include "virtqemud/host/roots.h"
#include "virtqemud/host/topology.h"
#include "xml/writer.h"

typedef struct HostDistance {
    guint cell_id;
    guint value;
} HostDistance;

typedef struct HostCell {
    guint id;
    guint64 memory_kib;
    GArray *pages;     /* HostPages, ascending by size */
    GArray *distances; /* HostDistance; empty when unknown */
} HostCell;

/* A snapshot of the host. */
typedef struct HostCapabilities {
    NodeInfo info;
    HostTopology *topology;
    GArray *page_sizes; /* guint, KiB, ascending */
    GPtrArray *cells;   /* HostCell */
    GArray *banks;      /* CacheBank */
    bool can_suspend_mem;
    bool can_suspend_disk;
    bool can_suspend_hybrid;
    bool has_iommu;
} HostCapabilities;

/* A way of confining guests that the daemon has in use. */
typedef struct HostSecmodel {
    const char *model;
    const char *doi;
    const char *kvm_label;  /* NULL where there is no label that all guests have */
    const char *qemu_label;
} HostSecmodel;

/* What does not come from the kernel. */
typedef struct HostIdentity {
    const char *uuid; /* NULL leaves it out */
    const HostSecmodel *secmodels;
    gsize n_secmodels;
    /* Writes the <cpu> element; NULL writes one with architecture, topology and pages. */
    void (*format_cpu)(const HostCapabilities *capabilities, XmlWriter *writer, void *data);
    void *format_cpu_data;
} HostIdentity;

/* Some milliseconds on a large host. Errors: SYSTEM_ERROR, INTERNAL_ERROR. */
bool host_capabilities_read(const HostRoots *roots, HostCapabilities **ret_capabilities,
                            GError **error);

void host_capabilities_free(HostCapabilities *capabilities);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HostCapabilities, host_capabilities_free)

/* Writes the <host> element. */
void host_capabilities_format(const HostCapabilities *capabilities, const HostIdentity *identity,
                              XmlWriter *writer);

/* Parts of the <cpu> element: the counts, and the sizes of pages. */
void host_cpu_topology_format(const HostCapabilities *capabilities, XmlWriter *writer);
void host_cpu_pages_format(const HostCapabilities *capabilities, XmlWriter *writer);
