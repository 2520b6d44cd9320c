#include "common/splitvirt/suite.h"

#include <string.h>

const SuiteDaemon suite_daemons[] = {
    { "virtqemud", CONFIG_VIRTQEMUD, "qemu", NULL, false },
    { "virtnetworkd", CONFIG_VIRTNETWORKD, "network", NULL, false },
    { "virtstoraged", CONFIG_VIRTSTORAGED, "storage", NULL, false },
    { "virtnodedevd", CONFIG_VIRTNODEDEVD, "nodedev", NULL, false },
    { "virtsecretd", CONFIG_VIRTSECRETD, "secret", NULL, false },
    { "virtproxyd", CONFIG_VIRTPROXYD, "qemu", "libvirt", true },
    { "virtlogd", CONFIG_VIRTLOGD, NULL, NULL, false },
    { "virtlockd", CONFIG_VIRTLOCKD, NULL, NULL, false },
};
const size_t n_suite_daemons = G_N_ELEMENTS(suite_daemons);

/* A row for each kind of socket. */
typedef struct SocketNames {
    const char *kind;
    const char *unit_suffix;
} SocketNames;

static const SocketNames socket_names[] = {
    [SUITE_SOCKET_MAIN] = { "main", "" },
    [SUITE_SOCKET_RO] = { "read-only", "-ro" },
    [SUITE_SOCKET_ADMIN] = { "admin", "-admin" },
    [SUITE_SOCKET_TCP] = { "tcp", "-tcp" },
    [SUITE_SOCKET_TLS] = { "tls", "-tls" },
};

static const SocketKind path_kinds[] = {
    [SUITE_SOCKET_MAIN] = SOCKET_MAIN,
    [SUITE_SOCKET_RO] = SOCKET_RO,
    [SUITE_SOCKET_ADMIN] = SOCKET_ADMIN,
};

const SuiteDaemon *suite_find_daemon(const char *name)
{
    for (size_t i = 0; i < n_suite_daemons; i++) {
        if (strcmp(suite_daemons[i].name, name) == 0)
            return &suite_daemons[i];
    }
    return NULL;
}

const char *suite_socket_kind_name(SuiteSocketKind kind)
{
    return socket_names[kind].kind;
}

char *suite_socket_unit(const char *name, SuiteSocketKind kind)
{
    return g_strdup_printf("%s%s.socket", name, socket_names[kind].unit_suffix);
}

static void socket_free(void *data)
{
    SuiteSocket *found = data;

    g_free(found->path);
    g_free(found->unit);
    g_free(found);
}

static void add_socket(GPtrArray *sockets, const SuiteDaemon *daemon, SuiteSocketKind kind,
                       char *path, bool is_legacy)
{
    SuiteSocket *added = g_new0(SuiteSocket, 1);

    added->kind = kind;
    added->path = path;
    added->is_legacy = is_legacy;
    added->unit = suite_socket_unit(daemon->name, kind);
    g_ptr_array_add(sockets, added);
}

/* The log and lock daemons have no clients that only read. */
static bool has_socket(const SuiteDaemon *daemon, SuiteSocketKind kind, bool is_session)
{
    return kind != SUITE_SOCKET_RO || (daemon->scheme && !is_session);
}

GPtrArray *suite_daemon_sockets(const SuiteDaemon *daemon, const char *folder, bool is_session,
                                GError **error)
{
    const char *names[] = { daemon->legacy_name, daemon->name };
    g_autoptr(GPtrArray) sockets = g_ptr_array_new_with_free_func(socket_free);

    for (size_t n = 0; n < G_N_ELEMENTS(names); n++) {
        for (SuiteSocketKind kind = SUITE_SOCKET_MAIN; names[n] && kind <= SUITE_SOCKET_ADMIN;
             kind++) {
            char *path;

            if (!has_socket(daemon, kind, is_session))
                continue;
            path = paths_socket(folder, names[n], path_kinds[kind], error);
            if (!path)
                return NULL;
            add_socket(sockets, daemon, kind, path, names[n] != daemon->name);
        }
    }
    if (daemon->has_network && !is_session) {
        add_socket(sockets, daemon, SUITE_SOCKET_TCP, NULL, false);
        add_socket(sockets, daemon, SUITE_SOCKET_TLS, NULL, false);
    }
    return g_steal_pointer(&sockets);
}

/* An ordinary user's PATH need not have the folder of daemons. */
char *suite_find_program(const char *name)
{
    g_autofree char *usual = g_build_filename(SBINDIR, name, NULL);
    char *program = g_find_program_in_path(name);

    if (!program && g_file_test(usual, G_FILE_TEST_IS_EXECUTABLE))
        program = g_steal_pointer(&usual);
    return program;
}
