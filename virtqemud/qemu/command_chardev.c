/* -chardev: what is behind serial ports, consoles and channels on the host. Files and listening
 * sockets are opened by the daemon, so that QEMU needs no right to do it. */
#include "base/error.h"
#include "virtqemud/qemu/command_private.h"

static const char *const backends[N_CHARDEV_SOURCE_TYPES] = {
    [CHARDEV_NULL] = "null",
    [CHARDEV_PTY] = "pty",
    [CHARDEV_FILE] = "file",
    [CHARDEV_UNIX] = "socket",
};

/* A file that the daemon opens, as QEMU names it: a member of a set of descriptors. To be freed. */
static char *add_output(CommandBuilder *builder, const ChardevDef *chardev, const char *role,
                        const char *path, XmlTristate append)
{
    const char *alias = chardev->info.alias;
    int fd = command_add_fd(builder, COMMAND_FD_OUTPUT, alias, path);
    unsigned set = builder->next_fdset++;
    GArray *fds = builder->command->fds;

    g_array_index(fds, CommandFd, fds->len - 1).is_append = append == XML_TRISTATE_YES;
    command_add_format(builder, "-add-fd", "set=%u,fd=%d,opaque=%s-%s", set, fd, alias, role);
    return g_strdup_printf("/dev/fdset/%u", set);
}

/* The file is at its end, or empty, as the definition wants it, when QEMU gets it. */
static void put_file(CommandBuilder *builder, JsonValue *backend, const ChardevDef *chardev)
{
    const ChardevSource *source = &chardev->source;
    g_autofree char *file = add_output(builder, chardev, "source", source->path, source->append);

    json_object_put_string(backend, "path", file);
    json_object_put_bool(backend, "append", true);
}

/* A copy of all that the guest writes, whatever is behind the device. */
static void put_log(CommandBuilder *builder, JsonValue *backend, const ChardevDef *chardev)
{
    const ChardevSource *source = &chardev->source;
    g_autofree char *file =
        add_output(builder, chardev, "log", source->log_file, source->log_append);

    json_object_put_string(backend, "logfile", file);
    json_object_put_bool(backend, "logappend", true);
}

/* Newer QEMUs count in milliseconds, under another name. */
static void put_reconnect(const CommandBuilder *builder, JsonValue *backend,
                          const ChardevSource *source)
{
    bool has_ms = emulator_caps_has_option(builder->scope.caps, "chardev", "reconnect-ms");
    uint64_t seconds = source->reconnect == XML_TRISTATE_YES ? source->reconnect_timeout_s : 0;

    if (source->reconnect != XML_TRISTATE_ABSENT)
        json_object_put_uint64(backend, has_ms ? "reconnect-ms" : "reconnect",
                               has_ms ? seconds * 1000 : seconds);
}

/* The daemon listens, or QEMU connects to somebody else's socket, again and again if asked to. */
static void put_socket(CommandBuilder *builder, JsonValue *backend, const ChardevDef *chardev)
{
    const ChardevSource *source = &chardev->source;

    if (source->is_listening) {
        json_object_put_int64(backend, "fd",
                              command_add_fd(builder, COMMAND_FD_LISTEN, chardev->info.alias,
                                             source->path));
        json_object_put_bool(backend, "server", true);
        json_object_put_bool(backend, "wait", false);
        return;
    }
    json_object_put_string(backend, "path", source->path);
    put_reconnect(builder, backend, source);
}

/* Channels without a path have got one when the guest starts. */
static bool has_path(const ChardevDef *chardev, GError **error)
{
    const ChardevSource *source = &chardev->source;

    if (source->path || source->type == CHARDEV_NULL || source->type == CHARDEV_PTY)
        return true;
    error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
              "the source of device '%s' has no path", chardev->info.alias);
    return false;
}

bool command_add_chardev(CommandBuilder *builder, const ChardevDef *chardev, GError **error)
{
    g_autofree char *id = chardev_id(chardev);
    JsonValue *backend;

    if (!has_path(chardev, error))
        return false;
    backend = json_object();
    json_object_put_string(backend, "id", id);
    if (chardev->source.type == CHARDEV_FILE)
        put_file(builder, backend, chardev);
    else if (chardev->source.type == CHARDEV_UNIX)
        put_socket(builder, backend, chardev);
    if (chardev->source.log_file)
        put_log(builder, backend, chardev);
    return command_add_keyval(builder, "-chardev", backends[chardev->source.type], backend,
                              error);
}
