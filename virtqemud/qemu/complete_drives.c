/* Where disks are on the controllers of their buses: by the letters of their target, unless an
 * address is given. Source: the addresses that existing daemons give. */
#include "virtqemud/qemu/complete_steps.h"

/* Places of a controller that targets are counted by: "sdh" is the first disk of the second SCSI
 * controller, however many the controller could take. */
typedef struct DriveBus {
    ControllerType controller;
    unsigned buses, units; /* each controller has buses * units places */
} DriveBus;

static const DriveBus drive_buses[N_DISK_BUSES] = {
    [DISK_BUS_IDE] = { CONTROLLER_IDE, 2, 2 },
    [DISK_BUS_FDC] = { CONTROLLER_FDC, 1, 2 },
    [DISK_BUS_SCSI] = { CONTROLLER_SCSI, 1, 7 },
    [DISK_BUS_SATA] = { CONTROLLER_SATA, 1, 6 },
};

static bool has_drive_address(const DiskDef *disk)
{
    return drive_buses[disk->bus].units > 0;
}

/* Disks of a bus stand together, by their targets, where the first of them was. */
static guint place_of(const GPtrArray *disks, guint len, const DiskDef *disk)
{
    int index = disk_target_index(disk->target);
    guint place = len;

    for (guint i = 0; i < len; i++) {
        const DiskDef *other = g_ptr_array_index(disks, i);

        if (other->bus != disk->bus)
            continue;
        if (index < disk_target_index(other->target))
            return i;
        place = i + 1;
    }
    return place;
}

static void disks_order(GPtrArray *disks)
{
    for (guint i = 1; i < disks->len; i++) {
        guint place = place_of(disks, i, g_ptr_array_index(disks, i));

        if (place != i)
            g_ptr_array_insert(disks, (gint) place, g_ptr_array_steal_index(disks, i));
    }
}

/* The letters decide, not what is free: a disk keeps its place when others come and go. */
static bool address_complete(DiskDef *disk, GError **error)
{
    const DriveBus *bus = &drive_buses[disk->bus];
    DeviceAddress *address = &disk->info.address;
    int index = disk_target_index(disk->target);

    if (address->type != ADDRESS_NONE)
        return true;
    if (index < 0)
        return error_fail(error, VIR_FROM_QEMU, VIR_ERR_XML_ERROR,
                          "Unknown disk name '%s' and no address specified", disk->target);
    address->type = ADDRESS_DRIVE;
    address->drive.controller = (unsigned) index / (bus->buses * bus->units);
    address->drive.bus = (unsigned) index / bus->units % bus->buses;
    address->drive.target = 0;
    address->drive.unit = (unsigned) index % bus->units;
    return true;
}

/* Whether the model has more than the numbers 0 to 7. */
static bool is_wide(const ControllerDef *controller)
{
    switch (controller->model) {
    case SCSI_VIRTIO_SCSI:
    case VIRTIO_TRANSITIONAL:
    case VIRTIO_NON_TRANSITIONAL:
    case SCSI_LSISAS1068:
    case SCSI_LSISAS1078:
    case SCSI_VMPVSCSI:
        return true;
    default:
        return false;
    }
}

/* How many targets and units there are is the driver's to know; that it has targets is not. */
static bool scsi_check(const DomainDef *def, const DeviceAddress *address, GError **error)
{
    int index = (int) MIN(address->drive.controller, G_MAXINT);
    const ControllerDef *controller = complete_find_controller(def, CONTROLLER_SCSI, index);

    if (address->drive.bus != 0)
        return error_fail(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                          "SCSI controller only supports 1 bus");
    if (address->drive.target != 0 && (!controller || !is_wide(controller)))
        return error_fail(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                          "target must be 0 for controller model '%s'",
                          controller_model_names[controller && controller->model ? controller->model
                                                                                 : SCSI_LSILOGIC]);
    return true;
}

/* Whether a controller of the disk's bus has a place of such an address. */
static bool place_check(const DomainDef *def, const DiskDef *disk, GError **error)
{
    const DeviceAddress *address = &disk->info.address;
    const char *name = controller_type_names[drive_buses[disk->bus].controller];

    /* Another type of address is for domain_def_validate(). */
    if (address->type != ADDRESS_DRIVE)
        return true;
    if (disk->bus == DISK_BUS_SCSI)
        return scsi_check(def, address, error);
    if (address->drive.target != 0)
        return error_fail(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                          "target must be 0 for %s%s",
                          disk->bus == DISK_BUS_FDC ? "controller fdc" : name,
                          disk->bus == DISK_BUS_FDC ? "" : " controller");
    if (disk->bus == DISK_BUS_SATA)
        return address->drive.bus == 0 ||
               error_fail(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                          "bus must be 0 for sata controller");
    if (address->drive.controller != 0)
        return error_fail(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                          "Only 1 %s controller is supported",
                          disk->bus == DISK_BUS_IDE ? "IDE" : "fdc");
    if (disk->bus == DISK_BUS_FDC && address->drive.bus != 0)
        return error_fail(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                          "Only 1 fdc bus is supported");
    return true;
}

static bool board_check(const DomainDef *def, const DiskDef *disk, GError **error)
{
    /* A floppy on IDE is for domain_def_validate(). */
    return disk->bus != DISK_BUS_IDE || disk->device == DISK_FLOPPY ||
           board_of_machine(def->os.machine) == BOARD_I440FX ||
           error_fail(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                      "IDE controllers are unsupported for this QEMU binary or machine type");
}

/* One past the highest controller that disks on a bus of @type need. */
static unsigned controllers_needed(const DomainDef *def, ControllerType type)
{
    unsigned needed = 0;

    for (guint i = 0; i < def->disks->len; i++) {
        const DiskDef *disk = g_ptr_array_index(def->disks, i);
        const DeviceAddress *address = &disk->info.address;

        if (has_drive_address(disk) && drive_buses[disk->bus].controller == type &&
            address->type == ADDRESS_DRIVE)
            needed = MAX(needed, MIN(address->drive.controller, G_MAXINT) + 1);
    }
    return needed;
}

bool complete_drives(DomainDef *def, GError **error)
{
    static const ControllerType types[] = { CONTROLLER_SCSI, CONTROLLER_FDC, CONTROLLER_IDE,
                                            CONTROLLER_SATA };

    disks_order(def->disks);
    for (guint i = 0; i < def->disks->len; i++) {
        DiskDef *disk = g_ptr_array_index(def->disks, i);

        if (!board_check(def, disk, error))
            return false;
        if (has_drive_address(disk) &&
            (!address_complete(disk, error) || !place_check(def, disk, error)))
            return false;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        unsigned needed = controllers_needed(def, types[i]);

        if (needed > 0 && !complete_controllers_up_to(def, types[i], needed - 1, error))
            return false;
    }
    return true;
}
