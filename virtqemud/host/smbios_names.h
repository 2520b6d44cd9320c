/* What numbers in SMBIOS structures mean, in the words of the standard (DSP0134, sections
 * 7.5 and 7.18). All functions return NULL for a number that it does not define. */
#pragma once

#include <glib.h>

/* How a family of processors fills its identification field. */
typedef enum SmbiosProcessorKind {
    SMBIOS_PROCESSOR_OTHER,
    SMBIOS_PROCESSOR_INTEL, /* signature of CPUID with a type */
    SMBIOS_PROCESSOR_AMD,   /* signature of CPUID */
} SmbiosProcessorKind;

const char *smbios_processor_family(guint family, SmbiosProcessorKind *ret_kind);
const char *smbios_processor_type(guint type);
const char *smbios_processor_status(guint status);
const char *smbios_memory_form_factor(guint form_factor);
const char *smbios_memory_type(guint type);
/* The name of bit @bit of the type detail. */
const char *smbios_memory_detail(guint bit);
