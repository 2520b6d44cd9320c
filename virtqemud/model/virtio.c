#include "virtqemud/model/virtio.h"

const char *const virtio_model_names[N_VIRTIO_MODELS] = {
    "virtio",
    "virtio-transitional",
    "virtio-non-transitional",
};

/* The options alone. */
typedef struct Alone {
    VirtioOptions virtio;
} Alone;

static const Field fields[] = { VIRTIO_FIELDS(Alone, virtio) };

bool virtio_options_parse(const XmlNode *driver, VirtioOptions *ret, GError **error)
{
    return !driver || fields_parse(fields, G_N_ELEMENTS(fields), driver, ret, error);
}

void virtio_options_format(const VirtioOptions *options, XmlWriter *writer)
{
    fields_format_element("driver", fields, G_N_ELEMENTS(fields), options, writer);
}

bool virtio_options_expect_none(const VirtioOptions *options, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
        if (fields_are_set(&fields[i], 1, options))
            return model_fail(error, VIR_ERR_CONFIG_UNSUPPORTED,
                              "%s driver option is only supported for virtio devices",
                              fields[i].name);
    return true;
}
