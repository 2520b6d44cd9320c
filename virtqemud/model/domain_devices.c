/* Families differ in their types only: small adapters of one shape make them rows of a table. */
#include "virtqemud/model/domain_devices.h"

#include <string.h>

#include "base/error.h"
#include "base/log.h"

LOG_INIT("qemu.model.devices");

/* Type checks stay with the families' own functions; here a device is a void pointer. */
#define ADAPT_PARSE(noun, Type, ...)                                                               \
    static bool noun##_parse(const XmlNode *node, DomainParseFlags flags, void **ret,              \
                             GError **error)                                                       \
    {                                                                                              \
        Type *device = NULL;                                                                       \
                                                                                                   \
        if (!noun##_def_parse(node, __VA_ARGS__, &device, error))                                  \
            return false;                                                                          \
        *ret = device;                                                                             \
        return true;                                                                               \
    }
#define ADAPT_REST(noun)                                                                           \
    static void noun##_format(const void *device, XmlWriter *writer, DomainFormatFlags flags)      \
    {                                                                                              \
        noun##_def_format(device, writer, flags);                                                  \
    }                                                                                              \
    static void noun##_free(void *device)                                                          \
    {                                                                                              \
        noun##_def_free(device);                                                                   \
    }
#define ADAPT_VALIDATE(noun)                                                                       \
    static bool noun##_validate(const void *device, GError **error)                                \
    {                                                                                              \
        return noun##_def_validate(device, error);                                                 \
    }
#define ADAPT(noun, Type) ADAPT_PARSE(noun, Type, flags) ADAPT_REST(noun)

ADAPT(disk, DiskDef)
ADAPT_VALIDATE(disk)
ADAPT(controller, ControllerDef)
ADAPT_VALIDATE(controller)
ADAPT(interface, InterfaceDef)
ADAPT_VALIDATE(interface)
ADAPT_REST(chardev)
ADAPT_VALIDATE(chardev)
ADAPT(input, InputDef)
ADAPT_VALIDATE(input)
ADAPT(graphics, GraphicsDef)
ADAPT_VALIDATE(graphics)
ADAPT(video, VideoDef)
ADAPT_VALIDATE(video)
ADAPT(hub, HubDef)
ADAPT_VALIDATE(hub)
ADAPT(watchdog, WatchdogDef)
ADAPT_VALIDATE(watchdog)
ADAPT(balloon, BalloonDef)
ADAPT(rng, RngDef)
ADAPT(panic, PanicDef)
ADAPT_VALIDATE(panic)
ADAPT(vsock, VsockDef)
ADAPT_VALIDATE(vsock)

static bool audio_parse(const XmlNode *node, DomainParseFlags flags, void **ret, GError **error)
{
    return audio_def_parse(node, (AudioDef **) ret, error);
}

static void audio_format(const void *device, XmlWriter *writer, DomainFormatFlags flags)
{
    audio_def_format(device, writer);
}

static void audio_free(void *device)
{
    audio_def_free(device);
}

static bool lease_parse(const XmlNode *node, DomainParseFlags flags, void **ret, GError **error)
{
    return lease_def_parse(node, (LeaseDef **) ret, error);
}

static void lease_format(const void *device, XmlWriter *writer, DomainFormatFlags flags)
{
    lease_def_format(device, writer);
}

static void lease_free(void *device)
{
    lease_def_free(device);
}

/* Three elements, one family of functions: the kind is what they differ in. */
static bool serial_parse(const XmlNode *node, DomainParseFlags flags, void **ret, GError **error)
{
    return chardev_def_parse(node, CHARDEV_SERIAL, flags, (ChardevDef **) ret, error);
}

static bool console_parse(const XmlNode *node, DomainParseFlags flags, void **ret, GError **error)
{
    return chardev_def_parse(node, CHARDEV_CONSOLE, flags, (ChardevDef **) ret, error);
}

static bool channel_parse(const XmlNode *node, DomainParseFlags flags, void **ret, GError **error)
{
    return chardev_def_parse(node, CHARDEV_CHANNEL, flags, (ChardevDef **) ret, error);
}

#define ARRAY(field) offsetof(DomainDef, field), false
#define SINGLE(field) offsetof(DomainDef, field), true

const DeviceFamily device_families[N_DEVICE_FAMILIES] = {
    { "disk", ARRAY(disks), true,
      "source driver target blockio readonly shareable transient serial wwn vendor product "
      "backingStore boot",
      disk_parse, disk_format, disk_free, disk_validate },
    { "controller", ARRAY(controllers), true, "driver model target master pcihole64",
      controller_parse, controller_format, controller_free, controller_validate },
    { "lease", ARRAY(leases), false, "lockspace key target", lease_parse, lease_format, lease_free,
      NULL },
    { "interface", ARRAY(interfaces), true, "mac model driver mtu guest target link ip boot rom",
      interface_parse, interface_format, interface_free, interface_validate },
    { "serial", ARRAY(serials), true, "source log target", serial_parse, chardev_format,
      chardev_free, chardev_validate },
    { "console", ARRAY(consoles), true, "source log target", console_parse, chardev_format,
      chardev_free, chardev_validate },
    { "channel", ARRAY(channels), true, "source log target", channel_parse, chardev_format,
      chardev_free, chardev_validate },
    { "input", ARRAY(inputs), true, "driver", input_parse, input_format, input_free, input_validate },
    { "graphics", ARRAY(graphics), false, "listen", graphics_parse, graphics_format, graphics_free,
      graphics_validate },
    { "audio", ARRAY(audios), false, "", audio_parse, audio_format, audio_free, NULL },
    { "video", ARRAY(videos), true, "model driver", video_parse, video_format, video_free,
      video_validate },
    { "hub", ARRAY(hubs), true, "", hub_parse, hub_format, hub_free, hub_validate },
    { "watchdog", ARRAY(watchdogs), true, "", watchdog_parse, watchdog_format, watchdog_free,
      watchdog_validate },
    { "memballoon", SINGLE(balloon), true, "driver stats", balloon_parse, balloon_format, balloon_free,
      NULL },
    { "rng", ARRAY(rngs), true, "driver rate backend", rng_parse, rng_format, rng_free, NULL },
    { "panic", ARRAY(panics), true, "", panic_parse, panic_format, panic_free, panic_validate },
    { "vsock", SINGLE(vsock), true, "driver cid", vsock_parse, vsock_format, vsock_free, vsock_validate },
};

/* Families say where a domain keeps them as an offset; these two are the only ones to follow it. */
static GPtrArray **array_of(const DomainDef *def, const DeviceFamily *family)
{
    return (GPtrArray **)G_STRUCT_MEMBER_P(def, family->offset);
}

static void **single_of(const DomainDef *def, const DeviceFamily *family)
{
    return (void **) G_STRUCT_MEMBER_P(def, family->offset);
}

void domain_devices_init(DomainDef *def)
{
    for (size_t i = 0; i < N_DEVICE_FAMILIES; i++) {
        if (!device_families[i].is_single)
            *array_of(def, &device_families[i]) =
                g_ptr_array_new_with_free_func(device_families[i].free);
    }
}

void domain_devices_clear(DomainDef *def)
{
    for (size_t i = 0; i < N_DEVICE_FAMILIES; i++) {
        const DeviceFamily *family = &device_families[i];

        if (family->is_single)
            family->free(g_steal_pointer(single_of(def, family)));
        else
            g_clear_pointer(array_of(def, family), g_ptr_array_unref);
    }
}

bool domain_devices_each(const DomainDef *def, DeviceFunc func, void *data)
{
    for (size_t i = 0; i < N_DEVICE_FAMILIES; i++) {
        const DeviceFamily *family = &device_families[i];
        GPtrArray *array = family->is_single ? NULL : *array_of(def, family);

        if (family->is_single && *single_of(def, family) &&
            !func(family, *single_of(def, family), data))
            return false;
        for (guint k = 0; array && k < array->len; k++) {
            if (!func(family, g_ptr_array_index(array, k), data))
                return false;
        }
    }
    return true;
}

/* Seventeen names, most of which differ in the first letter. */
static const DeviceFamily *family_of(const char *name)
{
    for (size_t i = 0; i < N_DEVICE_FAMILIES; i++) {
        if (device_families[i].name[0] == name[0] && strcmp(device_families[i].name, name) == 0)
            return &device_families[i];
    }
    return NULL;
}

/* Words that existing clients know. */
static bool second_single(const DeviceFamily *family, GError **error)
{
    if (strcmp(family->name, "memballoon") == 0) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR,
                  "only a single memory balloon device is supported");
    } else {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                  "only a single %s device is supported", family->name);
    }
    return false;
}

