/* Vital product data of a PCI device (PCI Local Bus specification 2.2, appendix I): what its
 * maker and its owner have written into it. The bytes come from the device. What is not as the
 * specification has it makes all of it worthless. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "xml/writer.h"

/* The kernel shows as much as an address can reach. */
#define VPD_SIZE_MAX 32768

typedef struct VpdField {
    char keyword[3]; /* "PN" */
    char *value;
} VpdField;

typedef struct Vpd {
    char *name;
    /* Of VpdField, those that are told; the second is NULL when there is no such part. */
    GArray *read_only, *read_write;
} Vpd;

/* NULL when @bytes are none. */
Vpd *vpd_parse(const uint8_t *bytes, size_t size);
void vpd_free(Vpd *vpd);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Vpd, vpd_free)

/* The <capability type='vpd'>. */
void vpd_format(const Vpd *vpd, XmlWriter *writer);
