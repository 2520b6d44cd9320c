/* Source of the names: what existing daemons give, which scripts of users know. */
#include "virtqemud/qemu/alias.h"

#include <string.h>

#include "virtqemud/qemu/complete_steps.h"

/* Takes @alias over, unless there is one already. */
static void alias_set(DeviceInfo *info, char *alias)
{
    if (info->alias)
        g_free(alias);
    else
        info->alias = alias;
}

/* Whether disks are named by target and number, or by number alone as on the oldest model. */
static bool has_targets(const DomainDef *def, const DiskDef *disk)
{
    const ControllerDef *controller = complete_find_controller(
        def, CONTROLLER_SCSI, (int) disk->info.address.drive.controller);

    return controller && controller->model != SCSI_LSILOGIC;
}

/* Disks are named by their place, those that sit on PCI by their target. */
static void disk_alias(const DomainDef *def, DiskDef *disk)
{
    const DeviceAddress *address = &disk->info.address;
    const char *bus = disk_bus_names[disk->bus];

    if (address->type != ADDRESS_DRIVE)
        alias_set(&disk->info, g_strdup_printf("%s-disk%d", bus, disk_target_index(disk->target)));
    else if (disk->bus == DISK_BUS_SCSI && has_targets(def, disk))
        alias_set(&disk->info,
                  g_strdup_printf("%s%u-%u-%u-%u", bus, address->drive.controller,
                                  address->drive.bus, address->drive.target, address->drive.unit));
    else
        alias_set(&disk->info,
                  g_strdup_printf("%s%u-%u-%u", bus, address->drive.controller,
                                  address->drive.bus, address->drive.unit));
}

/* Controllers of the board have the names that QEMU has for their buses. */
static char *controller_name(const ControllerDef *controller, Board board)
{
    if (controller->type == CONTROLLER_PCI)
        return g_strdup_printf("%s.%d", controller->model == PCIE_ROOT ? "pcie" : "pci",
                               controller->index);
    if (controller->index == 0) {
        if (controller->type == CONTROLLER_USB)
            return g_strdup("usb");
        if ((controller->type == CONTROLLER_IDE && board == BOARD_I440FX) ||
            (controller->type == CONTROLLER_SATA && board == BOARD_Q35))
            return g_strdup("ide");
    }
    return g_strdup_printf("%s%d", controller_type_names[controller->type], controller->index);
}

/* Names by place: a device with a name of its own leaves its number unused. */
static void aliases_by_place(const GPtrArray *devices, const char *prefix)
{
    for (guint i = 0; i < devices->len; i++)
        alias_set(g_ptr_array_index(devices, i), g_strdup_printf("%s%u", prefix, i));
}

/* Names by what comes after the highest that is in use, as for devices that come and go. */
static void aliases_by_number(const GPtrArray *devices, const char *prefix)
{
    gint64 next = 0;

    for (guint i = 0; i < devices->len; i++) {
        const DeviceInfo *info = g_ptr_array_index(devices, i);

        if (info->alias && g_str_has_prefix(info->alias, prefix))
            next = MAX(next, g_ascii_strtoll(info->alias + strlen(prefix), NULL, 10) + 1);
    }
    for (guint i = 0; i < devices->len; i++) {
        DeviceInfo *info = g_ptr_array_index(devices, i);

        if (!info->alias)
            info->alias = g_strdup_printf("%s%" G_GINT64_FORMAT, prefix, next++);
    }
}

/* A console that is not a serial port keeps the number of its place. */
static void chardev_aliases(DomainDef *def)
{
    ChardevDef *console = def->consoles->len > 0 ? g_ptr_array_index(def->consoles, 0) : NULL;

    aliases_by_place(def->serials, "serial");
    aliases_by_place(def->channels, "channel");
    /* The first console is the first serial port. */
    if (console && console->target == CHARDEV_TARGET_SERIAL && def->serials->len > 0) {
        const ChardevDef *serial = g_ptr_array_index(def->serials, 0);

        g_free(console->info.alias);
        console->info.alias = g_strdup(serial->info.alias);
    }
    aliases_by_place(def->consoles, "console");
}

void domain_def_assign_aliases(DomainDef *def)
{
    Board board = board_of_machine(def->os.machine);

    for (guint i = 0; i < def->disks->len; i++)
        disk_alias(def, g_ptr_array_index(def->disks, i));
    for (guint i = 0; i < def->controllers->len; i++) {
        ControllerDef *controller = g_ptr_array_index(def->controllers, i);

        alias_set(&controller->info, controller_name(controller, board));
    }
    chardev_aliases(def);
    aliases_by_number(def->interfaces, "net");
    aliases_by_number(def->rngs, "rng");
    aliases_by_place(def->inputs, "input");
    aliases_by_place(def->videos, "video");
    aliases_by_place(def->hubs, "hub");
    aliases_by_place(def->watchdogs, "watchdog");
    if (def->balloon && !def->balloon->is_none)
        alias_set(&def->balloon->info, g_strdup("balloon0"));
    if (def->vsock)
        alias_set(&def->vsock->info, g_strdup("vsock0"));
}
