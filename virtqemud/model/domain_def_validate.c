/* Rules that no element can check alone: what must be different, what must fit together. Many
 * devices may come from outside, so what must be different is kept in a set. */
#include <string.h>

#include "base/error.h"
#include "virtqemud/model/device_address.h"
#include "virtqemud/model/domain_devices.h"

typedef struct Check {
    const DomainDef *def;
    GHashTable *seen; /* "KIND:VALUE" of what may be there once */
    bool has_boot_order;
    GError **error;
} Check;

/* Whether this key is new. */
static bool G_GNUC_PRINTF(2, 3) is_first(Check *check, const char *format, ...)
{
    char *key = NULL;
    va_list args;

    va_start(args, format);
    key = g_strdup_vprintf(format, args);
    va_end(args);
    return g_hash_table_add(check->seen, key);
}

static bool pci_check(Check *check, const PciAddress *pci)
{
    g_autofree char *text = pci_address_text(pci);

    /* Not chosen yet. */
    if (!pci->domain && !pci->bus && !pci->slot && !pci->function)
        return true;
    return is_first(check, "pci:%s", text) ||
           error_fail(check->error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                      "Attempted double use of PCI Address %s", text);
}

static bool usb_check(Check *check, const DeviceAddress *address)
{
    g_autoptr(GString) port = g_string_new(NULL);

    if (address->usb.ports[0] == 0)
        return true;
    for (size_t i = 0; i < G_N_ELEMENTS(address->usb.ports) && address->usb.ports[i]; i++)
        g_string_append_printf(port, "%s%u", i ? "." : "", address->usb.ports[i]);
    return is_first(check, "usb:%u:%s", address->usb.bus, port->str) ||
           error_fail(check->error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                      "Duplicate USB address bus %u port %s", address->usb.bus, port->str);
}

/* Consoles and channels share the ports of a controller; 0 is not chosen yet. */
static bool virtio_serial_check(Check *check, const DeviceAddress *address)
{
    return address->virtio_serial.port == 0 ||
           is_first(check, "virtio-serial:%u:%u", address->virtio_serial.controller,
                    address->virtio_serial.port) ||
           error_fail(check->error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                      "virtio serial port %u on controller %u is already occupied",
                      address->virtio_serial.port, address->virtio_serial.controller);
}

/* The first console is the first serial port seen with other eyes: it has that one's alias and
 * address. */
static bool is_mirror(const Check *check, const DeviceFamily *family, const void *device)
{
    return strcmp(family->name, "console") == 0 &&
           ((const ChardevDef *) device)->target == CHARDEV_TARGET_SERIAL;
}

/* Aliases that the daemon gives are its own business, and may be there twice: a console and its
 * serial port share one. */
static bool info_check(Check *check, const DeviceInfo *info)
{
    if (device_info_has_user_alias(info) && !is_first(check, "alias:%s", info->alias))
        return error_fail(check->error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                          "non unique alias detected: %s", info->alias);
    if (info->boot_index != 0) {
        check->has_boot_order = true;
        if (!is_first(check, "boot:%u", info->boot_index))
            return error_fail(check->error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                              "boot order '%u' used for more than one device", info->boot_index);
    }
    if (info->address.type == ADDRESS_PCI)
        return pci_check(check, &info->address.pci);
    if (info->address.type == ADDRESS_USB)
        return usb_check(check, &info->address);
    if (info->address.type == ADDRESS_VIRTIO_SERIAL)
        return virtio_serial_check(check, &info->address);
    return true;
}

static bool device_check(const DeviceFamily *family, void *device, void *data)
{
    Check *check = data;

    if (family->validate && !family->validate(device, check->error))
        return false;
    return !family->has_info || is_mirror(check, family, device) || info_check(check, device);
}

static const char *disk_path(const DiskDef *disk)
{
    return disk->source && disk->source->path ? disk->source->path : "";
}

