/* qemu_command FACTS STATE_DIR FIRST_FD: reads a running guest's definition from standard input
 * and prints QEMU's command line for it as JSON: argv, env, and the descriptors that it needs as
 * [kind, number, path]. For tests that start QEMU without a daemon. */
#include <stdio.h>
#include <stdlib.h>

#include "json/parse.h"
#include "json/write.h"
#include "virtqemud/qemu/caps_facts.h"
#include "virtqemud/qemu/command.h"

static const char *const kind_names[] = {
    [COMMAND_FD_MONITOR] = "listen",
    [COMMAND_FD_LISTEN] = "listen",
    [COMMAND_FD_OUTPUT] = "output",
    [COMMAND_FD_VSOCK] = "vsock",
};

static JsonValue *strings_json(const GPtrArray *strings)
{
    JsonValue *array = json_array();

    for (guint i = 0; i + 1 < strings->len; i++)
        json_array_append(array, json_string(strings->pdata[i]));
    return array;
}

static JsonValue *fds_json(const GArray *fds)
{
    JsonValue *array = json_array();

    for (guint i = 0; i < fds->len; i++) {
        const CommandFd *fd = &g_array_index(fds, CommandFd, i);
        JsonValue *item = json_array();

        json_array_append(item, json_string(kind_names[fd->kind]));
        json_array_append(item, json_int64(fd->number));
        json_array_append(item, json_string(fd->path));
        json_array_append(array, item);
    }
    return array;
}

static char *input_read(void)
{
    GString *text = g_string_new(NULL);
    int c;

    while ((c = getchar()) != EOF)
        g_string_append_c(text, (char)c);
    return g_string_free(text, FALSE);
}

static QemuCommand *build(const char *facts_path, const CommandContext *context, GError **error)
{
    g_autofree char *facts_text = NULL;
    g_autofree char *xml = input_read();
    g_autoptr(JsonValue) facts = NULL;
    g_autoptr(EmulatorCaps) caps = NULL;
    g_autoptr(DomainDef) def = NULL;

    if (!g_file_get_contents(facts_path, &facts_text, NULL, error))
        return NULL;
    facts = json_parse(facts_text, error);
    caps = facts ? emulator_caps_from_facts("/usr/bin/qemu-system-x86_64", facts, error) : NULL;
    def = caps ? domain_def_parse(xml, 0, error) : NULL;
    return def ? qemu_command_build(def, caps, context, error) : NULL;
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(QemuCommand) command = NULL;
    g_autoptr(JsonValue) printed = json_object();
    g_autofree char *text = NULL;
    CommandContext context = { .is_sandboxed = true };

    if (argc != 4)
        return 2;
    context.state_dir = argv[2];
    context.first_fd = atoi(argv[3]);
    command = build(argv[1], &context, &error);
    if (!command) {
        fprintf(stderr, "%s\n", error->message);
        return 1;
    }
    json_object_put(printed, "argv", strings_json(command->argv));
    json_object_put(printed, "env", strings_json(command->env));
    json_object_put(printed, "fds", fds_json(command->fds));
    text = json_write(printed);
    puts(text);
    return 0;
}
