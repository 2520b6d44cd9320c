/* The command line that makes QEMU a domain's machine: its arguments, its environment, and the
 * descriptors that it must inherit. Nothing is opened, asked or changed here: all that a start
 * decides (aliases, addresses, ports, cids, disk chains with their numbers) is in the definition
 * before, and what is to be opened is said in the result. Ids of devices, character devices,
 * network back ends and block nodes are those of existing installations, so that a guest can be
 * looked after by either kind of daemon. QEMU 7.2 and later; what the emulator can do is asked
 * of its capabilities.
 *
 * Not on the command line, and so the caller's to do over QMP before the guest runs: the
 * password of VNC (set_password), links that are down (set_link), a balloon that is smaller than
 * the memory (balloon), the period of balloon statistics (qom-set), open trays (none yet). */
#pragma once

#include "virtqemud/model/domain_def.h"
#include "virtqemud/qemu/caps.h"

typedef struct CommandContext {
    const char *state_dir;   /* /var/lib/libvirt/qemu/domain-ID-NAME: QEMU's HOME, monitor.sock */
    const char *search_path; /* PATH of QEMU's environment; NULL: the usual folders */
    const char *vnc_listen;  /* for graphics without an address; NULL: 127.0.0.1 */
    int64_t now_s;           /* since 1970, for clocks with an offset; 0: now */
    int first_fd;            /* the lowest number to use in QEMU, at least 3 */
    bool is_sandboxed;       /* -sandbox on, if the emulator has it */
    bool dump_guest_core;    /* for domains that do not say (qemu.conf) */
    bool without_log_timestamps; /* qemu.conf: log_timestamp = 0 */
    bool has_vnc_password;   /* a password for all VNC servers (qemu.conf: vnc_password) */
} CommandContext;

typedef enum CommandFdKind {
    COMMAND_FD_MONITOR, /* a listening stream socket at the path: QMP */
    COMMAND_FD_LISTEN,  /* a listening stream socket at the path, of a character device */
    COMMAND_FD_OUTPUT,  /* the file at the path, for writing, to append or emptied first */
    COMMAND_FD_VSOCK,   /* /dev/vhost-vsock, with the guest's cid set */
} CommandFdKind;

/* A descriptor that the caller opens, as the kind says, before QEMU starts. */
typedef struct CommandFd {
    CommandFdKind kind;
    int number;        /* in QEMU */
    char *alias;       /* of the device; NULL for the monitor */
    char *path;
    bool is_append;    /* COMMAND_FD_OUTPUT */
    unsigned cid;      /* COMMAND_FD_VSOCK */
} CommandFd;

typedef struct QemuCommand {
    GPtrArray *argv; /* of strings; argv[0] is the emulator's path; a NULL at the end */
    GPtrArray *env;  /* of "NAME=VALUE"; a NULL at the end */
    GArray *fds;     /* of CommandFd; the monitor's is the first */
} QemuCommand;

/* @def is complete, with everything that belongs to a running guest, and outlives nothing here.
 * The guest does not run until it is told to ("-S").
 * Errors: CONFIG_UNSUPPORTED that names device and emulator when the emulator lacks something;
 * XML_ERROR or INTERNAL_ERROR for a definition that is not complete. */
QemuCommand *qemu_command_build(const DomainDef *def, const EmulatorCaps *caps,
                                const CommandContext *context, GError **error);
void qemu_command_free(QemuCommand *command);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(QemuCommand, qemu_command_free)

/* Gives each image of each disk that has none its number (DiskSource.index), in the order of
 * existing installations, and its node name "libvirt-N-format". The chains must be complete
 * (DiskSource.backing). @ret_next is the first number that is free for later images. */
void disk_nodes_assign(DomainDef *def, unsigned *ret_next);
/* What a running guest's disk shows as it is and not as it was asked for: the cache of a shared
 * disk; of an empty drive neither format nor policy. After the start-up policy has been applied. */
void disk_fill_live(DiskDef *disk);
/* The node of the file below the format's; to be freed. */
char *disk_storage_node_name(const DiskSource *source);
/* The name of the block back end in QMP's answers and events (query-block's qdev): the QOM path
 * or id of the device that carries the disk. Borrowed. */
const char *disk_qdev_id(const DiskDef *disk);
/* The network back end of an interface ("hostnet0"), the character device of a console, serial
 * or channel ("charserial0"); to be freed. */
char *interface_netdev_id(const InterfaceDef *interface);
char *chardev_id(const ChardevDef *chardev);
