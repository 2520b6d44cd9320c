/* What all devices of the virtio kind may say of themselves. */
#pragma once

#include "virtqemud/model/fields.h"

/* Variants of a virtio device, as its model attribute names them. */
typedef enum VirtioModel {
    VIRTIO_MODEL_VIRTIO, VIRTIO_MODEL_TRANSITIONAL, VIRTIO_MODEL_NON_TRANSITIONAL, N_VIRTIO_MODELS
} VirtioModel;
extern const char *const virtio_model_names[N_VIRTIO_MODELS];

/* Attributes of <driver>: the manual's "Virtio-related options". */
typedef struct VirtioOptions {
    XmlTristate iommu, ats, packed, page_per_vq; /* on/off */
} VirtioOptions;

/* Rows for a table of fields of @type, whose VirtioOptions are @member. */
#define VIRTIO_FIELDS(type, member)                                                                \
    FIELD("iommu", FIELD_ON_OFF, type, member.iommu),                                              \
    FIELD("ats", FIELD_ON_OFF, type, member.ats),                                                  \
    FIELD("packed", FIELD_ON_OFF, type, member.packed),                                            \
    FIELD("page_per_vq", FIELD_ON_OFF, type, member.page_per_vq)

/* A <driver> that has nothing else. @driver may be NULL. */
bool virtio_options_parse(const XmlNode *driver, VirtioOptions *ret, GError **error);
void virtio_options_format(const VirtioOptions *options, XmlWriter *writer);
/* Errors: CONFIG_UNSUPPORTED, naming the first option, of a device that is not virtio. */
bool virtio_options_expect_none(const VirtioOptions *options, GError **error);
