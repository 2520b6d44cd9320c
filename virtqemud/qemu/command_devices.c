/* All devices, each behind what it needs on the host. */
#include "base/error.h"
#include "virtqemud/qemu/command_private.h"
#include "virtqemud/qemu/device_chardev.h"
#include "virtqemud/qemu/device_controller.h"
#include "virtqemud/qemu/device_disk.h"
#include "virtqemud/qemu/device_interface.h"
#include "virtqemud/qemu/device_small.h"
#include "virtqemud/qemu/device_video.h"

/* One device and all that it needs. */
typedef bool (*AddDevice)(CommandBuilder *builder, const void *device, GError **error);

/* A device that may be none. Takes @device. */
static void add_optional(CommandBuilder *builder, JsonValue *device)
{
    if (device)
        command_add_json(builder, "-device", device);
}

static bool add_controller(CommandBuilder *builder, const void *controller, GError **error)
{
    JsonValue *device;

    if (!controller_device_json(&builder->scope, controller, &device, error))
        return false;
    add_optional(builder, device);
    return true;
}

/* The floppy controller that a machine has built in is told where no device is named. */
static void add_floppy_boot(CommandBuilder *builder, const DiskDef *disk)
{
    const DomainDef *def = builder->scope.def;
    unsigned boot_index = device_boot_index(def, &disk->info);
    g_autofree char *property = disk_floppy_boot_property(disk);

    if (disk->bus == DISK_BUS_FDC && boot_index && !machine_is_q35(def))
        command_add_format(builder, "-global", "isa-fdc.%s=%u", property, boot_index);
}

/* Nodes first: a device can only name what is there. */
static bool add_disk(CommandBuilder *builder, const void *disk, GError **error)
{
    g_autoptr(GPtrArray) nodes = disk_blockdevs_json(disk, error);

    if (!nodes)
        return false;
    add_floppy_boot(builder, disk);
    for (guint i = 0; i < nodes->len; i++)
        command_add_json(builder, "-blockdev", json_copy(nodes->pdata[i]));
    return command_add_json(builder, "-device", disk_device_json(&builder->scope, disk, error));
}

static bool add_interface(CommandBuilder *builder, const void *interface, GError **error)
{
    return command_add_json(builder, "-netdev", interface_netdev_json(interface, error)) &&
           command_add_json(builder, "-device",
                            interface_device_json(&builder->scope, interface, error));
}

/* A console that stands for a serial port has nothing of its own. */
static bool add_character_device(CommandBuilder *builder, const void *data, GError **error)
{
    const ChardevDef *chardev = data;
    JsonValue *device;

    if (!chardev_is_real(chardev))
        return true;
    if (!command_add_chardev(builder, chardev, error) ||
        !chardev_device_json(&builder->scope, chardev, &device, error))
        return false;
    add_optional(builder, device);
    return true;
}

static bool add_hub(CommandBuilder *builder, const void *hub, GError **error)
{
    return command_add_json(builder, "-device", hub_device_json(&builder->scope, hub, error));
}

static bool add_input(CommandBuilder *builder, const void *input, GError **error)
{
    JsonValue *device;

    if (!input_device_json(&builder->scope, input, &device, error))
        return false;
    add_optional(builder, device);
    return true;
}

static bool add_video(CommandBuilder *builder, const void *video, GError **error)
{
    JsonValue *device;

    if (!video_device_json(&builder->scope, video, &device, error))
        return false;
    add_optional(builder, device);
    return true;
}

static bool add_watchdog(CommandBuilder *builder, const void *data, GError **error)
{
    const WatchdogDef *watchdog = data;
    JsonValue *device;

    if (!watchdog_device_json(&builder->scope, watchdog, &device, error))
        return false;
    add_optional(builder, device);
    /* The chip set's own watchdog is there, but its strap keeps it from resetting anything. */
    if (watchdog->model == WATCHDOG_ITCO)
        command_add(builder, "-global", "ICH9-LPC.noreboot=off");
    command_add(builder, "-watchdog-action", watchdog_qemu_action(watchdog->action));
    return true;
}

