/* Front ends of character devices. */
#include "virtqemud/qemu/device_chardev.h"

#include "base/error.h"
#include "virtqemud/qemu/command.h"

char *chardev_id(const ChardevDef *chardev)
{
    return g_strconcat("char", chardev->info.alias, NULL);
}

bool chardev_is_real(const ChardevDef *chardev)
{
    return chardev->kind != CHARDEV_CONSOLE || chardev->target == CHARDEV_TARGET_VIRTIO;
}

/* The model has been chosen when the definition was completed; ISA is what machines have. */
static const char *serial_driver(const ChardevDef *serial)
{
    if (serial->target == CHARDEV_TARGET_ISA_DEBUG)
        return "isa-debugcon";
    switch (serial->model) {
    case CHARDEV_MODEL_USB_SERIAL:
        return "usb-serial";
    case CHARDEV_MODEL_PCI_SERIAL:
        return "pci-serial";
    case CHARDEV_MODEL_ISA_DEBUGCON:
        return "isa-debugcon";
    default:
        return "isa-serial";
    }
}

static const char *chardev_driver(const ChardevDef *chardev)
{
    switch (chardev->kind) {
    case CHARDEV_SERIAL:
        return serial_driver(chardev);
    case CHARDEV_CONSOLE:
        return "virtconsole";
    default:
        return "virtserialport";
    }
}

bool chardev_device_json(const DeviceScope *scope, const ChardevDef *chardev,
                         JsonValue **ret_device, GError **error)
{
    g_autofree char *id = chardev_id(chardev);
    const char *driver = chardev_driver(chardev);
    JsonValue *device;

    if (!chardev_is_real(chardev)) {
        *ret_device = NULL;
        return true;
    }
    device = device_json_new_placed(scope, driver, &chardev->info, error);
    if (!device)
        return false;
    json_object_put_string(device, "chardev", id);
    if (!g_strcmp0(driver, "isa-serial") && chardev->port >= 0)
        json_object_put_int64(device, "index", chardev->port);
    if (chardev->kind == CHARDEV_CHANNEL)
        json_object_put_string(device, "name", chardev->channel_name);
    *ret_device = device;
    return true;
}