/* The first disk is looked for only when there is a second: it is named in the error. */
static bool disk_target_check(Check *check, const DiskDef *disk)
{
    const GPtrArray *disks = check->def->disks;

    if (!disk->target || is_first(check, "target:%s", disk->target))
        return true;
    for (guint i = 0; i < disks->len; i++) {
        const DiskDef *other = g_ptr_array_index(disks, i);

        if (g_strcmp0(other->target, disk->target) == 0)
            return error_fail(check->error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                              "target '%s' duplicated for disk sources '%s' and '%s'", disk->target,
                              disk_path(other), disk_path(disk));
    }
    return false;
}

static bool has_same_place(const DiskDef *a, const DiskDef *b)
{
    return a->bus == b->bus && device_address_equal(&a->info.address, &b->info.address);
}

/* Each kind of bus counts its own places. */
static bool disk_address_check(Check *check, const DiskDef *disk)
{
    const GPtrArray *disks = check->def->disks;
    const DeviceAddress *address = &disk->info.address;
    const DiskDef *first = disk;

    if (address->type != ADDRESS_DRIVE ||
        is_first(check, "drive:%d:%u:%u:%u:%u", disk->bus, address->drive.controller,
                 address->drive.bus, address->drive.target, address->drive.unit))
        return true;
    for (guint i = 0; first == disk && i < disks->len; i++) {
        if (has_same_place(g_ptr_array_index(disks, i), disk))
            first = g_ptr_array_index(disks, i);
    }
    return error_fail(
        check->error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
        "Found duplicate drive address for disk with target name '%s' controller='%u' "
        "bus='%u' target='%u' unit='%u'",
        first->target, address->drive.controller, address->drive.bus, address->drive.target,
        address->drive.unit);
}

static bool disks_check(Check *check)
{
    for (guint i = 0; i < check->def->disks->len; i++) {
        const DiskDef *disk = g_ptr_array_index(check->def->disks, i);

        if (!disk_target_check(check, disk) || !disk_address_check(check, disk))
            return false;
    }
    return true;
}

/* Companions of an USB 2 controller are parts of it, and have its index. */
static bool is_companion(const ControllerDef *controller)
{
    return controller->model == USB_ICH9_UHCI1 || controller->model == USB_ICH9_UHCI2 ||
           controller->model == USB_ICH9_UHCI3;
}

static bool controllers_check(Check *check)
{
    for (guint i = 0; i < check->def->controllers->len; i++) {
        const ControllerDef *controller = g_ptr_array_index(check->def->controllers, i);

        if (controller->index < 0 || is_companion(controller))
            continue;
        if (is_first(check, "controller:%d:%d", controller->type, controller->index))
            continue;
        if (controller->type == CONTROLLER_USB)
            return error_fail(check->error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                              "Duplicate USB controllers with index %d", controller->index);
        return error_fail(check->error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                          "Multiple '%s' controllers with index '%d'",
                          controller_type_names[controller->type], controller->index);
    }
    return true;
}

/* Firmware that talks to a serial port needs one. */
static bool chardevs_check(const DomainDef *def, GError **error)
{
    for (guint i = 1; i < def->consoles->len; i++) {
        const ChardevDef *console = g_ptr_array_index(def->consoles, i);

        if (console->target == CHARDEV_TARGET_SERIAL)
            return error_fail(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                              "Only the first console can be a serial port");
    }
    if (def->os.bios_use_serial == XML_TRISTATE_YES && def->serials->len == 0)
        return error_fail(error, VIR_FROM_QEMU, VIR_ERR_XML_ERROR,
                          "need at least one serial port to use BIOS serial output");
    return true;
}