static bool add_rng(CommandBuilder *builder, const void *rng, GError **error)
{
    return command_add_json(builder, "-object", rng_object_json(&builder->scope, rng, error)) &&
           command_add_json(builder, "-device", rng_device_json(&builder->scope, rng, error));
}

static bool add_panic(CommandBuilder *builder, const void *panic, GError **error)
{
    JsonValue *device;

    if (!panic_device_json(&builder->scope, panic, &device, error))
        return false;
    add_optional(builder, device);
    return true;
}

static bool add_balloon(CommandBuilder *builder, GError **error)
{
    const BalloonDef *balloon = builder->scope.def->balloon;

    return !balloon || balloon->is_none ||
           command_add_json(builder, "-device",
                            balloon_device_json(&builder->scope, balloon, error));
}

/* The kernel knows the guest by its cid as soon as the descriptor has it, before QEMU starts. */
static bool add_vsock(CommandBuilder *builder, GError **error)
{
    const VsockDef *vsock = builder->scope.def->vsock;
    GArray *fds = builder->command->fds;
    g_autofree char *number = NULL;

    if (!vsock)
        return true;
    number = g_strdup_printf("%d", command_add_fd(builder, COMMAND_FD_VSOCK, vsock->info.alias,
                                                  "/dev/vhost-vsock"));
    g_array_index(fds, CommandFd, fds->len - 1).cid = vsock->cid;
    return command_add_json(builder, "-device",
                            vsock_device_json(&builder->scope, vsock, number, error));
}

static bool add_each(CommandBuilder *builder, const GPtrArray *devices, AddDevice add,
                     GError **error)
{
    for (guint i = 0; i < devices->len; i++) {
        if (!add(builder, devices->pdata[i], error))
            return false;
    }
    return true;
}

/* Controllers in an order in which each finds the bus that it sits on: buses first, and those of
 * PCI by their numbers, since a bridge has a lower number than what is behind it. */
static int controller_rank(const ControllerDef *controller)
{
    if (controller->type == CONTROLLER_PCI)
        return 0;
    /* Readers of cards sit on USB; a companion comes after its master. */
    if (controller->type == CONTROLLER_CCID)
        return 3;
    return controller->master_startport >= 0 ? 2 : 1;
}

static int compare_controllers(const void *a, const void *b)
{
    const ControllerDef *left = *(ControllerDef *const *)a;
    const ControllerDef *right = *(ControllerDef *const *)b;
    int left_rank = controller_rank(left), right_rank = controller_rank(right);

    if (left_rank != right_rank)
        return left_rank - right_rank;
    return left->type == CONTROLLER_PCI ? left->index - right->index : 0;
}

static bool add_controllers(CommandBuilder *builder, GError **error)
{
    g_autoptr(GPtrArray) sorted = g_ptr_array_copy(builder->scope.def->controllers, NULL, NULL);

    g_ptr_array_set_free_func(sorted, NULL);
    g_ptr_array_sort(sorted, compare_controllers);
    return add_each(builder, sorted, add_controller, error);
}

bool command_add_devices(CommandBuilder *builder, GError **error)
{
    const DomainDef *def = builder->scope.def;

    return add_controllers(builder, error) &&
           add_each(builder, def->hubs, add_hub, error) &&
           add_each(builder, def->disks, add_disk, error) &&
           add_each(builder, def->interfaces, add_interface, error) &&
           add_each(builder, def->serials, add_character_device, error) &&
           add_each(builder, def->channels, add_character_device, error) &&
           add_each(builder, def->consoles, add_character_device, error) &&
           add_each(builder, def->inputs, add_input, error) &&
           command_add_graphics(builder, error) &&
           add_each(builder, def->videos, add_video, error) &&
           add_each(builder, def->watchdogs, add_watchdog, error) && add_balloon(builder, error) &&
           add_each(builder, def->rngs, add_rng, error) &&
           add_each(builder, def->panics, add_panic, error) && add_vsock(builder, error);
}
