/* The one list of configuration keys of all daemons: for reading files, for --check-config,
 * and for the manual pages and example files, which are made from it. A key that existing
 * files may have stays known when it does nothing here, with the reason why, so that such a
 * file can be used as it is. */
#include "common/config_keys.h"

#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "common/config.h"

/* Keys set fields by offset: a new one needs a line here and a member there. */
#define FIELD(name) offsetof(DaemonConfig, name)
#define PROXY CONFIG_VIRTPROXYD
#define EVERY CONFIG_EVERY_DAEMON

/* Reasons why a key does not count in the daemons that take it. */
#define NO_NETWORK "only virtproxyd listens on the network: set it in virtproxyd.conf"
#define NO_SASL "this version has no SASL"
#define NO_MDNS "this version does not announce itself by mDNS"
#define NO_AUDIT "this version writes no audit records"
#define NO_OVS "this version makes no Open vSwitch ports"
#define NO_UUID "only the daemon that describes the host shows its UUID"
#define NO_KEEPALIVE "a client has to connect before it could ask for keepalive"

/* In the order of the bits of ConfigDaemon. */
static const char *const daemon_names[CONFIG_DAEMON_COUNT] = {
    "virtqemud",   "virtnetworkd", "virtstoraged", "virtnodedevd",
    "virtsecretd", "virtproxyd",   "virtlogd",     "virtlockd",
};

/* In the order of AuthKind. */
static const char *const local_auth_kinds[] = { "none", "sasl", "polkit", NULL };
static const char *const remote_auth_kinds[] = { "none", "sasl", NULL };
static const char *const access_drivers[] = { "none", NULL };
static const char *const uuid_sources[] = { "smbios", "machine-id", NULL };

