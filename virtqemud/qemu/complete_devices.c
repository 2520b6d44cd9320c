/* Defaults inside of devices, and devices that every machine has. */
#include <string.h>

#include "base/error.h"
#include "virtqemud/qemu/complete_steps.h"

/* The sizes that the manual gives for each model of <video>, in KiB. */
#define VIDEO_RAM_KIB (16 * 1024)
#define QXL_RAM_KIB (64 * 1024)

/* The oldest model that is there: every guest has a driver for it. */
static bool interface_complete(InterfaceDef *interface, const EmulatorCaps *caps, GError **error)
{
    static const struct {
        const char *model, *device;
    } models[] = {
        { "rtl8139", "rtl8139" },
        { "e1000", "e1000" },
        { "virtio", "virtio-net-pci" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(models) && !interface->model; i++)
        if (emulator_caps_has_device(caps, models[i].device))
            interface->model = g_strdup(models[i].model);
    if (interface->model && strcmp(interface->model, "usb-net") == 0) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                  "network interface model '%s' is not supported", interface->model);
        return false;
    }
    return true;
}

static bool input_complete(InputDef *input, GError **error)
{
    if (input->bus == INPUT_BUS_DEFAULT)
        input->bus = input->type == INPUT_TABLET ? INPUT_BUS_USB : INPUT_BUS_PS2;
    if (input->bus == INPUT_BUS_PS2 && input->type == INPUT_TABLET) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR,
                  "ps2 bus does not support %s input device", "tablet");
        return false;
    }
    return true;
}

/* A mouse and a keyboard are soldered to every PC. */
static bool inputs_complete(DomainDef *def, GError **error)
{
    bool has_ps2[] = { [INPUT_MOUSE] = false, [INPUT_TABLET] = true, [INPUT_KEYBOARD] = false };

    for (guint i = 0; i < def->inputs->len; i++) {
        InputDef *input = g_ptr_array_index(def->inputs, i);

        if (!input_complete(input, error))
            return false;
        if (input->bus == INPUT_BUS_PS2)
            has_ps2[input->type] = true;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(has_ps2); i++)
        if (!has_ps2[i])
            g_ptr_array_add(def->inputs, input_def_new((InputType) i, INPUT_BUS_PS2));
    return true;
}

/* In the order in which existing daemons try them. */
static VideoModel video_model_default(const EmulatorCaps *caps)
{
    static const struct {
        VideoModel model;
        const char *device;
    } models[] = {
        { VIDEO_CIRRUS, "cirrus-vga" },
        { VIDEO_VGA, "VGA" },
        { VIDEO_VIRTIO, "virtio-vga" },
        { VIDEO_BOCHS, "bochs-display" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(models); i++)
        if (emulator_caps_has_device(caps, models[i].device))
            return models[i].model;
    return VIDEO_VGA;
}

/* Devices have memory in powers of two. Sizes that no device has are left to be refused. */
static unsigned power_of_two(unsigned size)
{
    unsigned power = 1;

    if (size > 1u << 31)
        return size;
    while (power < size)
        power *= 2;
    return power;
}

/* 0 stands for the default. */
static void size_complete(unsigned *size_kib, unsigned default_kib)
{
    *size_kib = *size_kib == 0 ? default_kib : power_of_two(*size_kib);
}

/* Virtio and ramfb have no memory of their own: what is given is kept. */
static void video_sizes_complete(VideoDef *video)
{
    switch (video->model) {
    case VIDEO_NONE:
        return;
    case VIDEO_QXL:
        size_complete(&video->ram_kib, QXL_RAM_KIB);
        size_complete(&video->vram_kib, QXL_RAM_KIB);
        if (video->vgamem_kib == 0)
            video->vgamem_kib = VIDEO_RAM_KIB;
        break;
    case VIDEO_VIRTIO:
    case VIDEO_RAMFB:
        if (video->vram_kib != 0)
            size_complete(&video->vram_kib, 0);
        break;
    default:
        size_complete(&video->vram_kib, VIDEO_RAM_KIB);
    }
    if (video->heads == 0)
        video->heads = 1;
}

/* The primary one comes first, whether it was marked or not. */
static void videos_order(DomainDef *def)
{
    guint primary = 0;
    VideoDef *first = NULL;

    if (def->videos->len == 0)
        return;
    for (guint i = 0; i < def->videos->len; i++) {
        VideoDef *video = g_ptr_array_index(def->videos, i);

        if (video->has_primary && video->is_primary) {
            primary = i;
            break;
        }
    }
    first = g_ptr_array_steal_index(def->videos, primary);
    g_ptr_array_insert(def->videos, 0, first);
    if (first->model != VIDEO_NONE)
        first->has_primary = first->is_primary = true;
}

/* VGA's registers are there once. */
static bool secondary_check(const DomainDef *def, GError **error)
{
    for (guint i = 1; i < def->videos->len; i++) {
        const VideoDef *video = g_ptr_array_index(def->videos, i);

        /* What is none, beside none, or primary too, is for domain_def_validate(). */
        if (video->model == VIDEO_QXL || video->model == VIDEO_VIRTIO ||
            video->model == VIDEO_NONE || (video->has_primary && video->is_primary) ||
            ((const VideoDef *)def->videos->pdata[0])->model == VIDEO_NONE)
            continue;
        error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                  "video type '%s' is only valid as primary video device",
                  video_model_names[video->model]);
        return false;
    }
    return true;
}

static bool videos_complete(DomainDef *def, const EmulatorCaps *caps, GError **error)
{
    if (def->videos->len == 0 && def->graphics->len > 0)
        g_ptr_array_add(def->videos, video_def_new(VIDEO_DEFAULT));
    for (guint i = 0; i < def->videos->len; i++) {
        VideoDef *video = g_ptr_array_index(def->videos, i);

        if (video->model == VIDEO_DEFAULT)
            video->model = video_model_default(caps);
        video_sizes_complete(video);
    }
    videos_order(def);
    return secondary_check(def, error);
}

/* A balloon is there unless it was refused; audio is, to say that it goes nowhere. */
static void small_devices_complete(DomainDef *def)
{
    for (guint i = 0; i < def->panics->len; i++) {
        PanicDef *panic = g_ptr_array_index(def->panics, i);

        if (panic->model == PANIC_DEFAULT)
            panic->model = PANIC_ISA;
    }
    if (def->vsock && def->vsock->auto_cid == XML_TRISTATE_ABSENT && def->vsock->cid == 0)
        def->vsock->auto_cid = XML_TRISTATE_YES;
    if (!def->balloon)
        def->balloon = balloon_def_new();
    if (def->audios->len == 0) {
        AudioDef *audio = g_new0(AudioDef, 1);

        audio->id = 1;
        audio->type = g_strdup("none");
        g_ptr_array_add(def->audios, audio);
    }
}

bool complete_devices(DomainDef *def, const EmulatorCaps *caps, GError **error)
{
    for (guint i = 0; i < def->interfaces->len; i++)
        if (!interface_complete(g_ptr_array_index(def->interfaces, i), caps, error))
            return false;
    if (!inputs_complete(def, error) || !videos_complete(def, caps, error))
        return false;
    small_devices_complete(def);
    return true;
}
