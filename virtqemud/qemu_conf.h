/* The settings of the QEMU driver: qemu.conf, the file of virtqemud besides virtqemud.conf. Made
 * at start and again at each reload (SIGHUP); one never changes, so whoever holds a reference
 * sees settings that belong together. Running guests keep what they were started with. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <glib.h>

#include "common/config_keys.h"
#include "common/paths.h"
#include "fiber/fiber.h"
#include "virtqemud/qemu_user.h"

typedef enum QemuStdioHandler {
    QEMU_STDIO_FILE,
    QEMU_STDIO_LOGD,
} QemuStdioHandler;

/* Which guests a key of auto_shutdown_* is about. */
typedef enum QemuGuests {
    QEMU_GUESTS_NONE,
    QEMU_GUESTS_PERSISTENT,
    QEMU_GUESTS_TRANSIENT,
    QEMU_GUESTS_ALL,
} QemuGuests;

typedef enum QemuLockManager {
    QEMU_LOCK_NOP,
    QEMU_LOCK_LOCKD,
    QEMU_LOCK_SANLOCK,
} QemuLockManager;

/* qemu-lockd.conf: how disks are locked by way of virtlockd. */
typedef struct QemuLockdConf {
    bool auto_disk_leases, require_lease_for_disks;
    char *file_lockspace_dir, *lvm_lockspace_dir, *scsi_lockspace_dir; /* NULL: none */
} QemuLockdConf;

/* qemu-sanlock.conf: the same by way of sanlock. */
typedef struct QemuSanlockConf {
    bool auto_disk_leases, require_lease_for_disks;
    char *disk_lease_dir; /* never NULL once loaded */
    unsigned int host_id, io_timeout; /* 0: not set */
    char *user, *group;               /* of sanlock's daemon; NULL: not set */
    int uid, gid;                     /* the same as numbers; -1: not set */
} QemuSanlockConf;

/* Field names are the keys; the table's texts say what they mean. Strings are NULL where
 * nothing is set and there is no default. */
typedef struct QemuConf {
    int n_refs;
    QemuUser run_as;
    char *user, *group; /* as the file has them */
    bool dynamic_ownership, remember_owner;
    char **security_driver; /* NULL or "none" */
    bool security_default_confined, security_require_confined;

    char *vnc_listen;
    bool vnc_auto_unix_socket, vnc_allow_host_audio;
    bool vnc_tls, vnc_tls_x509_verify, vnc_sasl;
    char *vnc_tls_x509_cert_dir; /* never NULL */
    char *vnc_tls_x509_secret_uuid;
    char *vnc_password; /* "" locks everybody out, NULL sets none */
    char *vnc_sasl_dir;
    char *default_tls_x509_cert_dir;
    bool default_tls_x509_verify;
    char *default_tls_x509_secret_uuid;
    unsigned int remote_display_port_min, remote_display_port_max;
    unsigned int remote_websocket_port_min, remote_websocket_port_max;
    bool nographics_allow_host_audio;

    char **cgroup_controllers; /* NULL: all that there are */
    char **cgroup_device_acl;
    unsigned cgroup_controller_bits; /* CgroupController */
    bool has_cgroup_keys; /* the file has one of the two */
    bool seccomp_sandbox, set_process_name, log_timestamp;
    unsigned int max_processes, max_files; /* 0: as the daemon has it */
    uint64_t max_core;                     /* bytes; UINT64_MAX: unlimited */
    bool dump_guest_core;
    int stdio_handler;             /* QemuStdioHandler */
    unsigned int auto_start_delay; /* milliseconds */
    int auto_shutdown_try_save; /* QemuGuests, as the next two; only NONE is done */
    int auto_shutdown_try_shutdown, auto_shutdown_poweroff;
    unsigned int auto_shutdown_wait;     /* seconds; 0: the default */
    unsigned int auto_shutdown_parallel; /* guests at the same time; 0: no limit */
    bool auto_shutdown_restore;
    bool has_auto_shutdown_keys; /* the file says what is to be done */
    unsigned int max_queued;       /* calls for one guest; 0: no limit */
    int lock_manager;              /* QemuLockManager */
    QemuLockdConf lockd;           /* all zero unless it is QEMU_LOCK_LOCKD */
    QemuSanlockConf sanlock;       /* all zero unless it is QEMU_LOCK_SANLOCK */

    /* Where values of keys without effect are checked. */
    struct {
        bool flag;
        int number;
        unsigned int count;
        char *text;
        char **words;
    } ignored;
    GPtrArray *notices; /* of strings, to be logged once */
} QemuConf;

/* The table of keys, as config_keys.h explains it. "effective" is 0 for keys without effect. */
extern const ConfigKey qemu_conf_keys[];
/* The same for qemu-lockd.conf; offsets are those of QemuLockdConf. */
extern const ConfigKey qemu_lockd_conf_keys[];
extern const ConfigKey qemu_sanlock_conf_keys[]; /* offsets in QemuSanlockConf */

/* Reads @path, or with NULL CONFDIR/qemu.conf, which may be missing, and beside the latter the file
 * of the lock manager that it chooses. Blocks (files, the user
 * data base): a fiber uses qemu_conf_replace(). Unknown keys are notices, not errors: a file
 * of another version must not keep guests from being managed.
 * Errors: SYSTEM_ERROR or OPERATION_FAILED when the file cannot be read, CONF_SYNTAX,
 * CONFIG_UNSUPPORTED for values ("FILE:LINE: KEY: reason"). */
QemuConf *qemu_conf_load(const Paths *paths, const char *path, GError **error);
/* For --check-config: prints all problems, all notices and the outcome. Whether it can be used. */
bool qemu_conf_check(const Paths *paths, FILE *out);
QemuConf *qemu_conf_ref(QemuConf *conf);
void qemu_conf_unref(QemuConf *conf);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(QemuConf, qemu_conf_unref)

/* Loads in a thread, puts the result in *@conf's place and logs its notices; on failure *@conf
 * stays. For the driver's start, with *@conf NULL, and for its reload. */
SUSPENDS bool qemu_conf_replace(const Paths *paths, QemuConf **conf, GError **error);
