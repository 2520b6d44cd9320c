/* The host's processor, as far as it can be told without a data base of models: who made it,
 * its numbers, the size of its addresses and the speed of its clock. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "virtqemud/host/host_capabilities.h"
#include "virtqemud/host/roots.h"

typedef struct HostProcessor {
    const char *vendor; /* "Intel", static; NULL: unknown, and the numbers are not set */
    guint family, model, stepping;
    guint64 microcode;     /* 0: unknown */
    guint physical_bits;   /* 0: unknown */
    guint64 tsc_hz;        /* 0: unknown, because KVM cannot be used */
    bool has_tsc_scaling;
} HostProcessor;

/* Reads /proc/cpuinfo and asks KVM: some milliseconds, for an offload thread. What is unknown
 * (all, on other architectures than x86) stays 0. */
void host_processor_read(const HostRoots *roots, HostProcessor *ret_processor);

/* Writes the <cpu> element: a HostIdentity's format_cpu, @data is the HostProcessor. */
void host_processor_format(const HostCapabilities *capabilities, XmlWriter *writer, void *data);
