/* The list of the keys of qemu-sanlock.conf, as qemu_conf_keys.c has those of qemu.conf. */
#include "virtqemud/qemu_conf.h"

#define FIELD(name) offsetof(QemuSanlockConf, name)
#define QEMU CONFIG_VIRTQEMUD

/* clang-format off */
const ConfigKey qemu_sanlock_conf_keys[] = {
    { .section = "What is locked", .name = "auto_disk_leases", .type = CONFIG_KEY_BOOL,
      .offset = FIELD(auto_disk_leases), .daemons = QEMU, .effective = QEMU, .fallback = "0",
      .text = "Whether every disk that a guest may write to is locked, by a lease that is made for "
              "its path. With 0 only the ``<lease>`` elements of its definition are." },
    { .name = "require_lease_for_disks", .type = CONFIG_KEY_BOOL,
      .offset = FIELD(require_lease_for_disks), .daemons = QEMU, .effective = QEMU,
      .example = "1",
      .text = "Whether a guest is refused that has a disk to write to and no ``<lease>``. "
              "Default: 1 where ``auto_disk_leases`` is 0, otherwise 0." },
    { .section = "Where the locks are", .name = "disk_lease_dir", .type = CONFIG_KEY_PATH,
      .offset = FIELD(disk_lease_dir), .daemons = QEMU, .effective = QEMU,
      .example = "\"/var/lib/libvirt/sanlock\"",
      .text = "The folder of the leases that are made for disks: on a file system that all hosts "
              "share, if locks are to count on all of them. Each is a file named by the MD5 sum of "
              "the disk's path. Default: /var/lib/libvirt/sanlock." },
    { .name = "host_id", .type = CONFIG_KEY_UINT, .offset = FIELD(host_id), .min = 0, .max = 2000,
      .daemons = QEMU, .effective = QEMU, .example = "1",
      .text = "The number of this host, which no other host that shares the folder has. Must be "
              "set with ``auto_disk_leases``." },
    { .name = "io_timeout", .type = CONFIG_KEY_UINT, .offset = FIELD(io_timeout), .min = 0,
      .max = 3600, .daemons = QEMU, .effective = QEMU, .fallback = "0",
      .text = "Seconds that sanlock waits for the folder's file system; 0 is sanlock's own choice. "
              "A host that cannot reach it for eight times as long loses its locks, and sanlock "
              "ends the guests that have some." },
    { .section = "sanlock's daemon", .name = "user", .type = CONFIG_KEY_STRING, .offset = FIELD(user),
      .daemons = QEMU, .effective = QEMU, .example = "\"sanlock\"",
      .text = "The user as whom sanlock runs: files that are made for it are given to that user. "
              "Default: they stay root's." },
    { .name = "group", .type = CONFIG_KEY_STRING, .offset = FIELD(group), .daemons = QEMU,
      .effective = QEMU, .example = "\"sanlock\"",
      .text = "The group, in the same way." },
    { .name = NULL },
};
/* clang-format on */