static bool is_listed(const char *names, const char *name)
{
    size_t length = strlen(name);

    for (const char *at = strstr(names, name); at; at = strstr(at + 1, name))
        if ((at == names || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
            return true;
    return false;
}

/* Operators who miss something find here what a definition lost. */
static void log_others(const XmlNode *device, const DeviceFamily *family)
{
    for (const XmlNode *child = xml_node_first(device, NULL); child;
         child = xml_node_next(child, NULL)) {
        const char *name = xml_node_name(child);

        if (!is_listed(family->children, name) && !is_listed("alias address acpi", name))
            LOG_DEBUG("element <%.128s> in <%s> is not known yet", name, family->name);
    }
}

/* The domain owns the device as soon as it is there, whatever fails later. */
static bool device_parse(const XmlNode *node, DomainParseFlags flags, DomainDef *def,
                         GError **error)
{
    const DeviceFamily *family = family_of(xml_node_name(node));
    void *device = NULL;

    if (!family) {
        LOG_DEBUG("element <%.128s> in <devices> is not known yet", xml_node_name(node));
        return true;
    }
    if (family->is_single && *single_of(def, family))
        return second_single(family, error);
    if (!family->parse(node, flags, &device, error))
        return false;
    log_others(node, family);
    if (family->is_single)
        *single_of(def, family) = device;
    else
        g_ptr_array_add(*array_of(def, family), device);
    return true;
}

/* The emulator stands among the devices, but is none. Of several the first counts. */
bool domain_devices_parse(const XmlNode *devices, DomainParseFlags flags, DomainDef *def,
                          GError **error)
{
    for (const XmlNode *node = xml_node_first(devices, NULL); node;
         node = xml_node_next(node, NULL)) {
        g_autofree char *emulator = NULL;

        if (strcmp(xml_node_name(node), "emulator") != 0) {
            if (!device_parse(node, flags, def, error))
                return false;
        } else if (!def->emulator) {
            emulator = xml_node_text(node);
            if (*emulator)
                def->emulator = g_steal_pointer(&emulator);
        }
    }
    return true;
}

/* Buses that every i440FX machine has, and that older peers put there themselves. */
static bool is_implied_controller(const ControllerDef *controller)
{
    if (controller->type == CONTROLLER_PCI)
        return controller->model == PCI_ROOT && !device_info_has_user_alias(&controller->info) &&
               controller->pci_hole64_kib == 0;
    return controller->type == CONTROLLER_USB && controller->index == 0 &&
           controller->model == USB_PIIX3_UHCI && !device_info_has_user_alias(&controller->info);
}

/* What a peer would make by itself, or does not understand. */
static bool is_implied(const DeviceFamily *family, const void *device)
{
    if (strcmp(family->name, "controller") == 0)
        return is_implied_controller(device);
    if (strcmp(family->name, "input") == 0) {
        const InputDef *input = device;

        return input->type == INPUT_KEYBOARD && input->bus == INPUT_BUS_PS2;
    }
    if (strcmp(family->name, "audio") == 0)
        return g_strcmp0(((const AudioDef *) device)->type, "none") == 0;
    return false;
}

typedef struct Output {
    XmlWriter *writer;
    DomainFormatFlags flags;
} Output;

static bool device_format(const DeviceFamily *family, void *device, void *data)
{
    Output *output = data;

    if (!(output->flags & DOMAIN_FORMAT_MIGRATABLE) || !is_implied(family, device))
        family->format(device, output->writer, output->flags);
    return true;
}

void domain_devices_format(const DomainDef *def, XmlWriter *writer, DomainFormatFlags flags)
{
    Output output = { writer, flags };

    xml_writer_open(writer, "devices");
    xml_writer_break(writer);
    xml_writer_element_string(writer, "emulator", def->emulator);
    domain_devices_each(def, device_format, &output);
    xml_writer_close(writer);
}
