/* The list of the keys of qemu.conf: for reading the file, and for its manual page and example
 * file, which are printed from it. Every key of the reference manual is here, so that existing
 * files can be used as they are; one that does nothing yet has the reason. A key whose neglect
 * would let in more than was meant is not among those: it is refused, or left to the start of
 * guests to refuse. */
#include "virtqemud/qemu_conf.h"

/* Keys set fields by offset: a new one needs a line here and a member there. */
#define FIELD(name) offsetof(QemuConf, name)
#define QEMU CONFIG_VIRTQEMUD

/* Reasons why a key does not count. */
#define NO_CONFINEMENT "this version confines guests by user and group alone"
#define NO_NAMESPACES "this version gives guests no namespaces of their own"
#define NO_REMOTE_CHARDEV "this version has no character devices over TCP"
#define NO_NETWORK_DISKS "this version has no disks over the network"
#define NO_MIGRATION "this version does not migrate guests"
#define NO_BACKUP "this version makes no backups"
#define NO_SPICE "this version has neither SPICE nor RDP"
#define NO_CGROUP_TUNING "this version sets no limits for the groups of guests"
#define NO_DEBUGGING "it is for people who change the daemon"
#define NO_HELPERS "this version starts no such helper"
#define NO_SAVE "this version neither saves nor dumps guests"
#define NO_HUGE_PAGES "this version keeps guests' memory out of files"
#define NO_FIRMWARE "this version boots guests by their machine's own firmware"
#define NO_BRIDGES "this version connects no guests to bridges"
#define NO_HOST_DEVICES "this version gives no devices of the host to guests"

static const char *const security_drivers[] = { "none", NULL };
static const char *const namespace_names[] = { "mount", NULL };
static const char *const cgroup_controller_names[] = {
    "cpu", "devices", "memory", "blkio", "cpuset", "cpuacct", NULL,
};
/* In the order of QemuStdioHandler. */
static const char *const stdio_handlers[] = { "file", "logd", NULL };
static const char *const sched_core_kinds[] = { "none", "vcpus", "emulator", "full", NULL };
static const char *const deprecation_kinds[] = { "none", "omit", "reject", "crash", NULL };
static const char *const auto_shutdown_save_kinds[] = { "none", "persistent", NULL };
/* In the order of QemuGuests. */
static const char *const auto_shutdown_kinds[] = {
    "none", "persistent", "transient", "all", NULL,
};
static const char *const image_formats[] = {
    "raw", "sparse", "zstd", "lzop", "gzip", "bzip2", "xz", NULL,
};
/* In the order of QemuLockManager. */
static const char *const lock_managers[] = { "nop", "lockd", "sanlock", NULL };