/* clang-format off */
const ConfigKey config_keys[] = {
    /* Clients and calls */
    { .section = "Clients and calls", .name = "max_clients", .type = CONFIG_KEY_UINT,
      .offset = FIELD(limits.max_clients), .min = 1, .max = UINT32_MAX,
      .daemons = EVERY, .effective = EVERY, .fallback = "5000", .helper_fallback = "1024",
      .text = "How many clients may be connected at the same time, over all sockets but the "
              "admin socket. One more is told so as the answer to its first call, and is "
              "disconnected. virtlogd and virtlockd have a client for each running guest." },
    { .name = "max_queued_clients", .type = CONFIG_KEY_UINT,
      .offset = FIELD(limits.max_queued_clients), .max = INT32_MAX,
      .daemons = EVERY, .effective = EVERY, .is_socket = true, .fallback = "1000",
      .text = "How many connections the kernel keeps waiting until the daemon takes them." },
    { .name = "max_anonymous_clients", .type = CONFIG_KEY_UINT,
      .offset = FIELD(limits.max_anonymous_clients), .max = UINT32_MAX,
      .daemons = EVERY, .effective = EVERY, .fallback = "20",
      .text = "How many clients may be connected that have not authenticated yet; 0 sets no "
              "limit. It cannot be above ``max_clients``. Those of ``trusted_users`` do not "
              "count. Who has neither authenticated nor begun to within 30 seconds is "
              "disconnected." },
    { .name = "min_workers", .type = CONFIG_KEY_UINT,
      .offset = FIELD(limits.min_workers), .max = UINT32_MAX,
      .daemons = EVERY, .effective = EVERY, .fallback = "5",
      .text = "The least number of workers, as ``virt-admin`` shows it. A worker is the right "
              "to run one call, not a thread, so it costs nothing to keep one." },
    { .name = "max_workers", .type = CONFIG_KEY_UINT,
      .offset = FIELD(limits.max_workers), .min = 1, .max = UINT32_MAX,
      .daemons = EVERY, .effective = EVERY, .fallback = "20",
      .text = "How many calls may run at the same time. Further calls wait for their turn." },
    { .name = "prio_workers", .type = CONFIG_KEY_UINT,
      .offset = FIELD(limits.prio_workers), .max = UINT32_MAX,
      .daemons = EVERY, .effective = EVERY, .fallback = "5",
      .text = "How many more calls of high priority (those that answer at once, or that stop "
              "a guest by force) may run when all workers are busy." },
    { .name = "max_client_requests", .type = CONFIG_KEY_UINT,
      .offset = FIELD(limits.max_client_requests), .min = 1, .max = UINT32_MAX,
      .daemons = EVERY, .effective = EVERY, .fallback = "5",
      .text = "How many calls of one client may run at the same time. What it sends beyond waits "
              "in the daemon until one of them has ended, up to 8192 calls or 64 MiB; more are "
              "answered with an error. Keepalive messages are not counted." },

    { .section = "Admin interface", .name = "admin_max_clients", .type = CONFIG_KEY_UINT,
      .offset = FIELD(admin_limits.max_clients), .min = 1, .max = UINT32_MAX,
      .daemons = EVERY, .effective = EVERY, .fallback = "5",
      .text = "``max_clients`` for the admin socket." },
    { .name = "admin_max_queued_clients", .type = CONFIG_KEY_UINT,
      .offset = FIELD(admin_limits.max_queued_clients), .max = INT32_MAX,
      .daemons = EVERY, .effective = EVERY, .is_socket = true, .fallback = "5",
      .text = "``max_queued_clients`` for the admin socket." },
    { .name = "admin_min_workers", .type = CONFIG_KEY_UINT,
      .offset = FIELD(admin_limits.min_workers), .max = UINT32_MAX,
      .daemons = EVERY, .effective = EVERY, .fallback = "1",
      .text = "``min_workers`` for the admin interface." },
    { .name = "admin_max_workers", .type = CONFIG_KEY_UINT,
      .offset = FIELD(admin_limits.max_workers), .min = 1, .max = UINT32_MAX,
      .daemons = EVERY, .effective = EVERY, .fallback = "5",
      .text = "``max_workers`` for the admin interface." },
    { .name = "admin_max_client_requests", .type = CONFIG_KEY_UINT,
      .offset = FIELD(admin_limits.max_client_requests), .min = 1, .max = UINT32_MAX,
      .daemons = EVERY, .effective = EVERY, .fallback = "5",
      .text = "``max_client_requests`` for the admin interface." },
    { .name = "admin_keepalive_interval", .type = CONFIG_KEY_INT,
      .offset = FIELD(admin_limits.keepalive_interval_s), .min = -1, .max = INT32_MAX / 1000,
      .daemons = EVERY, .effective = EVERY, .fallback = "5",
      .text = "``keepalive_interval`` for the admin interface." },
    { .name = "admin_keepalive_count", .type = CONFIG_KEY_UINT,
      .offset = FIELD(admin_limits.keepalive_count), .max = INT32_MAX,
      .daemons = EVERY, .effective = EVERY, .fallback = "5",
      .text = "``keepalive_count`` for the admin interface." },
    { .name = "admin_keepalive_required", .type = CONFIG_KEY_BOOL,
      .offset = FIELD(admin_keepalive_required),
      .daemons = EVERY, .reason = NO_KEEPALIVE, .fallback = "0",
      .text = "Accepted for the sake of old files." },

    { .section = "Keepalive", .name = "keepalive_interval", .type = CONFIG_KEY_INT,
      .offset = FIELD(limits.keepalive_interval_s), .min = -1, .max = INT32_MAX / 1000,
      .daemons = EVERY, .effective = EVERY, .fallback = "5",
      .text = "After how many seconds of silence a client that knows keepalive is asked "
              "whether it is still there. With -1 the daemon never asks; it still answers "
              "clients that do." },
    { .name = "keepalive_count", .type = CONFIG_KEY_UINT,
      .offset = FIELD(limits.keepalive_count), .max = INT32_MAX,
      .daemons = EVERY, .effective = EVERY, .fallback = "5",
      .text = "How many such questions in a row may stay without an answer before the client "
              "is disconnected. With 0 it is disconnected after ``keepalive_interval`` "
              "seconds of silence, without being asked." },
    { .name = "keepalive_required", .type = CONFIG_KEY_BOOL, .offset = FIELD(keepalive_required),
      .daemons = EVERY, .reason = NO_KEEPALIVE, .fallback = "0",
      .text = "Accepted for the sake of old files." },

    { .section = "Unix sockets", .name = "unix_sock_group", .type = CONFIG_KEY_STRING,
      .offset = FIELD(unix_sock_group), .daemons = EVERY, .effective = EVERY,
      .is_socket = true, .is_system = true, .example = "\"libvirt\"",
      .text = "The group that owns the main and the read-only socket. By default that is the "
              "daemon's own group." },
    { .name = "unix_sock_ro_perms", .type = CONFIG_KEY_MODE, .offset = FIELD(unix_sock_ro_perms),
      .daemons = CONFIG_SERVERS, .effective = CONFIG_SERVERS,
      .is_socket = true, .is_system = true, .fallback = "\"0777\"",
      .text = "The permissions of the read-only socket, in octal digits." },
    { .name = "unix_sock_rw_perms", .type = CONFIG_KEY_MODE, .offset = FIELD(unix_sock_rw_perms),
      .daemons = EVERY, .effective = EVERY, .is_socket = true, .example = "\"0770\"",
      .text = "The permissions of the main socket. By default everybody may connect (0777) "
              "where ``auth_unix_rw`` is ``polkit``, and otherwise only the owner (0700)." },
    { .name = "unix_sock_admin_perms", .type = CONFIG_KEY_MODE,
      .offset = FIELD(unix_sock_admin_perms), .daemons = EVERY, .effective = EVERY,
      .is_socket = true, .fallback = "\"0700\"",
      .text = "The permissions of the admin socket. Whoever can connect to it can change the "
              "daemon's limits and disconnect its clients." },
    { .name = "unix_sock_dir", .type = CONFIG_KEY_PATH, .offset = FIELD(unix_sock_dir),
      .daemons = EVERY, .effective = EVERY, .is_socket = true, .example = "\"/run/libvirt\"",
      .text = "The folder of the sockets. By default /run/libvirt, in a session "
              "$XDG_RUNTIME_DIR/libvirt, and DIR/run/libvirt with ``--root DIR``." },

    { .section = "Authentication and access", .name = "auth_unix_ro", .type = CONFIG_KEY_CHOICE,
      .offset = FIELD(auth_unix_ro), .choices = local_auth_kinds,
      .daemons = CONFIG_SERVERS, .effective = CONFIG_SERVERS, .is_system = true,
      .example = "\"polkit\"",
      .text = "What clients of the read-only socket have to pass before their first call: "
              "``none`` (who may connect, may call) or ``polkit`` (the local policy decides, "
              "action org.libvirt.unix.monitor). ``sasl`` is refused: " NO_SASL ". By default "
              "``polkit`` in a daemon of the host that was built with it, otherwise ``none``. "
              "Without D-Bus nobody can be asked: then the default is ``none`` for a socket that "
              "the daemon makes itself, and clients of the service manager's sockets are refused." },
    { .name = "auth_unix_rw", .type = CONFIG_KEY_CHOICE, .offset = FIELD(auth_unix_rw),
      .choices = local_auth_kinds, .daemons = CONFIG_SERVERS, .effective = CONFIG_SERVERS,
      .is_system = true, .example = "\"polkit\"",
      .text = "The same for the main socket (action org.libvirt.unix.manage). Without D-Bus the "
              "default is ``none`` only where ``unix_sock_rw_perms`` keeps others out. Who sets "
              "``none`` here must see to it that the socket's permissions keep strangers "
              "out, in the socket unit where systemd owns the socket." },
    { .name = "auth_tcp", .type = CONFIG_KEY_CHOICE, .offset = FIELD(auth_tcp),
      .choices = remote_auth_kinds, .daemons = CONFIG_SERVERS, .effective = PROXY,
      .reason = NO_NETWORK, .fallback = "\"sasl\"",
      .text = "What clients of the TCP port have to pass. This version has no SASL, so the "
              "port can be opened with ``none`` alone: anybody who reaches it owns the "
              "host's guests, and everything is sent in the clear. Use TLS or ssh." },
    { .name = "auth_tls", .type = CONFIG_KEY_CHOICE, .offset = FIELD(auth_tls),
      .choices = remote_auth_kinds, .daemons = CONFIG_SERVERS, .effective = PROXY,
      .reason = NO_NETWORK, .fallback = "\"none\"",
      .text = "What clients of the TLS port have to pass besides showing a certificate." },
    { .name = "access_drivers", .type = CONFIG_KEY_CHOICES, .offset = FIELD(access_drivers),
      .choices = access_drivers, .daemons = CONFIG_SERVERS, .effective = CONFIG_SERVERS,
      .fallback = "[ \"none\" ]",
      .text = "Who decides, call by call, what an authenticated client may do. This version "
              "has ``none``: it may do everything that its socket allows. Any other driver "
              "is refused, because running without it would allow more than was meant." },
    { .name = "trusted_users", .type = CONFIG_KEY_USERS, .offset = FIELD(trusted_uids),
      .daemons = CONFIG_SERVERS, .effective = CONFIG_SERVERS,
      .example = "[ \"virtproxyd\", 64055 ]",
      .text = "Local users (names or numbers) whose processes may state for whom they act, as "
              "a daemon does that forwards a client's calls, and who need not authenticate "
              "themselves. root and the daemon's own user always may; by default virtproxyd's "
              "user may too, if there is one." },

    { .section = "Network sockets", .name = "listen_tls", .type = CONFIG_KEY_BOOL,
      .offset = FIELD(listen_tls), .daemons = CONFIG_SERVERS, .effective = PROXY,
      .reason = NO_NETWORK, .is_socket = true, .fallback = "0",
      .text = "Whether to listen for TLS connections; needs certificates. With ``--listen`` "
              "the default is 1." },
    { .name = "listen_tcp", .type = CONFIG_KEY_BOOL, .offset = FIELD(listen_tcp),
      .daemons = CONFIG_SERVERS, .effective = PROXY, .reason = NO_NETWORK, .is_socket = true,
      .fallback = "0",
      .text = "Whether to listen for plain TCP connections. See ``auth_tcp``." },
    { .name = "listen_addr", .type = CONFIG_KEY_STRING, .offset = FIELD(listen_addr),
      .daemons = CONFIG_SERVERS, .effective = PROXY, .reason = NO_NETWORK, .is_socket = true,
      .example = "\"192.0.2.1\"",
      .text = "The address or host name to listen on. By default all addresses." },
    { .name = "tls_port", .type = CONFIG_KEY_PORT, .offset = FIELD(tls_port),
      .daemons = CONFIG_SERVERS, .effective = PROXY, .reason = NO_NETWORK, .is_socket = true,
      .fallback = "\"16514\"",
      .text = "The port for TLS: a number or the name of a service, in quotes." },
    { .name = "tcp_port", .type = CONFIG_KEY_PORT, .offset = FIELD(tcp_port),
      .daemons = CONFIG_SERVERS, .effective = PROXY, .reason = NO_NETWORK, .is_socket = true,
      .fallback = "\"16509\"", .text = "The port for plain TCP." },
    { .name = "tcp_min_ssf", .type = CONFIG_KEY_UINT, .offset = FIELD(tcp_min_ssf),
      .min = 56, .max = INT32_MAX, .daemons = CONFIG_SERVERS, .reason = NO_SASL,
      .fallback = "112",
      .text = "The least strength of encryption that SASL has to provide on the TCP port." },
    { .name = "sasl_allowed_username_list", .type = CONFIG_KEY_LIST,
      .offset = FIELD(sasl_allowed_username_list), .daemons = CONFIG_SERVERS,
      .reason = NO_SASL, .example = "[ \"joe@EXAMPLE.COM\" ]",
      .text = "Patterns of the SASL user names that may connect." },
    { .name = "mdns_adv", .type = CONFIG_KEY_BOOL, .offset = FIELD(mdns_adv),
      .daemons = CONFIG_SERVERS, .reason = NO_MDNS, .fallback = "0",
      .text = "Accepted for the sake of old files." },
    { .name = "mdns_name", .type = CONFIG_KEY_STRING, .offset = FIELD(mdns_name),
      .daemons = CONFIG_SERVERS, .reason = NO_MDNS,
      .example = "\"Virtualization Host Joe Demo\"",
      .text = "Accepted for the sake of old files." },

    { .section = "TLS", .name = "key_file", .type = CONFIG_KEY_PATH, .offset = FIELD(key_file),
      .daemons = CONFIG_SERVERS, .effective = PROXY, .reason = NO_NETWORK,
      .example = "\"/etc/pki/libvirt/private/serverkey.pem\"",
      .text = "The server's private key. In a session the default of this and the next two "
              "is in ~/.pki/libvirt." },
    { .name = "cert_file", .type = CONFIG_KEY_PATH, .offset = FIELD(cert_file),
      .daemons = CONFIG_SERVERS, .effective = PROXY, .reason = NO_NETWORK,
      .example = "\"/etc/pki/libvirt/servercert.pem\"", .text = "The server's certificate." },
    { .name = "ca_file", .type = CONFIG_KEY_PATH, .offset = FIELD(ca_file),
      .daemons = CONFIG_SERVERS, .effective = PROXY, .reason = NO_NETWORK,
      .example = "\"/etc/pki/CA/cacert.pem\"",
      .text = "The certificate of the authority that signs servers and clients." },
    { .name = "crl_file", .type = CONFIG_KEY_PATH, .offset = FIELD(crl_file),
      .daemons = CONFIG_SERVERS, .effective = PROXY, .reason = NO_NETWORK,
      .example = "\"/etc/pki/CA/crl.pem\"",
      .text = "The authority's list of revoked certificates. By default none is looked at." },
    { .name = "tls_no_sanity_certificate", .type = CONFIG_KEY_BOOL,
      .offset = FIELD(tls_no_sanity_certificate), .daemons = CONFIG_SERVERS,
      .effective = PROXY, .reason = NO_NETWORK, .fallback = "0",
      .text = "Set to 1, the daemon does not check its own certificate (dates, issuer, "
              "purpose) before using it." },
    { .name = "tls_no_verify_certificate", .type = CONFIG_KEY_BOOL,
      .offset = FIELD(tls_no_verify_certificate), .daemons = CONFIG_SERVERS,
      .effective = PROXY, .reason = NO_NETWORK, .fallback = "0",
      .text = "Set to 1, clients need no valid certificate. Then nothing keeps strangers "
              "out of the TLS port." },
    { .name = "tls_allowed_dn_list", .type = CONFIG_KEY_LIST,
      .offset = FIELD(tls_allowed_dn_list), .daemons = CONFIG_SERVERS, .effective = PROXY,
      .reason = NO_NETWORK, .example = "[ \"C=GB,O=Example,CN=*\" ]",
      .text = "Patterns of the distinguished names that may connect; ``*`` stands for any "
              "characters. By default every name with a valid certificate may. An empty "
              "list lets nobody in." },
    { .name = "tls_priority", .type = CONFIG_KEY_STRING, .offset = FIELD(tls_priority),
      .daemons = CONFIG_SERVERS, .effective = PROXY, .reason = NO_NETWORK,
      .example = "\"NORMAL\"",
      .text = "The priority string of GnuTLS: which ciphers and versions of TLS are used." },

    { .section = "Logging", .name = "log_level", .type = CONFIG_KEY_UINT,
      .offset = FIELD(log_level), .min = 1, .max = 4, .daemons = EVERY, .effective = EVERY,
      .fallback = "3",
      .text = "The least severe messages that are logged: 4 errors, 3 warnings, 2 information, "
              "1 debugging. To look into one thing, a filter is the better tool." },
    { .name = "log_filters", .type = CONFIG_KEY_LOG_FILTERS, .offset = FIELD(log_filters),
      .daemons = EVERY, .effective = EVERY, .example = "\"1:rpc 2:qemu\"",
      .text = "Other levels for some sources of messages: ``LEVEL:PATTERN``, separated by "
              "spaces. The first filter whose pattern is found in the name of the source "
              "counts." },
    { .name = "log_outputs", .type = CONFIG_KEY_LOG_OUTPUTS, .offset = FIELD(log_outputs),
      .daemons = EVERY, .effective = EVERY, .example = "\"3:journald 1:file:/tmp/debug.log\"",
      .text = "Where messages go, each with the lowest level that it takes, separated by "
              "spaces: ``LEVEL:stderr``, ``LEVEL:journald``, ``LEVEL:syslog:IDENT`` or "
              "``LEVEL:file:PATH``. Without this key: the standard error output, and for a "
              "daemon in the background the journal where there is one, else a file named like "
              "the daemon in the folder of logs." },

    { .section = "Audit", .name = "audit_level", .type = CONFIG_KEY_UINT,
      .offset = FIELD(audit_level), .max = 2, .daemons = CONFIG_SERVERS, .reason = NO_AUDIT,
      .fallback = "1",
      .text = "0 for no audit records, 1 for records where the host audits, 2 to insist on "
              "that." },
    { .name = "audit_logging", .type = CONFIG_KEY_BOOL, .offset = FIELD(audit_logging),
      .daemons = CONFIG_SERVERS, .reason = NO_AUDIT, .fallback = "0",
      .text = "Whether audit records are logged as messages too." },

    { .section = "Host", .name = "host_uuid", .type = CONFIG_KEY_UUID,
      .offset = FIELD(host_uuid), .daemons = CONFIG_SERVERS, .effective = CONFIG_VIRTQEMUD,
      .reason = NO_UUID,
      .example = "\"00000000-0000-0000-0000-000000000000\"",
      .text = "The UUID by which this host is known. Its digits cannot all be the same (so the "
              "example must be changed). It comes before ``host_uuid_source``." },
    { .name = "host_uuid_source", .type = CONFIG_KEY_CHOICE, .offset = FIELD(host_uuid_source),
      .choices = uuid_sources, .daemons = CONFIG_SERVERS, .effective = CONFIG_VIRTQEMUD,
      .reason = NO_UUID,
      .fallback = "\"smbios\"",
      .text = "Where the UUID is taken from: ``smbios`` (the firmware) or ``machine-id`` "
              "(/etc/machine-id)." },
    { .name = "ovs_timeout", .type = CONFIG_KEY_UINT, .offset = FIELD(ovs_timeout_s),
      .min = 1, .max = INT32_MAX / 1000, .daemons = CONFIG_SERVERS, .reason = NO_OVS,
      .fallback = "5", .text = "How many seconds a call of Open vSwitch's tools may take." },

    { .section = "Encryption of secrets", .name = "encryption_key_file", .type = CONFIG_KEY_PATH,
      .offset = FIELD(encryption_key_file), .daemons = CONFIG_VIRTSECRETD,
      .effective = CONFIG_VIRTSECRETD, .example = "\"/var/lib/libvirt/secrets/key\"",
      .text = "The file with the key that values of secrets are encrypted with on disk: 32 random "
              "bytes, readable by its owner alone. Without it the systemd credential "
              "``secrets-encryption-key`` is used when the unit has one; without either, values "
              "are kept as existing installations keep them. Values that were kept so are read "
              "as before, and encrypted when they are next set, or all at once by "
              "``virtsecretd --rotate-key``." },
    { .name = "encryption_key_create", .type = CONFIG_KEY_BOOL,
      .offset = FIELD(encryption_key_create), .daemons = CONFIG_VIRTSECRETD,
      .effective = CONFIG_VIRTSECRETD, .fallback = "0",
      .text = "Whether a random key is written to ``encryption_key_file`` when a value is to be "
              "encrypted and there is no such file. Never while there are encrypted values: "
              "theirs has been lost then, and has to be restored." },

    { .section = "Logs of guests", .name = "max_size", .type = CONFIG_KEY_UINT64,
      .offset = FIELD(max_size_bytes), .daemons = CONFIG_VIRTLOGD, .effective = CONFIG_VIRTLOGD,
      .fallback = "2097152",
      .text = "At how many bytes a log file is put aside and a new one begun; 0 for never, "
              "which lets a guest fill the disk." },
    { .name = "max_backups", .type = CONFIG_KEY_UINT, .offset = FIELD(max_backups),
      .max = INT32_MAX, .daemons = CONFIG_VIRTLOGD, .effective = CONFIG_VIRTLOGD, .fallback = "3",
      .text = "How many files put aside are kept." },
    { .name = "max_age_days", .type = CONFIG_KEY_UINT, .offset = FIELD(max_age_days),
      .max = INT32_MAX / 86400, .daemons = CONFIG_VIRTLOGD, .effective = CONFIG_VIRTLOGD,
      .fallback = "0",
      .text = "After how many days without a change a file below ``log_root`` is deleted, "
              "whoever made it; 0 for never." },
    { .name = "log_root", .type = CONFIG_KEY_PATH, .offset = FIELD(log_root),
      .daemons = CONFIG_VIRTLOGD, .effective = CONFIG_VIRTLOGD, .example = "\"/var/log/libvirt\"",
      .text = "The folder in which old logs are looked for." },

    { .section = "Life cycle", .name = "timeout", .type = CONFIG_KEY_UINT,
      .offset = FIELD(timeout_s), .max = INT32_MAX, .daemons = EVERY, .effective = EVERY,
      .fallback = "0",
      .text = "After how many seconds without clients or work the daemon exits; 0 for never. "
              "``--timeout`` comes before it." },
    { .name = NULL },
};
/* clang-format on */