/* The primary one is what firmware shows its screen on. */
static bool videos_check(const DomainDef *def, GError **error)
{
    guint n_primary = 0, n_none = 0;

    for (guint i = 0; i < def->videos->len; i++)
        n_none += ((const VideoDef *)def->videos->pdata[i])->model == VIDEO_NONE;
    for (guint i = 0; i < def->videos->len; i++) {
        const VideoDef *video = g_ptr_array_index(def->videos, i);

        if (n_none > 0 && def->videos->len > 1)
            return error_fail(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                              "a 'none' video type must be the only video device defined for the "
                              "domain");
        if (video->has_primary && video->is_primary && ++n_primary > 1)
            return error_fail(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                              "Only one primary video device is supported");
        if (i > 0 && video->model != VIDEO_QXL && video->model != VIDEO_VIRTIO &&
            video->model != VIDEO_DEFAULT && !video->is_primary)
            return error_fail(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                              "video type '%s' is only valid as primary video device",
                              video_model_names[video->model]);
    }
    return true;
}

static bool small_devices_check(const DomainDef *def, GError **error)
{
    static const char *const panic_names[N_PANIC_MODELS] = {
        [PANIC_DEFAULT] = "default", [PANIC_ISA] = "isa", [PANIC_PVPANIC] = "pvpanic",
        [PANIC_HYPERV] = "hyperv",
    };
    unsigned panics = 0;

    if (def->watchdogs->len > 1)
        return error_fail(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR,
                          "only a single watchdog device is supported");
    for (guint i = 0; i < def->panics->len; i++) {
        const PanicDef *panic = g_ptr_array_index(def->panics, i);

        if (panics & 1u << panic->model)
            return error_fail(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                              "Multiple panic devices with model '%s'", panic_names[panic->model]);
        panics |= 1u << panic->model;
    }
    return true;
}

/* What the emulator can be told, and what somebody would be there to do. */
static bool lifecycle_check(const DomainDef *def, GError **error)
{
    const struct {
        const char *event;
        LifecycleAction action;
    } ends[] = { { "poweroff", def->on_poweroff }, { "reboot", def->on_reboot } };

    for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
        if (ends[i].action == ACTION_COREDUMP_DESTROY || ends[i].action == ACTION_COREDUMP_RESTART)
            return error_fail(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                              "Lifecycle event '%s' doesn't support '%s' action", ends[i].event,
                              lifecycle_action_names[ends[i].action]);
    }
    if (def->on_poweroff == ACTION_RENAME_RESTART || def->on_reboot == ACTION_RENAME_RESTART ||
        def->on_crash == ACTION_RENAME_RESTART)
        return error_fail(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                          "qemu driver doesn't support the 'rename-restart' action for "
                          "'on_reboot'/'on_poweroff'/'on_crash'");
    if (def->on_poweroff == ACTION_PRESERVE || def->on_reboot == ACTION_PRESERVE)
        return error_fail(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                          "qemu driver doesn't support the 'preserve' action for "
                          "'on_reboot'/'on_poweroff'");
    if (def->on_poweroff == ACTION_RESTART && def->on_reboot == ACTION_DESTROY)
        return error_fail(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                          "qemu driver doesn't support 'onReboot' set to 'destroy and 'onPoweroff' "
                          "set to 'reboot'");
    return true;
}

/* The first processor runs the firmware. */
static bool vcpus_check(const DomainDef *def, GError **error)
{
    if (def->vcpus == 0)
        return error_fail(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                          "vcpu 0 can't be offline");
    return !def->cpu || cpu_def_validate(def->cpu, def->max_vcpus, error);
}

static bool devices_check(const DomainDef *def, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    Check check = { .def = def, .seen = seen, .error = error };

    if (!disks_check(&check) || !controllers_check(&check) ||
        !domain_devices_each(def, device_check, &check))
        return false;
    if (check.has_boot_order && def->os.n_boot > 0)
        return error_fail(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                          "per-device boot elements cannot be used together with os/boot elements");
    return true;
}

/* Cheap checks first; the order decides which of several mistakes is named. */
bool domain_def_validate(const DomainDef *def, GError **error)
{
    return lifecycle_check(def, error) && vcpus_check(def, error) &&
           clock_def_validate(&def->clock, error) && devices_check(def, error) &&
           chardevs_check(def, error) && videos_check(def, error) &&
           small_devices_check(def, error);
}
