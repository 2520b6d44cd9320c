#include "virtnodedevd/mdevctl.h"

#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "fiber/process.h"

/* Drivers take their time to make a device. */
#define DEADLINE_MS 60000

bool mdevctl_is_installed(void)
{
    g_autofree char *path = g_find_program_in_path("mdevctl");

    return path != NULL;
}

/* @argv without the program's name. @input: for its standard input, or NULL. @what: what fails
 * when it does ("define mediated device"). */
static bool run(const char *const *argv, const char *input, const char *what, char **ret_output,
                GError **error)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    g_auto(ProcessResult) result = { 0 };
    ProcessSpec spec = { .deadline_us = fiber_deadline_ms(DEADLINE_MS), .input = input };

    if (!mdevctl_is_installed())
        return error_fail(error, VIR_FROM_NODEDEV, VIR_ERR_OPERATION_UNSUPPORTED,
                          "unable to %s: mdevctl is not installed", what);
    g_ptr_array_add(words, (char *)"mdevctl");
    for (; *argv; argv++)
        g_ptr_array_add(words, (char *)*argv);
    g_ptr_array_add(words, NULL);
    spec.argv = (const char *const *)words->pdata;
    spec.input_length = input ? strlen(input) : 0;
    if (!process_run(&spec, &result, error))
        return false;
    if (result.exit_status != 0)
        return error_fail(error, VIR_FROM_NODEDEV, VIR_ERR_INTERNAL_ERROR, "Unable to %s: %s", what,
                          result.error_output->len ? g_strstrip(result.error_output->str)
                                                   : "mdevctl failed without a word");
    if (ret_output)
        *ret_output = g_strdup(g_strstrip(result.output->str));
    return true;
}

bool mdevctl_list_defined(GPtrArray **ret_configs, GError **error)
{
    static const char *const argv[] = { "list", "--defined", "--dumpjson", NULL };
    g_autofree char *output = NULL;
    GPtrArray *configs;

    if (!run(argv, NULL, "list mediated devices", &output, error))
        return false;
    configs = mdev_configs_parse(*output ? output : "[]", error);
    if (configs)
        *ret_configs = configs;
    return configs != NULL;
}

/* mdevctl prints the uuid when it has chosen it. */
static bool make(const char *command, MdevConfig *config, const char *what, GError **error)
{
    g_autofree char *json = mdev_config_to_json(config);
    g_autofree char *output = NULL;
    const char *argv[] = { command, "--parent", config->parent, "--jsonfile", "/dev/stdin",
                           config->uuid ? "--uuid" : NULL, config->uuid, NULL };

    if (!run(argv, json, what, &output, error))
        return false;
    if (config->uuid)
        return true;
    if (!*output)
        return error_fail(error, VIR_FROM_NODEDEV, VIR_ERR_INTERNAL_ERROR,
                          "Unable to %s: mdevctl names no uuid", what);
    config->uuid = g_steal_pointer(&output);
    return true;
}

bool mdevctl_define(MdevConfig *config, GError **error)
{
    return make("define", config, "define mediated device", error);
}

bool mdevctl_start_transient(MdevConfig *config, GError **error)
{
    return make("start", config, "start mediated device", error);
}

bool mdevctl_undefine(const MdevConfig *config, GError **error)
{
    const char *argv[] = { "undefine", "--uuid", config->uuid, "--parent", config->parent, NULL };

    return run(argv, NULL, "undefine mediated device", NULL, error);
}

bool mdevctl_start(const MdevConfig *config, GError **error)
{
    const char *argv[] = { "start", "--uuid", config->uuid, "--parent", config->parent, NULL };

    return run(argv, NULL, "create mediated device", NULL, error);
}

bool mdevctl_stop(const char *uuid, GError **error)
{
    const char *argv[] = { "stop", "--uuid", uuid, NULL };

    return run(argv, NULL, "destroy mediated device", NULL, error);
}

bool mdevctl_set_autostart(const MdevConfig *config, bool is_autostarted, GError **error)
{
    const char *argv[] = { "modify", "--uuid", config->uuid, "--parent", config->parent,
                           is_autostarted ? "--auto" : "--manual", NULL };

    return run(argv, NULL, "set autostart for mediated device", NULL, error);
}

static bool modify_whole(const MdevConfig *config, const char *more, const char *what,
                         GError **error)
{
    g_autofree char *json = mdev_config_to_json(config);
    const char *argv[] = { "modify", "--uuid", config->uuid, "--parent", config->parent,
                           "--jsonfile", "/dev/stdin", more, NULL };

    return run(argv, json, what, NULL, error);
}

/* One option of "modify", with a second one and its value (or NULL). */
static bool modify_step(const MdevConfig *config, const char *option, const char *second,
                        GError **error)
{
    const char *argv[] = { "modify", "--uuid", config->uuid, "--parent", config->parent, option,
                           second, NULL };

    return run(argv, NULL, "update mediated device", NULL, error);
}

/* Attributes are taken from the end, and added there. */
static bool modify_steps(const MdevConfig *old, const MdevConfig *config, GError **error)
{
    g_autofree char *type = g_strconcat("--type=", config->type, NULL);

    if (!modify_step(config, type, NULL, error))
        return false;
    for (guint i = 0; i < old->attrs->len; i++) {
        if (!modify_step(config, "--delattr", NULL, error))
            return false;
    }
    for (guint i = 0; i < config->attrs->len; i++) {
        const MdevAttr *attr = &g_array_index(config->attrs, MdevAttr, i);
        g_autofree char *name = g_strconcat("--addattr=", attr->name, NULL);
        g_autofree char *value = g_strconcat("--value=", attr->value, NULL);

        if (!modify_step(config, name, value, error))
            return false;
    }
    return true;
}

bool mdevctl_modify(const MdevConfig *old, const MdevConfig *config, GError **error)
{
    return modify_whole(config, NULL, "update mediated device", NULL) ||
           modify_steps(old, config, error);
}

bool mdevctl_modify_live(const MdevConfig *config, GError **error)
{
    return modify_whole(config, "--live", "update active mediated device", error);
}