/* clang-format off */
const ConfigKey qemu_conf_keys[] = {
    { .section = "The user of QEMU", .name = "user", .type = CONFIG_KEY_STRING,
      .offset = FIELD(user), .daemons = QEMU, .effective = QEMU, .is_system = true,
      .example = "\"libvirt-qemu\"",
      .text = "The user as whom the system's guests run: a name, or a number if there is "
              "no such name; ``+77`` is always a number. Default: ``libvirt-qemu``, or "
              "``qemu``, whichever account there is. Where there is neither, guests run as "
              "root, and the daemon says so at start." },
    { .name = "group", .type = CONFIG_KEY_STRING, .offset = FIELD(group), .daemons = QEMU,
      .effective = QEMU, .is_system = true, .example = "\"libvirt-qemu\"",
      .text = "The group, in the same way. Default: ``libvirt-qemu`` or ``qemu``, or else "
              "the first group of the user." },
    { .name = "dynamic_ownership", .type = CONFIG_KEY_BOOL, .offset = FIELD(dynamic_ownership),
      .daemons = QEMU, .effective = QEMU, .is_system = true, .fallback = "1",
      .text = "Whether files of a guest (disk images, kernel, sockets' folders) are given "
              "to that user when the guest starts. With 0 they must be accessible to it "
              "already." },
    { .name = "remember_owner", .type = CONFIG_KEY_BOOL, .offset = FIELD(remember_owner),
      .daemons = QEMU, .effective = QEMU, .is_system = true, .fallback = "1",
      .text = "Whether the owner that a writable file had before is kept in an extended "
              "attribute of the file, and restored when the last guest that uses it has "
              "stopped. With 0 such files go to root." },
    { .name = "security_driver", .type = CONFIG_KEY_WORDS, .offset = FIELD(security_driver),
      .choices = security_drivers, .daemons = QEMU, .effective = QEMU, .example = "\"none\"",
      .text = "What confines guests besides user and group. This version has ``none``. Any "
              "other driver is refused, because running without it would allow more than "
              "was meant." },
    { .name = "security_default_confined", .type = CONFIG_KEY_BOOL,
      .offset = FIELD(ignored.flag), .daemons = QEMU, .reason = NO_CONFINEMENT,
      .fallback = "1",
      .text = "Whether guests are confined unless their definition says otherwise." },
    { .name = "security_require_confined", .type = CONFIG_KEY_BOOL,
      .offset = FIELD(security_require_confined), .daemons = QEMU, .effective = QEMU,
      .fallback = "0",
      .text = "Whether guests that are not confined are refused. This version confines "
              "none: with 1 no guest starts." },
    { .name = "namespaces", .type = CONFIG_KEY_WORDS, .offset = FIELD(ignored.words),
      .choices = namespace_names, .daemons = QEMU, .reason = NO_NAMESPACES,
      .example = "[ \"mount\" ]",
      .text = "Which namespaces guests get of their own." },
    { .name = "seccomp_sandbox", .type = CONFIG_KEY_BOOL, .offset = FIELD(seccomp_sandbox),
      .daemons = QEMU, .effective = QEMU, .fallback = "1",
      .text = "Whether QEMU runs with its filter of system calls (``-sandbox on``)." },

    { .section = "VNC", .name = "vnc_listen", .type = CONFIG_KEY_STRING,
      .offset = FIELD(vnc_listen), .daemons = QEMU, .effective = QEMU,
      .fallback = "\"127.0.0.1\"",
      .text = "The address of VNC servers whose definition names none. ``0.0.0.0`` lets "
              "everybody in who reaches the host: set a password or TLS." },
    { .name = "vnc_auto_unix_socket", .type = CONFIG_KEY_BOOL,
      .offset = FIELD(vnc_auto_unix_socket), .daemons = QEMU, .effective = QEMU,
      .fallback = "0",
      .text = "Whether VNC servers whose definition names no address listen on a unix "
              "socket in the guest's folder; comes before ``vnc_listen``." },
    { .name = "vnc_tls", .type = CONFIG_KEY_BOOL, .offset = FIELD(vnc_tls), .daemons = QEMU,
      .effective = QEMU, .fallback = "0",
      .text = "Whether VNC servers use TLS." },
    { .name = "vnc_tls_x509_cert_dir", .type = CONFIG_KEY_PATH,
      .offset = FIELD(vnc_tls_x509_cert_dir), .daemons = QEMU, .effective = QEMU,
      .example = "\"/etc/pki/libvirt-vnc\"",
      .text = "The folder of their certificates. Default: /etc/pki/libvirt-vnc if there is "
              "one, or else ``default_tls_x509_cert_dir``." },
    { .name = "vnc_tls_x509_secret_uuid", .type = CONFIG_KEY_UUID,
      .offset = FIELD(vnc_tls_x509_secret_uuid), .daemons = QEMU, .effective = QEMU,
      .example = "\"00000000-0000-0000-0000-000000000000\"",
      .text = "The secret with which the private key is encrypted." },
    { .name = "vnc_tls_x509_verify", .type = CONFIG_KEY_BOOL,
      .offset = FIELD(vnc_tls_x509_verify), .daemons = QEMU, .effective = QEMU, .example = "1",
      .text = "Whether clients must show a certificate of the authority. Default: "
              "``default_tls_x509_verify``." },
    { .name = "vnc_password", .type = CONFIG_KEY_TEXT, .offset = FIELD(vnc_password),
      .daemons = QEMU, .effective = QEMU, .example = "\"XYZ12345\"",
      .text = "The password of VNC servers whose definition has none; eight bytes count. "
              "An empty one keeps everybody out." },
    { .name = "vnc_sasl", .type = CONFIG_KEY_BOOL, .offset = FIELD(vnc_sasl), .daemons = QEMU,
      .effective = QEMU, .fallback = "0",
      .text = "Whether clients of VNC servers authenticate by SASL." },
    { .name = "vnc_sasl_dir", .type = CONFIG_KEY_PATH, .offset = FIELD(vnc_sasl_dir),
      .daemons = QEMU, .effective = QEMU, .example = "\"/some/directory/sasl2\"",
      .text = "The folder of SASL's configuration." },
    { .name = "vnc_allow_host_audio", .type = CONFIG_KEY_BOOL,
      .offset = FIELD(vnc_allow_host_audio), .daemons = QEMU, .effective = QEMU,
      .fallback = "0",
      .text = "Whether QEMU may use the host's sound devices with VNC." },
    { .name = "nographics_allow_host_audio", .type = CONFIG_KEY_BOOL,
      .offset = FIELD(nographics_allow_host_audio), .daemons = QEMU, .effective = QEMU,
      .fallback = "0",
      .text = "The same for guests without graphics." },
    { .name = "remote_display_port_min", .type = CONFIG_KEY_UINT,
      .offset = FIELD(remote_display_port_min), .min = 5900, .max = 65535, .daemons = QEMU,
      .effective = QEMU, .fallback = "5900",
      .text = "The first port for VNC servers that choose one themselves." },
    { .name = "remote_display_port_max", .type = CONFIG_KEY_UINT,
      .offset = FIELD(remote_display_port_max), .min = 5900, .max = 65535, .daemons = QEMU,
      .effective = QEMU, .fallback = "65535",
      .text = "The last of these ports." },
    { .name = "remote_websocket_port_min", .type = CONFIG_KEY_UINT,
      .offset = FIELD(remote_websocket_port_min), .min = 5700, .max = 65535, .daemons = QEMU,
      .effective = QEMU, .fallback = "5700",
      .text = "The first port for VNC over WebSockets." },
    { .name = "remote_websocket_port_max", .type = CONFIG_KEY_UINT,
      .offset = FIELD(remote_websocket_port_max), .min = 5700, .max = 65535, .daemons = QEMU,
      .effective = QEMU, .fallback = "65535",
      .text = "The last of these ports." },

    { .section = "TLS of QEMU", .name = "default_tls_x509_cert_dir", .type = CONFIG_KEY_PATH,
      .offset = FIELD(default_tls_x509_cert_dir), .daemons = QEMU, .effective = QEMU,
      .example = "\"/etc/pki/qemu\"",
      .text = "The folder with QEMU's certificates (ca-cert.pem, server-cert.pem, "
              "server-key.pem). Default: /etc/pki/qemu." },
    { .name = "default_tls_x509_verify", .type = CONFIG_KEY_BOOL,
      .offset = FIELD(default_tls_x509_verify), .daemons = QEMU, .effective = QEMU,
      .fallback = "0",
      .text = "Whether clients must show a certificate of the authority, where no other "
              "key says so." },
    { .name = "default_tls_x509_secret_uuid", .type = CONFIG_KEY_UUID,
      .offset = FIELD(default_tls_x509_secret_uuid), .daemons = QEMU, .effective = QEMU,
      .example = "\"00000000-0000-0000-0000-000000000000\"",
      .text = "The secret with which the private key is encrypted, if it is." },
    { .name = "chardev_tls", .type = CONFIG_KEY_BOOL, .offset = FIELD(ignored.flag),
      .daemons = QEMU, .reason = NO_REMOTE_CHARDEV, .fallback = "0",
      .text = "Whether character devices over TCP use TLS." },
    { .name = "chardev_tls_x509_cert_dir", .type = CONFIG_KEY_PATH,
      .offset = FIELD(ignored.text), .daemons = QEMU, .reason = NO_REMOTE_CHARDEV,
      .example = "\"/etc/pki/libvirt-chardev\"",
      .text = "The folder of their certificates." },
    { .name = "chardev_tls_x509_verify", .type = CONFIG_KEY_BOOL,
      .offset = FIELD(ignored.flag), .daemons = QEMU, .reason = NO_REMOTE_CHARDEV,
      .fallback = "1",
      .text = "Whether their clients must show a certificate." },
    { .name = "chardev_tls_x509_secret_uuid", .type = CONFIG_KEY_UUID,
      .offset = FIELD(ignored.text), .daemons = QEMU, .reason = NO_REMOTE_CHARDEV,
      .example = "\"00000000-0000-0000-0000-000000000000\"",
      .text = "The secret with which their private key is encrypted." },
    { .name = "vxhs_tls", .type = CONFIG_KEY_BOOL, .offset = FIELD(ignored.flag),
      .daemons = QEMU, .reason = NO_NETWORK_DISKS, .fallback = "0",
      .text = "Whether VxHS disks use TLS." },
    { .name = "vxhs_tls_x509_cert_dir", .type = CONFIG_KEY_PATH, .offset = FIELD(ignored.text),
      .daemons = QEMU, .reason = NO_NETWORK_DISKS, .example = "\"/etc/pki/libvirt-vxhs\"",
      .text = "The folder of their certificates." },
    { .name = "vxhs_tls_x509_secret_uuid", .type = CONFIG_KEY_UUID,
      .offset = FIELD(ignored.text), .daemons = QEMU, .reason = NO_NETWORK_DISKS,
      .example = "\"00000000-0000-0000-0000-000000000000\"",
      .text = "The secret with which their private key is encrypted." },
    { .name = "nbd_tls", .type = CONFIG_KEY_BOOL, .offset = FIELD(ignored.flag),
      .daemons = QEMU, .reason = NO_NETWORK_DISKS, .fallback = "0",
      .text = "Whether NBD disks use TLS." },
    { .name = "nbd_tls_x509_cert_dir", .type = CONFIG_KEY_PATH, .offset = FIELD(ignored.text),
      .daemons = QEMU, .reason = NO_NETWORK_DISKS, .example = "\"/etc/pki/libvirt-nbd\"",
      .text = "The folder of their certificates." },
    { .name = "nbd_tls_x509_secret_uuid", .type = CONFIG_KEY_UUID,
      .offset = FIELD(ignored.text), .daemons = QEMU, .reason = NO_NETWORK_DISKS,
      .example = "\"00000000-0000-0000-0000-000000000000\"",
      .text = "The secret with which their private key is encrypted." },
    { .name = "migrate_tls_x509_cert_dir", .type = CONFIG_KEY_PATH,
      .offset = FIELD(ignored.text), .daemons = QEMU, .reason = NO_MIGRATION,
      .example = "\"/etc/pki/libvirt-migrate\"",
      .text = "The folder of the certificates for migration." },
    { .name = "migrate_tls_x509_verify", .type = CONFIG_KEY_BOOL,
      .offset = FIELD(ignored.flag), .daemons = QEMU, .reason = NO_MIGRATION, .fallback = "1",
      .text = "Whether the other side of migration must show a certificate." },
    { .name = "migrate_tls_x509_secret_uuid", .type = CONFIG_KEY_UUID,
      .offset = FIELD(ignored.text), .daemons = QEMU, .reason = NO_MIGRATION,
      .example = "\"00000000-0000-0000-0000-000000000000\"",
      .text = "The secret with which the private key for migration is encrypted." },
    { .name = "migrate_tls_force", .type = CONFIG_KEY_BOOL, .offset = FIELD(ignored.flag),
      .daemons = QEMU, .reason = NO_MIGRATION, .fallback = "0",
      .text = "Whether migration without TLS is refused." },
    { .name = "backup_tls_x509_cert_dir", .type = CONFIG_KEY_PATH,
      .offset = FIELD(ignored.text), .daemons = QEMU, .reason = NO_BACKUP,
      .example = "\"/etc/pki/libvirt-backup\"",
      .text = "The folder of the certificates for backups." },
    { .name = "backup_tls_x509_verify", .type = CONFIG_KEY_BOOL, .offset = FIELD(ignored.flag),
      .daemons = QEMU, .reason = NO_BACKUP, .fallback = "1",
      .text = "Whether the other side of backups must show a certificate." },
    { .name = "backup_tls_x509_secret_uuid", .type = CONFIG_KEY_UUID,
      .offset = FIELD(ignored.text), .daemons = QEMU, .reason = NO_BACKUP,
      .example = "\"00000000-0000-0000-0000-000000000000\"",
      .text = "The secret with which the private key for backups is encrypted." },

    { .section = "SPICE and RDP", .name = "spice_listen", .type = CONFIG_KEY_STRING,
      .offset = FIELD(ignored.text), .daemons = QEMU, .reason = NO_SPICE,
      .fallback = "\"127.0.0.1\"",
      .text = "The address of SPICE servers whose definition names none." },
    { .name = "spice_tls", .type = CONFIG_KEY_BOOL, .offset = FIELD(ignored.flag),
      .daemons = QEMU, .reason = NO_SPICE, .fallback = "0",
      .text = "Whether SPICE servers use TLS." },
    { .name = "spice_tls_x509_cert_dir", .type = CONFIG_KEY_PATH,
      .offset = FIELD(ignored.text), .daemons = QEMU, .reason = NO_SPICE,
      .example = "\"/etc/pki/libvirt-spice\"",
      .text = "The folder of their certificates." },
    { .name = "spice_auto_unix_socket", .type = CONFIG_KEY_BOOL, .offset = FIELD(ignored.flag),
      .daemons = QEMU, .reason = NO_SPICE, .fallback = "0",
      .text = "Whether they listen on a unix socket by default." },
    { .name = "spice_password", .type = CONFIG_KEY_TEXT, .offset = FIELD(ignored.text),
      .daemons = QEMU, .reason = NO_SPICE, .example = "\"XYZ12345\"",
      .text = "The password of those whose definition has none." },
    { .name = "spice_sasl", .type = CONFIG_KEY_BOOL, .offset = FIELD(ignored.flag),
      .daemons = QEMU, .reason = NO_SPICE, .fallback = "0",
      .text = "Whether their clients authenticate by SASL." },
    { .name = "spice_sasl_dir", .type = CONFIG_KEY_PATH, .offset = FIELD(ignored.text),
      .daemons = QEMU, .reason = NO_SPICE, .example = "\"/some/directory/sasl2\"",
      .text = "The folder of SASL's configuration." },
    { .name = "rdp_listen", .type = CONFIG_KEY_STRING, .offset = FIELD(ignored.text),
      .daemons = QEMU, .reason = NO_SPICE, .fallback = "\"127.0.0.1\"",
      .text = "The address of RDP servers." },
    { .name = "rdp_tls_x509_cert_dir", .type = CONFIG_KEY_PATH, .offset = FIELD(ignored.text),
      .daemons = QEMU, .reason = NO_SPICE, .example = "\"/etc/pki/libvirt-rdp\"",
      .text = "The folder of their certificates." },
    { .name = "rdp_username", .type = CONFIG_KEY_STRING, .offset = FIELD(ignored.text),
      .daemons = QEMU, .reason = NO_SPICE, .example = "\"user\"",
      .text = "The user name of those whose definition has none." },
    { .name = "rdp_password", .type = CONFIG_KEY_TEXT, .offset = FIELD(ignored.text),
      .daemons = QEMU, .reason = NO_SPICE, .example = "\"RDP12345\"",
      .text = "The password of those whose definition has none." },
    { .name = "qemu_rdp", .type = CONFIG_KEY_STRING, .offset = FIELD(ignored.text),
      .daemons = QEMU, .reason = NO_SPICE, .fallback = "\"qemu-rdp\"",
      .text = "The program that serves RDP." },

    { .section = "The process of QEMU", .name = "set_process_name", .type = CONFIG_KEY_BOOL,
      .offset = FIELD(set_process_name), .daemons = QEMU, .effective = QEMU, .fallback = "0",
      .text = "Whether QEMU shows itself as ``qemu:NAME`` in lists of processes." },
    { .name = "max_processes", .type = CONFIG_KEY_UINT, .offset = FIELD(max_processes),
      .min = 0, .max = INT32_MAX, .daemons = QEMU, .effective = QEMU, .fallback = "0",
      .text = "How many processes and threads the user of QEMU may have; 0 sets no limit." },
    { .name = "max_files", .type = CONFIG_KEY_UINT, .offset = FIELD(max_files), .min = 0,
      .max = INT32_MAX, .daemons = QEMU, .effective = QEMU, .fallback = "0",
      .text = "How many files QEMU may have open; 0 leaves the daemon's own limit." },
    { .name = "max_core", .type = CONFIG_KEY_SIZE, .offset = FIELD(max_core), .daemons = QEMU,
      .effective = QEMU, .fallback = "\"unlimited\"",
      .text = "How large a core dump of QEMU may be, in bytes; 0 for none. As far as the "
              "daemon may raise its own limit." },
    { .name = "dump_guest_core", .type = CONFIG_KEY_BOOL, .offset = FIELD(dump_guest_core),
      .daemons = QEMU, .effective = QEMU, .fallback = "0",
      .text = "Whether core dumps have the guest's memory too, unless its definition says "
              "otherwise." },
    { .name = "max_threads_per_process", .type = CONFIG_KEY_UINT,
      .offset = FIELD(ignored.count), .min = 0, .max = INT32_MAX, .daemons = QEMU,
      .reason = NO_CGROUP_TUNING, .fallback = "0",
      .text = "How many threads QEMU may have." },
    { .name = "cgroup_controllers", .type = CONFIG_KEY_WORDS,
      .offset = FIELD(cgroup_controllers), .choices = cgroup_controller_names, .daemons = QEMU,
      .effective = QEMU, .is_system = true,
      .example = "[ \"cpu\", \"devices\", \"memory\", \"blkio\", \"cpuset\", \"cpuacct\" ]",
      .text = "In which controllers of control groups guests have groups of their own. Default: "
              "all of these that are mounted. Where none is, or where the daemon may not make "
              "groups (in many containers), guests run without." },
    { .name = "cgroup_device_acl", .type = CONFIG_KEY_LIST, .offset = FIELD(cgroup_device_acl),
      .daemons = QEMU, .effective = QEMU, .is_system = true,
      .fallback = "[ \"/dev/null\", \"/dev/full\", \"/dev/zero\", \"/dev/random\", "
                  "\"/dev/urandom\", \"/dev/ptmx\", \"/dev/kvm\", \"/dev/userfaultfd\" ]",
      .text = "The devices that every guest may open; its block devices and pseudo terminals "
              "come to them. Effective where control groups of version 1 have a controller "
              "``devices``; version 2 does not limit devices in this version." },
    { .name = "sched_core", .type = CONFIG_KEY_CHOICE, .offset = FIELD(ignored.number),
      .choices = sched_core_kinds, .daemons = QEMU, .reason = NO_CGROUP_TUNING,
      .fallback = "\"none\"",
      .text = "Who shares the threads of a processor core with a guest." },
    { .name = "stdio_handler", .type = CONFIG_KEY_CHOICE, .offset = FIELD(stdio_handler),
      .choices = stdio_handlers, .daemons = QEMU, .effective = QEMU, .fallback = "\"logd\"",
      .text = "Who writes what QEMU says into the guest's log, and into files behind serial "
              "ports, consoles and channels: ``logd``, virtlogd, which bounds the files and must "
              "be running when a guest starts, or ``file``, QEMU itself, without a bound. In a "
              "user's session, where nobody starts virtlogd, the default is ``file``." },
    { .name = "log_timestamp", .type = CONFIG_KEY_BOOL, .offset = FIELD(log_timestamp),
      .daemons = QEMU, .effective = QEMU, .fallback = "1",
      .text = "Whether QEMU puts the time before its messages." },
    { .name = "deprecation_behavior", .type = CONFIG_KEY_CHOICE,
      .offset = FIELD(ignored.number), .choices = deprecation_kinds, .daemons = QEMU,
      .reason = NO_DEBUGGING, .fallback = "\"none\"",
      .text = "What QEMU does about deprecated commands." },
    { .name = "capability_filters", .type = CONFIG_KEY_WORDS, .offset = FIELD(ignored.words),
      .daemons = QEMU, .reason = NO_DEBUGGING, .example = "[ \"capname\" ]",
      .text = "Capabilities of QEMU that are not to be used." },
    { .name = "gluster_debug_level", .type = CONFIG_KEY_UINT, .offset = FIELD(ignored.count),
      .min = 0, .max = 9, .daemons = QEMU, .reason = NO_NETWORK_DISKS, .fallback = "4",
      .text = "How much QEMU says about Gluster, 0 to 9." },
    { .name = "virtiofsd_debug", .type = CONFIG_KEY_BOOL, .offset = FIELD(ignored.flag),
      .daemons = QEMU, .reason = NO_HELPERS, .fallback = "0",
      .text = "Whether virtiofsd says more." },

    { .section = "Calls and start", .name = "max_queued", .type = CONFIG_KEY_UINT,
      .offset = FIELD(max_queued), .min = 0, .max = INT32_MAX, .daemons = QEMU,
      .effective = QEMU, .fallback = "0",
      .text = "How many calls may wait for the same guest; one more fails at once. 0 sets "
              "no limit." },
    { .name = "auto_start_delay", .type = CONFIG_KEY_UINT, .offset = FIELD(auto_start_delay),
      .min = 0, .max = INT32_MAX, .daemons = QEMU, .effective = QEMU, .fallback = "0",
      .text = "Milliseconds between the starts of two guests when the daemon starts those "
              "with autostart." },
    { .name = "auto_start_bypass_cache", .type = CONFIG_KEY_BOOL,
      .offset = FIELD(ignored.flag), .daemons = QEMU, .reason = NO_SAVE, .fallback = "0",
      .text = "Whether saved states are read around the cache then." },
    { .name = "auto_shutdown_try_save", .type = CONFIG_KEY_CHOICE,
      .offset = FIELD(auto_shutdown_try_save), .choices = auto_shutdown_save_kinds,
      .daemons = QEMU, .effective = QEMU, .fallback = "\"none\"",
      .text = "Which running guests are saved when the host shuts down. This version saves no "
              "guests: any value but ``none`` is refused." },
    { .name = "auto_shutdown_try_shutdown", .type = CONFIG_KEY_CHOICE,
      .offset = FIELD(auto_shutdown_try_shutdown), .choices = auto_shutdown_kinds,
      .daemons = QEMU, .effective = QEMU, .example = "\"all\"",
      .text = "Which running guests are asked to shut down when the host does: ``none``, "
              "``persistent`` (those with a definition), ``transient`` or ``all``. Default: "
              "``none`` for the system's daemon, ``all`` for a user's session. With "
              "libvirt-guests.service leave it at ``none``: one of the two is enough." },
    { .name = "auto_shutdown_poweroff", .type = CONFIG_KEY_CHOICE,
      .offset = FIELD(auto_shutdown_poweroff), .choices = auto_shutdown_kinds,
      .daemons = QEMU, .effective = QEMU, .example = "\"all\"",
      .text = "Which of them are ended at once if they have not shut down in time, or are not "
              "asked to. The same values and defaults." },
    { .name = "auto_shutdown_wait", .type = CONFIG_KEY_UINT,
      .offset = FIELD(auto_shutdown_wait), .min = 0, .max = INT32_MAX / 1000, .daemons = QEMU,
      .effective = QEMU, .fallback = "30",
      .text = "How many seconds all guests together have to shut down; 0 is the default." },
    { .name = "auto_shutdown_parallel", .type = CONFIG_KEY_UINT,
      .offset = FIELD(auto_shutdown_parallel), .min = 0, .max = INT32_MAX, .daemons = QEMU,
      .effective = QEMU, .fallback = "0",
      .text = "How many guests shut down at the same time, for hosts that all of them together "
              "would overwhelm; 0 sets no limit. The reference manual has no such key." },
    { .name = "auto_shutdown_restore", .type = CONFIG_KEY_BOOL,
      .offset = FIELD(auto_shutdown_restore), .daemons = QEMU, .effective = QEMU,
      .fallback = "1",
      .text = "Whether guests with a definition that were ended in this way are started again, "
              "once, when the host next starts." },
    { .name = "auto_save_bypass_cache", .type = CONFIG_KEY_BOOL, .offset = FIELD(ignored.flag),
      .daemons = QEMU, .reason = NO_SAVE, .fallback = "0",
      .text = "Whether states are saved around the cache." },
    { .name = "save_image_format", .type = CONFIG_KEY_CHOICE, .offset = FIELD(ignored.number),
      .choices = image_formats, .daemons = QEMU, .reason = NO_SAVE, .fallback = "\"raw\"",
      .text = "The format of saved state images." },
    { .name = "dump_image_format", .type = CONFIG_KEY_CHOICE, .offset = FIELD(ignored.number),
      .choices = image_formats, .daemons = QEMU, .reason = NO_SAVE, .fallback = "\"raw\"",
      .text = "The format of dump images." },
    { .name = "snapshot_image_format", .type = CONFIG_KEY_CHOICE,
      .offset = FIELD(ignored.number), .choices = image_formats, .daemons = QEMU,
      .reason = NO_SAVE, .fallback = "\"raw\"",
      .text = "The format of snapshot memory images." },
    { .name = "auto_dump_path", .type = CONFIG_KEY_PATH, .offset = FIELD(ignored.text),
      .daemons = QEMU, .reason = NO_SAVE, .example = "\"/var/lib/libvirt/qemu/dump\"",
      .text = "The folder of dumps that a watchdog asks for." },
    { .name = "auto_dump_bypass_cache", .type = CONFIG_KEY_BOOL, .offset = FIELD(ignored.flag),
      .daemons = QEMU, .reason = NO_SAVE, .fallback = "0",
      .text = "Whether they are written around the cache." },
    { .name = "lock_manager", .type = CONFIG_KEY_CHOICE, .offset = FIELD(lock_manager),
      .choices = lock_managers, .daemons = QEMU, .effective = QEMU, .fallback = "\"nop\"",
      .text = "Who keeps two guests from writing to the same disk, also of different hosts: "
              "``lockd``, virtlockd, whose settings are in qemu-lockd.conf(5). With ``nop`` nobody "
              "does but QEMU, which locks image files on this host. ``sanlock``, by sanlock's daemon, "
              "has its settings in qemu-sanlock.conf(5), and is refused where this was built "
              "without it. Guests that run keep the one that they were started with." },

    { .section = "Migration", .name = "keepalive_interval", .type = CONFIG_KEY_INT,
      .offset = FIELD(ignored.number), .min = -1, .max = INT32_MAX, .daemons = QEMU,
      .reason = NO_MIGRATION, .fallback = "5",
      .text = "Seconds of silence after which the other host is asked whether it is there; "
              "-1 for never." },
    { .name = "keepalive_count", .type = CONFIG_KEY_UINT, .offset = FIELD(ignored.count),
      .min = 0, .max = INT32_MAX, .daemons = QEMU, .reason = NO_MIGRATION, .fallback = "5",
      .text = "How many questions may stay without an answer." },
    { .name = "migration_address", .type = CONFIG_KEY_STRING, .offset = FIELD(ignored.text),
      .daemons = QEMU, .reason = NO_MIGRATION, .example = "\"0.0.0.0\"",
      .text = "The address on which incoming guests are awaited." },
    { .name = "migration_host", .type = CONFIG_KEY_STRING, .offset = FIELD(ignored.text),
      .daemons = QEMU, .reason = NO_MIGRATION, .example = "\"host.example.com\"",
      .text = "The name by which the other host reaches this one." },
    { .name = "migration_port_min", .type = CONFIG_KEY_UINT, .offset = FIELD(ignored.count),
      .min = 1, .max = 65535, .daemons = QEMU, .reason = NO_MIGRATION, .fallback = "49152",
      .text = "The first port for incoming guests." },
    { .name = "migration_port_max", .type = CONFIG_KEY_UINT, .offset = FIELD(ignored.count),
      .min = 1, .max = 65535, .daemons = QEMU, .reason = NO_MIGRATION, .fallback = "49215",
      .text = "The last of these ports." },
    { .name = "shared_filesystems", .type = CONFIG_KEY_LIST, .offset = FIELD(ignored.words),
      .daemons = QEMU, .reason = NO_MIGRATION, .example = "[ \"/path/to/images\" ]",
      .text = "Folders that other hosts share, though it does not show." },

    { .section = "Memory, devices and helpers", .name = "hugetlbfs_mount",
      .type = CONFIG_KEY_WORDS, .offset = FIELD(ignored.words), .daemons = QEMU,
      .reason = NO_HUGE_PAGES, .example = "\"/dev/hugepages\"",
      .text = "Where huge pages are mounted." },
    { .name = "memory_backing_dir", .type = CONFIG_KEY_PATH, .offset = FIELD(ignored.text),
      .daemons = QEMU, .reason = NO_HUGE_PAGES, .example = "\"/var/lib/libvirt/qemu/ram\"",
      .text = "The folder of guests' memory that is a file." },
    { .name = "nvram", .type = CONFIG_KEY_LIST, .offset = FIELD(ignored.words),
      .daemons = QEMU, .reason = NO_FIRMWARE,
      .example = "[ \"/usr/share/OVMF/OVMF_CODE.fd:/usr/share/OVMF/OVMF_VARS.fd\" ]",
      .text = "Firmware and the file with its variables, ``FIRMWARE:VARIABLES``." },
    { .name = "mac_filter", .type = CONFIG_KEY_BOOL, .offset = FIELD(ignored.flag),
      .daemons = QEMU, .reason = NO_BRIDGES, .fallback = "0",
      .text = "Whether bridges take only frames with the guest's own address." },
    { .name = "bridge_helper", .type = CONFIG_KEY_STRING, .offset = FIELD(ignored.text),
      .daemons = QEMU, .reason = NO_BRIDGES, .fallback = "\"qemu-bridge-helper\"",
      .text = "The program that connects guests of ordinary users to a bridge." },
    { .name = "relaxed_acs_check", .type = CONFIG_KEY_BOOL, .offset = FIELD(ignored.flag),
      .daemons = QEMU, .reason = NO_HOST_DEVICES, .fallback = "0",
      .text = "Whether PCI devices below a switch without ACS may be given to guests." },
    { .name = "storage_use_nbdkit", .type = CONFIG_KEY_BOOL, .offset = FIELD(ignored.flag),
      .daemons = QEMU, .reason = NO_NETWORK_DISKS, .fallback = "0",
      .text = "Whether remote disks are reached by nbdkit." },
    { .name = "pr_helper", .type = CONFIG_KEY_STRING, .offset = FIELD(ignored.text),
      .daemons = QEMU, .reason = NO_HELPERS, .fallback = "\"qemu-pr-helper\"",
      .text = "The program of that name." },
    { .name = "slirp_helper", .type = CONFIG_KEY_STRING, .offset = FIELD(ignored.text),
      .daemons = QEMU, .reason = NO_HELPERS, .fallback = "\"/usr/bin/slirp-helper\"",
      .text = "The program of that name." },
    { .name = "dbus_daemon", .type = CONFIG_KEY_STRING, .offset = FIELD(ignored.text),
      .daemons = QEMU, .reason = NO_HELPERS, .fallback = "\"dbus-daemon\"",
      .text = "The program of that name." },
    { .name = "swtpm_user", .type = CONFIG_KEY_STRING, .offset = FIELD(ignored.text),
      .daemons = QEMU, .reason = NO_HELPERS, .fallback = "\"tss\"",
      .text = "The user of the TPM emulator." },
    { .name = "swtpm_group", .type = CONFIG_KEY_STRING, .offset = FIELD(ignored.text),
      .daemons = QEMU, .reason = NO_HELPERS, .fallback = "\"tss\"",
      .text = "The group of the TPM emulator." },
    { .name = NULL },
};
/* clang-format on */
