/* <rng>: where a guest gets random bytes from. */
#include <string.h>

#include "base/enum_names.h"
#include "virtqemud/model/fields.h"
#include "virtqemud/model/small_devices.h"

#define SOURCE_DEFAULT "/dev/random"

static const char *const backend_names[] = { "random", "builtin", "egd" };
enum { BACKEND_RANDOM, BACKEND_BUILTIN, BACKEND_EGD };

static const Field rate_fields[] = {
    FIELD("bytes", FIELD_UINT, RngDef, rate_bytes),
    FIELD("period", FIELD_UINT, RngDef, rate_period_ms),
};

void rng_def_free(RngDef *rng)
{
    if (!rng)
        return;
    device_info_clear(&rng->info);
    g_free(rng->source);
    g_free(rng);
}

static bool model_parse(const char *model, RngDef *rng, GError **error)
{
    int value = 0;

    if (!model)
        return model_fail(error, VIR_ERR_XML_ERROR, "missing RNG device model");
    if (!ENUM_FROM_NAME(virtio_model_names, model, &value))
        return model_fail(error, VIR_ERR_CONFIG_UNSUPPORTED, "unknown RNG model '%.64s'", model);
    rng->model = value;
    return true;
}

static bool rate_parse(const XmlNode *rate, RngDef *rng, GError **error)
{
    if (!xml_attr_uint(rate, "bytes", XML_OPTIONAL, 0, &rng->rate_bytes, NULL))
        return model_fail(error, VIR_ERR_XML_ERROR, "invalid RNG rate bytes value");
    if (!xml_attr_uint(rate, "period", XML_OPTIONAL, 0, &rng->rate_period_ms, NULL))
        return model_fail(error, VIR_ERR_XML_ERROR, "invalid RNG rate period value");
    /* So much in no time, or nothing in so much time, is no limit. */
    if (rng->rate_bytes == 0)
        rng->rate_period_ms = 0;
    return true;
}

/* Exactly one place to take bytes from. */
static bool backend_parse(const XmlNode *node, RngDef *rng, GError **error)
{
    const XmlNode *backend = xml_node_first(node, "backend");
    const char *model = backend ? xml_node_attr(backend, "model") : NULL;
    int value = 0;

    if (!backend || xml_node_next(backend, "backend"))
        return model_fail(error, VIR_ERR_XML_ERROR, "only one RNG backend is supported");
    if (!model)
        return model_fail(error, VIR_ERR_XML_ERROR, "missing RNG device backend model");
    if (!ENUM_FROM_NAME(backend_names, model, &value))
        return model_fail(error, VIR_ERR_CONFIG_UNSUPPORTED, "unknown RNG backend model '%.64s'",
                          model);
    if (value == BACKEND_EGD)
        return model_fail(error, VIR_ERR_CONFIG_UNSUPPORTED,
                          "RNG backend model 'egd' is not supported");
    rng->is_builtin = value == BACKEND_BUILTIN;
    if (rng->is_builtin)
        return true;
    rng->source = xml_node_text(backend);
    if (*rng->source == '\0') {
        g_free(rng->source);
        rng->source = g_strdup(SOURCE_DEFAULT);
    }
    return true;
}

bool rng_def_parse(const XmlNode *node, DomainParseFlags flags, RngDef **ret, GError **error)
{
    g_autoptr(RngDef) rng = g_new0(RngDef, 1);
    const XmlNode *rate = xml_node_first(node, "rate");

    if (!model_parse(xml_node_attr(node, "model"), rng, error) ||
        (rate && !rate_parse(rate, rng, error)) || !backend_parse(node, rng, error) ||
        !virtio_options_parse(xml_node_first(node, "driver"), &rng->virtio, error) ||
        !device_info_parse(node, flags, &rng->info, error))
        return false;
    *ret = g_steal_pointer(&rng);
    return true;
}

void rng_def_format(const RngDef *rng, XmlWriter *writer, DomainFormatFlags flags)
{
    xml_writer_open(writer, "rng");
    xml_writer_attr_string(writer, "model", virtio_model_names[rng->model]);
    fields_format_element("rate", rate_fields, G_N_ELEMENTS(rate_fields), rng, writer);
    xml_writer_open(writer, "backend");
    xml_writer_attr_string(writer, "model",
                           backend_names[rng->is_builtin ? BACKEND_BUILTIN : BACKEND_RANDOM]);
    if (rng->source)
        xml_writer_text(writer, rng->source);
    xml_writer_close(writer);
    virtio_options_format(&rng->virtio, writer);
    device_info_format(&rng->info, writer, flags);
    xml_writer_close(writer);
}
