/* <video>: a graphics card. */
#include <string.h>

#include "base/enum_names.h"
#include "virtqemud/model/fields.h"
#include "virtqemud/model/graphics.h"

#define VRAM_DEFAULT_KIB (16 * 1024)
#define QXL_RAM_DEFAULT_KIB (64 * 1024)
#define QXL_VGAMEM_DEFAULT_KIB (16 * 1024)
#define MEMORY_MIN_KIB 1024

const char *const video_model_names[N_VIDEO_MODELS] = {
    NULL, "vga", "cirrus", "vmvga", "qxl", "virtio", "bochs", "ramfb", "none",
};

/* Of other hypervisors and machines. */
static const char *const other_models[] = { "xen", "vbox", "parallels", "gop" };

static const Field model_fields[] = {
    FIELD_NAMED("type", VideoDef, model, video_model_names),
    FIELD("ram", FIELD_UINT, VideoDef, ram_kib),
    FIELD("vram", FIELD_UINT, VideoDef, vram_kib),
    FIELD("vram64", FIELD_UINT, VideoDef, vram64_kib),
    FIELD("vgamem", FIELD_UINT, VideoDef, vgamem_kib),
    FIELD("heads", FIELD_UINT, VideoDef, heads),
};

static const char *const driver_names[] = { NULL, "qemu", "vhostuser" };

static const Field driver_fields[] = {
    VIRTIO_FIELDS(VideoDef, virtio),
    FIELD_NAMED("name", VideoDef, driver, driver_names),
};

static const Field acceleration_fields[] = {
    FIELD("accel3d", FIELD_YES_NO, VideoDef, accel3d),
};

static const Field resolution_fields[] = {
    FIELD("x", FIELD_UINT, VideoDef, resolution_x),
    FIELD("y", FIELD_UINT, VideoDef, resolution_y),
};

VideoDef *video_def_new(VideoModel model)
{
    VideoDef *video = g_new0(VideoDef, 1);

    video->model = model;
    return video;
}

void video_def_free(VideoDef *video)
{
    if (!video)
        return;
    device_info_clear(&video->info);
    g_free(video);
}

/* Half a resolution is an error, not a default. */
static bool resolution_parse(const XmlNode *node, VideoDef *video, GError **error)
{
    if (!xml_attr_uint(node, "x", XML_REQUIRED, 0, &video->resolution_x, error) ||
        !xml_attr_uint(node, "y", XML_REQUIRED, 0, &video->resolution_y, error))
        return false;
    if (video->resolution_x == 0 || video->resolution_y == 0) {
        return model_fail(error, VIR_ERR_CONFIG_UNSUPPORTED,
                          "video resolution values must be greater than 0");
    }
    return true;
}

/* Sizes and numbers have errors of their own here. */
static bool numbers_are_sane(const XmlNode *model, GError **error)
{
    static const char *const names[] = { "ram", "vram", "vram64", "vgamem", "heads" };

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        unsigned value = 0;

        if (xml_attr_uint(model, names[i], XML_OPTIONAL, 0, &value, NULL))
            continue;
        return model_fail(
            error, strcmp(names[i], "heads") == 0 ? VIR_ERR_INTERNAL_ERROR : VIR_ERR_XML_ERROR,
            "cannot parse video %s '%.64s'", names[i], xml_node_attr(model, names[i]));
    }
    return true;
}

/* 2D acceleration was another hypervisor's. */
static bool acceleration_parse(const XmlNode *node, VideoDef *video, GError **error)
{
    if (!fields_parse(acceleration_fields, G_N_ELEMENTS(acceleration_fields), node, video, error))
        return false;
    if (xml_node_attr(node, "accel2d"))
        return model_fail_qemu(error, "qemu does not support the accel2d setting");
    return video->accel3d ||
           model_fail(error, VIR_ERR_CONFIG_UNSUPPORTED, "missing values for acceleration");
}

/* Cards that run in processes of their own are not built yet. */
static bool driver_parse(const XmlNode *node, VideoDef *video, GError **error)
{
    if (!fields_parse(driver_fields, G_N_ELEMENTS(driver_fields), node, video, error))
        return false;
    return video->driver != VIDEO_DRIVER_VHOSTUSER ||
           model_fail(error, VIR_ERR_CONFIG_UNSUPPORTED,
                      "video driver 'vhostuser' is not supported");
}

static bool model_parse(const XmlNode *model, VideoDef *video, GError **error)
{
    const XmlNode *acceleration = xml_node_first(model, "acceleration");
    const XmlNode *resolution = xml_node_first(model, "resolution");
    const char *type = xml_node_attr(model, "type");
    const char *primary = xml_node_attr(model, "primary");
    int known = 0;

    if (type && ENUM_FROM_NAME(other_models, type, &known))
        return model_fail_qemu(error, "domain configuration does not support video model '%s'",
                               type);
    if (type && !xml_attr_enum(model, "type", XML_OPTIONAL, video_model_names, N_VIDEO_MODELS, 0,
                               &known, NULL)) {
        return model_fail(error, VIR_ERR_CONFIG_UNSUPPORTED, "unknown video model '%.64s'", type);
    }
    if (!numbers_are_sane(model, error) ||
        !fields_parse(model_fields, G_N_ELEMENTS(model_fields), model, video, error))
        return false;
    /* Another word than yes has never been an error. */
    video->has_primary = primary != NULL;
    video->is_primary = g_strcmp0(primary, "yes") == 0;
    if (acceleration && !acceleration_parse(acceleration, video, error))
        return false;
    return !resolution || resolution_parse(resolution, video, error);
}

