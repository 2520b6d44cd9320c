/* Graphics cards. */
#include "virtqemud/qemu/device_video.h"

#include "base/error.h"

static const struct {
    const char *primary, *secondary; /* NULL: cannot be one */
} drivers[N_VIDEO_MODELS] = {
    [VIDEO_VGA] = { "VGA", NULL },
    [VIDEO_CIRRUS] = { "cirrus-vga", NULL },
    [VIDEO_VMVGA] = { "vmware-svga", NULL },
    [VIDEO_QXL] = { "qxl-vga", "qxl" },
    [VIDEO_VIRTIO] = { "virtio-vga", "virtio-gpu-pci" },
    [VIDEO_BOCHS] = { "bochs-display", NULL },
    [VIDEO_RAMFB] = { "ramfb", NULL },
};

static bool is_primary(const DeviceScope *scope, const VideoDef *video)
{
    const GPtrArray *videos = scope->def->videos;

    for (guint i = 0; i < videos->len; i++) {
        const VideoDef *other = videos->pdata[i];

        if (other->is_primary)
            return other == video;
    }
    return videos->len && videos->pdata[0] == video;
}

/* The variants with OpenGL are devices of their own. */
static char *video_driver(const DeviceScope *scope, const VideoDef *video)
{
    bool is_first = is_primary(scope, video);
    const char *name = is_first ? drivers[video->model].primary : drivers[video->model].secondary;

    if (video->model != VIDEO_VIRTIO || video->accel3d != XML_TRISTATE_YES)
        return g_strdup(name);
    return g_strdup(is_first ? "virtio-vga-gl" : "virtio-gpu-gl-pci");
}

/* Each card calls its memory something else, in another unit. */
static void put_memory(JsonValue *device, const VideoDef *video)
{
    switch (video->model) {
    case VIDEO_VGA:
    case VIDEO_VMVGA:
        device_json_put_size(device, "vgamem_mb", video->vram_kib / 1024);
        break;
    case VIDEO_BOCHS:
        device_json_put_size(device, "vgamem", (uint64_t)video->vram_kib * 1024);
        break;
    case VIDEO_QXL:
        device_json_put_size(device, "ram_size", (uint64_t)video->ram_kib * 1024);
        device_json_put_size(device, "vram_size", (uint64_t)video->vram_kib * 1024);
        json_object_put_uint64(device, "vram64_size_mb", video->vram64_kib / 1024);
        device_json_put_size(device, "vgamem_mb", video->vgamem_kib / 1024);
        break;
    default:
        break;
    }
}

bool video_device_json(const DeviceScope *scope, const VideoDef *video, JsonValue **ret_device,
                       GError **error)
{
    g_autofree char *driver = video_driver(scope, video);
    JsonValue *device;

    if (video->model == VIDEO_NONE) {
        *ret_device = NULL;
        return true;
    }
    if (!driver) {
        const char *model = video_model_names[video->model];

        error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                  "video type '%s' is only valid as primary video device", model ? model : "");
        return false;
    }
    device = device_json_new_placed(scope, driver, &video->info, error);
    if (!device)
        return false;
    if (video->model == VIDEO_QXL || video->model == VIDEO_VIRTIO)
        device_json_put_size(device, "max_outputs", video->heads);
    put_memory(device, video);
    device_json_put_virtio(device, &video->virtio);
    device_json_put_size(device, "xres", video->resolution_x);
    device_json_put_size(device, "yres", video->resolution_y);
    *ret_device = device;
    return true;
}
