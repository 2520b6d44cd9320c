/* Which sockets a client looks for. The manual ("uri.html", "daemons.html") says which daemon has
 * which; that the choice goes by whether the driver's own socket is there, and that root's session
 * is the system, is what existing clients do. */
#include <string.h>
#include <unistd.h>

#include "common/sibling.h"
#include "common/splitvirt/diagnose.h"

#define LEGACY_NAME "libvirt"

static void add_path(Diagnosis *diagnosis, char *path, const char *daemon, SuiteSocketKind kind,
                     const char *role)
{
    Candidate *candidate = g_new0(Candidate, 1);

    candidate->path = path;
    candidate->daemon = daemon;
    candidate->kind = kind;
    candidate->role = role;
    candidate->is_legacy = g_str_has_prefix(strrchr(path, '/') + 1, LEGACY_NAME "-");
    g_ptr_array_add(diagnosis->candidates, candidate);
}

/* @name: of the socket, which for the legacy ones is not the daemon's. */
static bool add(Diagnosis *diagnosis, const char *folder, const char *name, SuiteSocketKind kind,
                const char *role, GError **error)
{
    static const SocketKind kinds[] = { SOCKET_MAIN, SOCKET_RO, SOCKET_ADMIN };
    char *path = paths_socket(folder, name, kinds[kind], error);

    if (!path)
        return false;
    add_path(diagnosis, path, strcmp(name, LEGACY_NAME) == 0 ? "virtproxyd" : name, kind, role);
    return true;
}

/* virt-admin's URIs name a daemon; those of the single daemon lead to virtproxyd. */
static const char *find_admin_name(const char *scheme)
{
    const SuiteDaemon *daemon = suite_find_daemon(scheme);

    if (daemon)
        return daemon->name;
    if (strcmp(scheme, "libvirtd") == 0)
        return LEGACY_NAME;
    for (size_t i = 0; i < n_siblings; i++) {
        if (strcmp(siblings[i].program, scheme) == 0)
            return siblings[i].program;
    }
    return NULL;
}

static bool is_there(const Candidate *candidate)
{
    return access(candidate->path, F_OK) == 0;
}

static void move_to_front(GPtrArray *array, guint index)
{
    gpointer moved = g_ptr_array_steal_index(array, index);

    g_ptr_array_insert(array, 0, moved);
}

/* The pair of the driver's own socket and the legacy one, of which one is opened. */
static bool add_pair(Diagnosis *diagnosis, const char *folder, const char *program,
                     SuiteSocketKind kind, GError **error)
{
    ConnUriMode mode = diagnosis->uri->mode;
    guint first = diagnosis->candidates->len;

    if (program && !add(diagnosis, folder, program, kind, "driver", error))
        return false;
    if (!add(diagnosis, folder, LEGACY_NAME, kind, "legacy", error))
        return false;
    if (!program || mode == CONN_URI_DIRECT || first > 0)
        return true;
    if (mode == CONN_URI_LEGACY || (!is_there(g_ptr_array_index(diagnosis->candidates, 0)) &&
                                    is_there(g_ptr_array_index(diagnosis->candidates, 1))))
        move_to_front(diagnosis->candidates, 1);
    return true;
}

/* Of a user's own daemons, which one may have meant. */
static void add_session(Diagnosis *diagnosis, const Paths *paths, const char *program)
{
    g_autoptr(Paths) session = NULL;

    if (paths->root || geteuid() == 0 || diagnosis->is_session || !program)
        return;
    session = paths_new(false, NULL, NULL);
    if (session)
        add(diagnosis, session->run_dir, program, SUITE_SOCKET_MAIN, "session", NULL);
}

static bool add_driver(Diagnosis *diagnosis, const Paths *paths, GError **error)
{
    const Sibling *sibling = sibling_find_uri(diagnosis->uri->text);
    const char *program = sibling ? sibling->program : NULL;
    const char *folder = paths->run_dir;
    bool is_ro = diagnosis->is_read_only && !diagnosis->is_session;

    if (!add_pair(diagnosis, folder, program, is_ro ? SUITE_SOCKET_RO : SUITE_SOCKET_MAIN, error))
        return false;
    if (!diagnosis->is_session &&
        !add(diagnosis, folder, program ? program : LEGACY_NAME,
             is_ro ? SUITE_SOCKET_MAIN : SUITE_SOCKET_RO, is_ro ? "read-write" : "read-only",
             error))
        return false;
    if (!add(diagnosis, folder, program ? program : LEGACY_NAME, SUITE_SOCKET_ADMIN, "admin",
             error))
        return false;
    add_session(diagnosis, paths, program);
    return true;
}

/* A socket that the URI names may be anybody's; its name says whose it should be. */
static void add_named(Diagnosis *diagnosis)
{
    const char *path = diagnosis->uri->socket;
    g_autofree char *name = g_path_get_basename(path);
    SuiteSocketKind kind = g_str_has_suffix(name, "-sock-ro")      ? SUITE_SOCKET_RO
                           : g_str_has_suffix(name, "-admin-sock") ? SUITE_SOCKET_ADMIN
                                                                   : SUITE_SOCKET_MAIN;
    const Sibling *sibling = sibling_find_uri(diagnosis->uri->text);
    const char *daemon = sibling ? sibling->program : "virtproxyd";

    for (size_t i = 0; i < n_suite_daemons; i++) {
        if (g_str_has_prefix(name, suite_daemons[i].name))
            daemon = suite_daemons[i].name;
    }
    if (g_str_has_prefix(name, LEGACY_NAME "-"))
        daemon = "virtproxyd";
    add_path(diagnosis, g_strdup(path), daemon, kind, "named by the URI");
}

bool diagnosis_find_candidates(Diagnosis *diagnosis, const Paths *paths, GError **error)
{
    const char *admin_name = find_admin_name(diagnosis->uri->scheme);

    diagnosis->is_admin = admin_name != NULL;
    if (diagnosis->uri->socket) {
        add_named(diagnosis);
        return true;
    }
    if (admin_name)
        return add(diagnosis, paths->run_dir, admin_name, SUITE_SOCKET_ADMIN, "admin", error);
    return add_driver(diagnosis, paths, error);
}