/* 0 for what is beyond the last: the default then. */
static unsigned next_power_of_two(unsigned value)
{
    unsigned power = 1;

    while (power < value && power != 0)
        power <<= 1;
    return value == 0 ? 0 : power;
}

void video_def_fill(VideoDef *video)
{
    if (video->model == VIDEO_DEFAULT)
        return;
    if (video->model == VIDEO_NONE) {
        video->ram_kib = video->vram_kib = video->vram64_kib = video->vgamem_kib = 0;
        video->heads = 0;
        video->is_primary = false;
        return;
    }
    if (video->heads == 0)
        video->heads = 1;
    video->ram_kib = next_power_of_two(video->ram_kib);
    video->vram_kib = next_power_of_two(video->vram_kib);
    if (video->model == VIDEO_QXL) {
        video->ram_kib = video->ram_kib ?: QXL_RAM_DEFAULT_KIB;
        video->vram_kib = video->vram_kib ?: QXL_RAM_DEFAULT_KIB;
        video->vgamem_kib = video->vgamem_kib ?: QXL_VGAMEM_DEFAULT_KIB;
    } else if (video->model != VIDEO_VIRTIO && video->model != VIDEO_RAMFB) {
        video->vram_kib = video->vram_kib ?: VRAM_DEFAULT_KIB;
    }
}

bool video_def_parse(const XmlNode *node, DomainParseFlags flags, VideoDef **ret_video,
                     GError **error)
{
    g_autoptr(VideoDef) video = video_def_new(VIDEO_DEFAULT);
    const XmlNode *model = xml_node_first(node, "model");
    const XmlNode *driver = xml_node_first(node, "driver");

    if ((driver && !driver_parse(driver, video, error)) ||
        (model && !model_parse(model, video, error)) ||
        !device_info_parse(node, flags, &video->info, error))
        return false;
    video_def_fill(video);
    *ret_video = g_steal_pointer(&video);
    return true;
}

void video_def_format(const VideoDef *video, XmlWriter *writer, DomainFormatFlags flags)
{
    xml_writer_open(writer, "video");
    fields_format_element("driver", driver_fields, G_N_ELEMENTS(driver_fields), video, writer);
    xml_writer_open(writer, "model");
    fields_format(model_fields, G_N_ELEMENTS(model_fields), video, writer);
    if (video->is_primary)
        xml_writer_attr_string(writer, "primary", "yes");
    fields_format_element("acceleration", acceleration_fields, G_N_ELEMENTS(acceleration_fields),
                          video, writer);
    fields_format_element("resolution", resolution_fields, G_N_ELEMENTS(resolution_fields), video,
                          writer);
    xml_writer_close(writer);
    device_info_format(&video->info, writer, flags);
    xml_writer_close(writer);
}

/* Only QXL has memory of several kinds; the limits are its device's, and VGA's. */
static bool sizes_validate(const VideoDef *video, GError **error)
{
    if (video->model != VIDEO_QXL) {
        if (video->ram_kib != 0)
            return model_fail(error, VIR_ERR_CONFIG_UNSUPPORTED,
                              "ram attribute only supported for video type qxl");
        if (video->vram64_kib != 0)
            return model_fail(error, VIR_ERR_CONFIG_UNSUPPORTED,
                              "vram64 attribute only supported for video type qxl");
        if (video->vgamem_kib != 0)
            return model_fail(error, VIR_ERR_CONFIG_UNSUPPORTED,
                              "vgamem attribute only supported for video type qxl");
    }
    if (video->vgamem_kib != 0 && video->vgamem_kib < MEMORY_MIN_KIB)
        return model_fail_qemu(error, "value for 'vgamem' must be at least 1 MiB (1024 KiB)");
    if (video->vgamem_kib & (video->vgamem_kib - 1))
        return model_fail_qemu(error, "value for 'vgamem' must be power of two");
    if ((video->model == VIDEO_VGA || video->model == VIDEO_VMVGA) && video->vram_kib != 0 &&
        video->vram_kib < MEMORY_MIN_KIB)
        return model_fail_qemu(error, "value for 'vram' must be at least 1 MiB (1024 KiB)");
    return true;
}

bool video_def_validate(const VideoDef *video, GError **error)
{
    bool has_heads = video->model == VIDEO_QXL || video->model == VIDEO_VIRTIO;
    bool has_resolution = video->model == VIDEO_QXL || video->model == VIDEO_VIRTIO ||
                          video->model == VIDEO_VGA || video->model == VIDEO_BOCHS;

    if (video->model != VIDEO_VIRTIO && !virtio_options_expect_none(&video->virtio, error))
        return false;
    if (!sizes_validate(video, error))
        return false;
    if (video->accel3d == XML_TRISTATE_YES && video->model != VIDEO_VIRTIO)
        return model_fail_qemu(error,
                               "3d acceleration is supported only with 'virtio' video device");
    if (video->heads > 1 && !has_heads) {
        return model_fail_qemu(error, "video type '%s' doesn't support multiple 'heads'",
                               video->model ? video_model_names[video->model] : "default");
    }
    if (video->resolution_x != 0 && !has_resolution) {
        return model_fail_from(error, VIR_FROM_QEMU, VIR_ERR_XML_ERROR,
                               "model resolution is not supported");
    }
    return true;
}
