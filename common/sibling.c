/* The table of all siblings, and finding an entry of it: by the owner of a procedure, by the
 * scheme of a URI. */
#include "common/sibling.h"

#include <string.h>

#include "base/error.h"

/* Secondary drivers, then the hypervisors. The kit's own daemons and the others that the
 * reference manual names: whoever runs one of those can reach it through the router. */
const Sibling siblings[] = {
    { "virtqemud", "qemu", "QEMU guests", WIRE_OWNER_DOMAIN },
    { "virtnetworkd", "network", "networks", WIRE_OWNER_NETWORK },
    { "virtstoraged", "storage", "storage pools", WIRE_OWNER_STORAGE },
    { "virtnodedevd", "nodedev", "node devices", WIRE_OWNER_NODEDEV },
    { "virtsecretd", "secret", "secrets", WIRE_OWNER_SECRET },
    { "virtinterfaced", "interface", "host interfaces", WIRE_OWNER_INTERFACE },
    { "virtnwfilterd", "nwfilter", "network filters", WIRE_OWNER_NWFILTER },
    { "virtxend", "xen", "Xen guests", WIRE_OWNER_DOMAIN },
    { "virtlxcd", "lxc", "LXC containers", WIRE_OWNER_DOMAIN },
    { "virtchd", "ch", "Cloud Hypervisor guests", WIRE_OWNER_DOMAIN },
    { "virtvboxd", "vbox", "VirtualBox guests", WIRE_OWNER_DOMAIN },
    { "virtvzd", "vz", "Virtuozzo guests", WIRE_OWNER_DOMAIN },
};
const size_t n_siblings = G_N_ELEMENTS(siblings);
G_STATIC_ASSERT(G_N_ELEMENTS(siblings) <= SIBLING_MAX);

const Sibling sibling_log = { "virtlogd", NULL, "the logs of guests", WIRE_OWNER_SELF };
const Sibling sibling_lock = { "virtlockd", NULL, "the locks of guests", WIRE_OWNER_SELF };

const Sibling *sibling_find_owner(WireOwner owner)
{
    for (size_t i = 0; i < n_siblings; i++) {
        if (siblings[i].owner == owner)
            return &siblings[i];
    }
    return NULL;
}

/* "qemu" of "qemu+unix:///system": the transport is the client's way to us. */
static size_t uri_scheme_length(const char *uri)
{
    size_t length = strcspn(uri, ":+");

    return strstr(uri + length, "://") ? length : 0;
}

const Sibling *sibling_find_uri(const char *uri)
{
    size_t length = uri_scheme_length(uri);

    for (size_t i = 0; length > 0 && i < n_siblings; i++) {
        if (strlen(siblings[i].scheme) == length && strncmp(siblings[i].scheme, uri, length) == 0)
            return &siblings[i];
    }
    return NULL;
}

/* In the folder of our own sockets: siblings that belong together share it. */
char *sibling_socket_path(const Daemon *daemon, const Sibling *sibling, bool is_read_only,
                          GError **error)
{
    const Paths *paths = daemon_get_paths(daemon);
    const char *folder = daemon_get_config(daemon)->unix_sock_dir;
    SocketKind kind = is_read_only && !paths->is_session ? SOCKET_RO : SOCKET_MAIN;

    return paths_socket(folder ? folder : paths->run_dir, sibling->program, kind, error);
}

char *sibling_uri(const Daemon *daemon, const Sibling *sibling)
{
    return g_strdup_printf("%s:///%s", sibling->scheme,
                           daemon_get_paths(daemon)->is_session ? "session" : "system");
}