const char *config_daemon_name(ConfigDaemon daemon)
{
    for (unsigned int i = 0; i < CONFIG_DAEMON_COUNT; i++) {
        if ((unsigned int) daemon == 1u << i) {
            return daemon_names[i];
        }
    }
    return NULL;
}

ConfigDaemon config_daemon_from_name(const char *name)
{
    for (unsigned int i = 0; i < CONFIG_DAEMON_COUNT; i++) {
        if (g_str_equal(name, daemon_names[i])) {
            return (ConfigDaemon) (1u << i);
        }
    }
    return (ConfigDaemon) 0;
}

const ConfigKey *config_key_find(const char *name)
{
    for (const ConfigKey *key = config_keys; key->name; key++) {
        if (g_str_equal(key->name, name)) {
            return key;
        }
    }
    return NULL;
}

/* How many letters have to be added, removed or changed to make @b of @a. */
static size_t edit_distance(const char *a, const char *b)
{
    size_t length = strlen(b);
    g_autofree size_t *row = g_new(size_t, length + 1);

    for (size_t j = 0; j <= length; j++) {
        row[j] = j;
    }
    for (size_t i = 1; *a; i++, a++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= length; j++) {
            size_t above = row[j];
            size_t changed = diagonal + (*a != b[j - 1]);

            row[j] = MIN(changed, MIN(above, row[j - 1]) + 1);
            diagonal = above;
        }
    }
    return row[length];
}

const ConfigKey *config_key_find_near(ConfigDaemon daemon, const char *name)
{
    const ConfigKey *best = NULL;
    size_t best_distance = 4; /* more changes than three are another word */

    /* No key is that long, and the comparison takes time for each letter. */
    if (strlen(name) > 64) {
        return NULL;
    }
    for (const ConfigKey *key = config_keys; key->name; key++) {
        size_t distance;

        if (!(key->daemons & (unsigned int) daemon)) {
            continue;
        }
        distance = edit_distance(name, key->name);
        if (distance < best_distance && distance < strlen(key->name) / 2) {
            best = key;
            best_distance = distance;
        }
    }
    return best;
}

const char *config_key_fallback(const ConfigKey *key, ConfigDaemon daemon)
{
    bool is_helper = CONFIG_HELPERS & (unsigned int) daemon;

    return is_helper && key->helper_fallback ? key->helper_fallback : key->fallback;
}
