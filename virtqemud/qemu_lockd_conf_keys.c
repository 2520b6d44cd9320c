/* The list of the keys of qemu-lockd.conf, as qemu_conf_keys.c has those of qemu.conf. */
#include "virtqemud/qemu_conf.h"

#define FIELD(name) offsetof(QemuLockdConf, name)
#define QEMU CONFIG_VIRTQEMUD

/* clang-format off */
const ConfigKey qemu_lockd_conf_keys[] = {
    { .section = "What is locked", .name = "auto_disk_leases", .type = CONFIG_KEY_BOOL,
      .offset = FIELD(auto_disk_leases), .daemons = QEMU, .effective = QEMU, .fallback = "1",
      .text = "Whether every disk that a guest may write to is locked. With 0 only the ``<lease>`` "
              "elements of its definition are." },
    { .name = "require_lease_for_disks", .type = CONFIG_KEY_BOOL,
      .offset = FIELD(require_lease_for_disks), .daemons = QEMU, .effective = QEMU,
      .example = "1",
      .text = "Whether a guest is refused that has a disk to write to and no ``<lease>``. "
              "Default: 1 where ``auto_disk_leases`` is 0, otherwise 0." },
    { .section = "Where the locks are", .name = "file_lockspace_dir", .type = CONFIG_KEY_PATH,
      .offset = FIELD(file_lockspace_dir), .daemons = QEMU, .effective = QEMU,
      .example = "\"/var/lib/libvirt/lockd/files\"",
      .text = "A folder in which a file is locked for each disk, whose name is the SHA256 sum of "
              "the disk's path, and not the disk itself. For block devices that several hosts "
              "have, and file systems without locks: the folder is on a file system that they "
              "share. All hosts must have the same setting. Default: the disk itself is locked." },
    { .name = "lvm_lockspace_dir", .type = CONFIG_KEY_PATH, .offset = FIELD(lvm_lockspace_dir),
      .daemons = QEMU, .effective = QEMU, .example = "\"/var/lib/libvirt/lockd/lvmvolumes\"",
      .text = "The same for volumes of LVM, whose file has the volume's UUID as its name: their "
              "paths may differ between hosts." },
    { .name = "scsi_lockspace_dir", .type = CONFIG_KEY_PATH, .offset = FIELD(scsi_lockspace_dir),
      .daemons = QEMU, .effective = QEMU, .example = "\"/var/lib/libvirt/lockd/scsivolumes\"",
      .text = "The same for SCSI devices, whose file has the device's NAA identifier as its "
              "name." },
    { .name = NULL },
};
/* clang-format on */
