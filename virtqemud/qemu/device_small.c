/* Devices with little to say. */
#include "virtqemud/qemu/device_small.h"

#include "base/error.h"

/* ---- rng ---- */

/* "objrng0": the source has no alias of its own. */
static char *rng_object_id(const RngDef *rng)
{
    return g_strconcat("obj", rng->info.alias, NULL);
}

JsonValue *rng_object_json(const DeviceScope *scope, const RngDef *rng, GError **error)
{
    g_autofree char *id = rng_object_id(rng);
    JsonValue *object =
        object_json_new(scope, rng->is_builtin ? "rng-builtin" : "rng-random", id, error);

    if (object && !rng->is_builtin)
        json_object_put_string(object, "filename", rng->source ? rng->source : "/dev/random");
    return object;
}

JsonValue *rng_device_json(const DeviceScope *scope, const RngDef *rng, GError **error)
{
    g_autofree char *driver = g_strconcat("virtio-rng-pci", virtio_model_suffix(rng->model), NULL);
    g_autofree char *object = rng_object_id(rng);
    JsonValue *device = device_json_new_placed(scope, driver, &rng->info, error);

    if (!device)
        return NULL;
    json_object_put_string(device, "rng", object);
    device_json_put_virtio(device, &rng->virtio);
    if (rng->rate_bytes) {
        json_object_put_uint64(device, "max-bytes", rng->rate_bytes);
        json_object_put_uint64(device, "period", rng->rate_period_ms ? rng->rate_period_ms : 1000);
    }
    return device;
}

/* ---- balloon ---- */

JsonValue *balloon_device_json(const DeviceScope *scope, const BalloonDef *balloon, GError **error)
{
    g_autofree char *driver =
        g_strconcat("virtio-balloon-pci", virtio_model_suffix(balloon->model), NULL);
    JsonValue *device = device_json_new_placed(scope, driver, &balloon->info, error);

    if (!device)
        return NULL;
    device_json_put_switch(device, "deflate-on-oom", balloon->auto_deflate);
    device_json_put_switch(device, "free-page-reporting", balloon->free_page_reporting);
    device_json_put_virtio(device, &balloon->virtio);
    return device;
}

/* ---- watchdog, panic ---- */

bool watchdog_device_json(const DeviceScope *scope, const WatchdogDef *watchdog,
                          JsonValue **ret_device, GError **error)
{
    JsonValue *device = NULL;

    if (watchdog->model != WATCHDOG_ITCO) {
        device = device_json_new_placed(
            scope, watchdog->model == WATCHDOG_IB700 ? "ib700" : "i6300esb", &watchdog->info,
            error);
        if (!device)
            return false;
    }
    *ret_device = device;
    return true;
}

const char *watchdog_qemu_action(WatchdogAction action)
{
    /* For a dump the guest must stand still first: the daemon writes it when QEMU says so. */
    return watchdog_action_names[action == WATCHDOG_DUMP ? WATCHDOG_PAUSE : action];
}

bool panic_device_json(const DeviceScope *scope, const PanicDef *panic, JsonValue **ret_device,
                       GError **error)
{
    g_autoptr(JsonValue) device = NULL;

    if (panic->model == PANIC_HYPERV) {
        *ret_device = NULL;
        return true;
    }
    if (panic->model == PANIC_PVPANIC) {
        device = device_json_new_placed(scope, "pvpanic-pci", &panic->info, error);
    } else {
        const DeviceAddress *address = &panic->info.address;

        /* Panic devices have no aliases in existing installations. */
        device = device_json_new(scope, "pvpanic", error);
        json_object_put_string(device, "id", device ? panic->info.alias : NULL);
        if (device && address->type == ADDRESS_ISA && address->isa.has_iobase)
            json_object_put_uint64(device, "ioport", address->isa.iobase);
    }
    *ret_device = device;
    return g_steal_pointer(&device) != NULL;
}

/* ---- vsock ---- */

JsonValue *vsock_device_json(const DeviceScope *scope, const VsockDef *vsock, const char *vhost_fd,
                             GError **error)
{
    g_autofree char *driver =
        g_strconcat("vhost-vsock-pci", virtio_model_suffix(vsock->model), NULL);
    JsonValue *device = device_json_new_placed(scope, driver, &vsock->info, error);

    if (!device)
        return NULL;
    json_object_put_uint64(device, "guest-cid", vsock->cid);
    json_object_put_string(device, "vhostfd", vhost_fd);
    device_json_put_virtio(device, &vsock->virtio);
    return device;
}

/* ---- hub, input ---- */

JsonValue *hub_device_json(const DeviceScope *scope, const HubDef *hub, GError **error)
{
    return device_json_new_placed(scope, "usb-hub", &hub->info, error);
}

/* What is on the PS/2 ports is in every machine. */
static const char *const input_virtio_kinds[N_INPUT_TYPES] = {
    [INPUT_MOUSE] = "virtio-mouse-pci",
    [INPUT_TABLET] = "virtio-tablet-pci",
    [INPUT_KEYBOARD] = "virtio-keyboard-pci",
};

static const char *const input_usb_kinds[N_INPUT_TYPES] = {
    [INPUT_MOUSE] = "usb-mouse",
    [INPUT_TABLET] = "usb-tablet",
    [INPUT_KEYBOARD] = "usb-kbd",
};

bool input_device_json(const DeviceScope *scope, const InputDef *input, JsonValue **ret_device,
                       GError **error)
{
    const char *driver = input->bus == INPUT_BUS_VIRTIO ? input_virtio_kinds[input->type]
                         : input->bus == INPUT_BUS_USB  ? input_usb_kinds[input->type]
                                                        : NULL;
    JsonValue *device = NULL;

    if (driver) {
        device = device_json_new_placed(scope, driver, &input->info, error);
        if (!device)
            return false;
        device_json_put_virtio(device, &input->virtio);
    }
    *ret_device = device;
    return true;
}
