/* QEMU's command line: the frame, in the order in which existing installations have it. */
#include "virtqemud/qemu/command.h"

#include <string.h>

#include "base/error.h"
#include "virtqemud/qemu/command_private.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* ---- parts ---- */

void command_add(CommandBuilder *builder, const char *option, const char *value)
{
    g_ptr_array_add(builder->command->argv, g_strdup(option));
    if (value)
        g_ptr_array_add(builder->command->argv, g_strdup(value));
}

void command_add_format(CommandBuilder *builder, const char *option, const char *format, ...)
{
    va_list args;

    g_ptr_array_add(builder->command->argv, g_strdup(option));
    va_start(args, format);
    g_ptr_array_add(builder->command->argv, g_strdup_vprintf(format, args));
    va_end(args);
}

bool command_add_json(CommandBuilder *builder, const char *option, JsonValue *value)
{
    if (!value)
        return false;
    g_ptr_array_add(builder->command->argv, g_strdup(option));
    g_ptr_array_add(builder->command->argv, json_write(value));
    json_free(value);
    return true;
}

bool command_add_keyval(CommandBuilder *builder, const char *option, const char *head,
                        JsonValue *object, GError **error)
{
    g_autoptr(JsonValue) owned = object;
    g_autofree char *text = json_length(owned) ? json_to_keyval(owned, error) : g_strdup("");

    if (!text)
        return false;
    command_add_format(builder, option, "%s%s%s", head ? head : "", head && *text ? "," : "",
                       text);
    return true;
}

int command_add_fd(CommandBuilder *builder, CommandFdKind kind, const char *alias,
                   const char *path)
{
    CommandFd fd = {
        .kind = kind,
        .number = builder->next_fd++,
        .alias = g_strdup(alias),
        .path = g_strdup(path),
    };

    g_array_append_val(builder->command->fds, fd);
    return fd.number;
}

char *command_escape(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);

    return g_strjoinv(",,", parts);
}

/* ---- the whole ---- */

static void fd_clear(void *data)
{
    CommandFd *fd = data;

    g_free(fd->alias);
    g_free(fd->path);
}

static QemuCommand *qemu_command_new(void)
{
    QemuCommand *command = g_new0(QemuCommand, 1);

    command->argv = g_ptr_array_new_with_free_func(g_free);
    command->env = g_ptr_array_new_with_free_func(g_free);
    command->fds = g_array_new(FALSE, TRUE, sizeof(CommandFd));
    g_array_set_clear_func(command->fds, fd_clear);
    return command;
}

void qemu_command_free(QemuCommand *command)
{
    if (!command)
        return;
    g_ptr_array_unref(command->argv);
    g_ptr_array_unref(command->env);
    g_array_unref(command->fds);
    g_free(command);
}

/* QEMU and its libraries keep what they write for themselves in the guest's own folder. */
static void add_environment(CommandBuilder *builder)
{
    const CommandContext *context = builder->context;
    const ClockDef *clock = &builder->scope.def->clock;
    GPtrArray *env = builder->command->env;
    const char *dir = context->state_dir;

    g_ptr_array_add(env, g_strdup("LC_ALL=C"));
    g_ptr_array_add(env, g_strconcat("PATH=", context->search_path ? context->search_path
                                                                   : DEFAULT_PATH, NULL));
    g_ptr_array_add(env, g_strconcat("HOME=", dir, NULL));
    g_ptr_array_add(env, g_strconcat("XDG_DATA_HOME=", dir, "/.local/share", NULL));
    g_ptr_array_add(env, g_strconcat("XDG_CACHE_HOME=", dir, "/.cache", NULL));
    g_ptr_array_add(env, g_strconcat("XDG_CONFIG_HOME=", dir, "/.config", NULL));
    if (clock->offset == CLOCK_TIMEZONE && clock->timezone)
        g_ptr_array_add(env, g_strconcat("TZ=", clock->timezone, NULL));
    g_ptr_array_add(env, NULL);
}

/* Names of threads tell vCPUs from helpers in tools of the host. */
static void add_name(CommandBuilder *builder)
{
    g_autofree char *name = command_escape(builder->scope.def->name);

    command_add_format(builder, "-name", "guest=%s,debug-threads=on", name);
}

/* Nothing that the definition does not name: neither files of the user's nor default devices. */
static void add_identity(CommandBuilder *builder)
{
    const DomainDef *def = builder->scope.def;
    char uuid[UUID_TEXT_SIZE];

    command_add(builder, "-uuid", uuid_format(&def->uuid, uuid));
    if (!def->graphics->len)
        command_add(builder, "-display", "none");
    command_add(builder, "-no-user-config", NULL);
    command_add(builder, "-nodefaults", NULL);
}

/* The daemon listens before QEMU exists, so it can connect at once and never has to try again;
 * after a restart it finds the socket at the same place. */
static void add_monitor(CommandBuilder *builder)
{
    g_autofree char *path = g_build_filename(builder->context->state_dir, "monitor.sock", NULL);
    int fd = command_add_fd(builder, COMMAND_FD_MONITOR, NULL, path);

    command_add_format(builder, "-chardev", "socket,id=charmonitor,fd=%d,server=on,wait=off", fd);
    command_add(builder, "-mon", "chardev=charmonitor,id=monitor,mode=control");
}

/* The sandbox forbids what no guest needs: obsolete system calls, more rights, new programs. */
static void add_last_options(CommandBuilder *builder)
{
    const CommandContext *context = builder->context;

    if (context->is_sandboxed && emulator_caps_has_option(builder->scope.caps, "sandbox", NULL))
        command_add(builder, "-sandbox",
                    "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
    if (!context->without_log_timestamps)
        command_add(builder, "-msg", "timestamp=on");
}

static bool add_all(CommandBuilder *builder, GError **error)
{
    add_name(builder);
    command_add(builder, "-S", NULL);
    if (!command_add_machine(builder, error))
        return false;
    add_identity(builder);
    add_monitor(builder);
    if (!command_add_rtc(builder, error) || !command_add_boot(builder, error) ||
        !command_add_devices(builder, error))
        return false;
    add_last_options(builder);
    return true;
}

QemuCommand *qemu_command_build(const DomainDef *def, const EmulatorCaps *caps,
                                const CommandContext *context, GError **error)
{
    g_autoptr(QemuCommand) command = qemu_command_new();
    CommandBuilder builder = {
        .scope = { .def = def, .caps = caps },
        .context = context,
        .command = command,
        .next_fd = MAX(context->first_fd, 3),
    };

    g_ptr_array_add(command->argv, g_strdup(def->emulator ? def->emulator
                                                          : emulator_caps_get_path(caps)));
    if (!add_all(&builder, error))
        return NULL;
    g_ptr_array_add(command->argv, NULL);
    add_environment(&builder);
    return g_steal_pointer(&command);
}
