/* <memballoon>: takes memory back from a guest, and knows how it uses it. */
#include "base/enum_names.h"
#include "virtqemud/model/fields.h"
#include "virtqemud/model/small_devices.h"

/* The variants of virtio, and what is none. */
static const char *const model_names[] = {
    "virtio", "virtio-transitional", "virtio-non-transitional", "none", "xen",
};
enum { MODEL_NONE = N_VIRTIO_MODELS, MODEL_XEN };

static const Field balloon_fields[] = {
    FIELD("autodeflate", FIELD_ON_OFF, BalloonDef, auto_deflate),
    FIELD("freePageReporting", FIELD_ON_OFF, BalloonDef, free_page_reporting),
};

BalloonDef *balloon_def_new(void)
{
    return g_new0(BalloonDef, 1);
}

void balloon_def_free(BalloonDef *balloon)
{
    if (!balloon)
        return;
    device_info_clear(&balloon->info);
    g_free(balloon);
}

/* None is a device too: it keeps QEMU from getting one by default. */
bool balloon_def_parse(const XmlNode *node, DomainParseFlags flags, BalloonDef **ret,
                       GError **error)
{
    g_autoptr(BalloonDef) balloon = balloon_def_new();
    const XmlNode *stats = xml_node_first(node, "stats");
    int model = 0;

    if (!xml_attr_enum(node, "model", XML_REQUIRED, model_names, G_N_ELEMENTS(model_names), 0,
                       &model, error))
        return false;
    if (model == MODEL_XEN)
        return model_fail(error, VIR_ERR_CONFIG_UNSUPPORTED,
                          "memory balloon model 'xen' is not supported");
    balloon->is_none = model == MODEL_NONE;
    if (!balloon->is_none)
        balloon->model = model;
    if (!fields_parse(balloon_fields, G_N_ELEMENTS(balloon_fields), node, balloon, error) ||
        (stats && !xml_attr_int(stats, "period", XML_OPTIONAL, 0, &balloon->stats_period_s, error)))
        return false;
    balloon->stats_period_s = MAX(balloon->stats_period_s, 0);
    if (!virtio_options_parse(xml_node_first(node, "driver"), &balloon->virtio, error) ||
        !device_info_parse(node, flags, &balloon->info, error))
        return false;
    *ret = g_steal_pointer(&balloon);
    return true;
}

void balloon_def_format(const BalloonDef *balloon, XmlWriter *writer, DomainFormatFlags flags)
{
    xml_writer_open(writer, "memballoon");
    xml_writer_attr_string(writer, "model",
                           model_names[balloon->is_none ? (int)MODEL_NONE : (int)balloon->model]);
    fields_format(balloon_fields, G_N_ELEMENTS(balloon_fields), balloon, writer);
    if (balloon->stats_period_s > 0) {
        xml_writer_open(writer, "stats");
        xml_writer_attr(writer, "period", "%d", balloon->stats_period_s);
        xml_writer_close(writer);
    }
    device_info_format(&balloon->info, writer, flags);
    virtio_options_format(&balloon->virtio, writer);
    xml_writer_close(writer);
}
