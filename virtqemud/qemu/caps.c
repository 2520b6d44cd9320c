/* One block for the struct, one for each kind of name. All strings that others get are those of
 * a set, so that nothing is allocated for a machine or a CPU model of its own. */
#include "virtqemud/qemu/caps.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "json/get.h"
#include "virtqemud/qemu/arch.h"
#include "virtqemud/qemu/caps_facts.h"
#include "virtqemud/qemu/caps_strings.h"

/* Parts of a version have three digits (manual: virConnectGetVersion). */
#define MAX_PART 999u

typedef struct CpuList {
    EmulatorCpu *items;
    guint count;
} CpuList;

struct EmulatorCaps {
    int references;
    char *path, *version_text, *package;
    const char *arch;
    uint32_t version;
    bool has_kvm;
    EmulatorMachine *machines;
    guint n_machines;
    CpuList cpus[EMULATOR_N_ACCELS];
    StringSet names; /* of machines and CPU models, and what they name */
    StringSet devices, objects, commands, options, properties;
};

static const char *const cpu_members[EMULATOR_N_ACCELS] = { "tcg-cpus", "kvm-cpus" };

EmulatorCaps *emulator_caps_ref(EmulatorCaps *caps)
{
    caps->references++;
    return caps;
}

void emulator_caps_unref(EmulatorCaps *caps)
{
    if (!caps || --caps->references > 0)
        return;
    g_free(caps->path);
    g_free(caps->version_text);
    g_free(caps->package);
    g_free(caps->machines);
    for (int accel = 0; accel < EMULATOR_N_ACCELS; accel++)
        g_free(caps->cpus[accel].items);
    string_set_clear(&caps->names);
    string_set_clear(&caps->devices);
    string_set_clear(&caps->objects);
    string_set_clear(&caps->commands);
    string_set_clear(&caps->options);
    string_set_clear(&caps->properties);
    g_free(caps);
}

/* Adds what a member of each object in the array says, for a set. */
static bool collect_members(const JsonValue *objects, const char *const *members,
                            GPtrArray *strings, GError **error)
{
    for (guint i = 0; i < json_length(objects); i++) {
        const JsonValue *object;

        if (!json_as_object(json_at(objects, i), "an item of the facts", &object, error))
            return false;
        for (const char *const *member = members; *member; member++) {
            const char *text;

            if (!json_object_opt_string(object, *member, NULL, &text, error))
                return false;
            if (text)
                g_ptr_array_add(strings, (char *) text);
        }
    }
    return true;
}

/* The same names stand in the lists of machines and of both kinds of CPUs: one copy serves all. */
static bool read_names(const JsonValue *facts, StringSet *set, GError **error)
{
    static const char *const members[] = { "name", "alias", "cpu", "ram", NULL };
    static const char *const arrays[] = { "machines", "tcg-cpus", "kvm-cpus" };
    g_autoptr(GPtrArray) strings = g_ptr_array_new();

    for (gsize i = 0; i < G_N_ELEMENTS(arrays); i++) {
        const JsonValue *array;

        if (!json_object_get_array(facts, arrays[i], &array, error) ||
            !collect_members(array, members, strings, error))
            return false;
    }
    string_set_init(set, strings);
    return true;
}

static bool read_set(const JsonValue *facts, const char *member, StringSet *set, GError **error)
{
    g_autoptr(GPtrArray) strings = g_ptr_array_new();
    const JsonValue *array;

    if (!json_object_get_array(facts, member, &array, error))
        return false;
    for (guint i = 0; i < json_length(array); i++) {
        const char *text;

        if (!json_as_string(json_at(array, i), member, &text, error))
            return false;
        g_ptr_array_add(strings, (char *) text);
    }
    string_set_init(set, strings);
    return true;
}

/* A string among the names that were collected, NULL where it is missing. */
static const char *read_name(const EmulatorCaps *caps, const JsonValue *object, const char *member)
{
    const char *text = NULL;

    json_object_opt_string(object, member, NULL, &text, NULL);
    return text ? string_set_find(&caps->names, text) : NULL;
}

static bool read_machine(const EmulatorCaps *caps, const JsonValue *object,
                         EmulatorMachine *machine, GError **error)
{
    uint64_t max_cpus;

    if (!json_object_opt_uint64(object, "max-cpus", 1, &max_cpus, error) ||
        !json_object_opt_bool(object, "default", false, &machine->is_default, error) ||
        !json_object_opt_bool(object, "deprecated", false, &machine->is_deprecated, error) ||
        !json_object_opt_bool(object, "numa-mem", false, &machine->has_numa_mem, error) ||
        !json_object_opt_bool(object, "hotplug", false, &machine->has_hotpluggable_cpus, error))
        return false;
    machine->max_cpus = (uint32_t) MIN(max_cpus, G_MAXINT32);
    machine->name = read_name(caps, object, "name");
    machine->alias = read_name(caps, object, "alias");
    machine->default_cpu = read_name(caps, object, "cpu");
    machine->default_ram_id = read_name(caps, object, "ram");
    if (machine->name)
        return true;
    error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "a machine type has no name");
    return false;
}

/* The default one moves to the front; the order of the others stays. */
static void machines_order(EmulatorMachine *machines, guint count)
{
    for (guint i = 1; i < count; i++) {
        EmulatorMachine chosen = machines[i];

        if (!chosen.is_default)
            continue;
        memmove(machines + 1, machines, i * sizeof(*machines));
        machines[0] = chosen;
        return;
    }
}

static bool read_machines(EmulatorCaps *caps, const JsonValue *facts, GError **error)
{
    const JsonValue *array = json_object_peek(facts, "machines");
    guint count = json_length(array);

    caps->machines = g_new0(EmulatorMachine, count + 1);
    for (guint i = 0; i < count; i++) {
        if (!read_machine(caps, json_at(array, i), &caps->machines[caps->n_machines++], error))
            return false;
    }
    machines_order(caps->machines, caps->n_machines);
    return true;
}

static int compare_cpus(const void *a, const void *b)
{
    return strcmp(((const EmulatorCpu *) a)->name, ((const EmulatorCpu *) b)->name);
}

static bool read_cpus(EmulatorCaps *caps, const JsonValue *facts, EmulatorAccel accel,
                      GError **error)
{
    const JsonValue *array = json_object_peek(facts, cpu_members[accel]);
    CpuList *list = &caps->cpus[accel];

    list->items = g_new0(EmulatorCpu, json_length(array) + 1);
    for (guint i = 0; i < json_length(array); i++) {
        const JsonValue *object = json_at(array, i);
        EmulatorCpu *cpu = &list->items[list->count++];

        cpu->name = read_name(caps, object, "name");
        if (!cpu->name) {
            error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "a CPU model has no name");
            return false;
        }
        if (!json_object_opt_bool(object, "usable", false, &cpu->is_usable, error) ||
            !json_object_opt_bool(object, "deprecated", false, &cpu->is_deprecated, error))
            return false;
    }
    qsort(list->items, list->count, sizeof(*list->items), compare_cpus);
    return true;
}

static bool read_sets(EmulatorCaps *caps, const JsonValue *facts, GError **error)
{
    return read_names(facts, &caps->names, error) &&
           read_set(facts, "devices", &caps->devices, error) &&
           read_set(facts, "objects", &caps->objects, error) &&
           read_set(facts, "commands", &caps->commands, error) &&
           read_set(facts, "options", &caps->options, error) &&
           read_set(facts, "properties", &caps->properties, error);
}

/* "7.2.22" to 7002022. */
static bool read_version(EmulatorCaps *caps, const char *text, GError **error)
{
    unsigned major, minor, micro;
    char rest;

    if (sscanf(text, "%3u.%3u.%3u%c", &major, &minor, &micro, &rest) != 3 || major > MAX_PART ||
        minor > MAX_PART || micro > MAX_PART) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "'%s' is no version of QEMU", text);
        return false;
    }
    caps->version = major * 1000000u + minor * 1000u + micro;
    caps->version_text = g_strdup(text);
    return true;
}

static bool read_identity(EmulatorCaps *caps, const JsonValue *facts, GError **error)
{
    const char *target, *version, *package;
    const Arch *arch;

    if (!json_object_get_string(facts, "target", &target, error) ||
        !json_object_get_string(facts, "version", &version, error) ||
        !json_object_get_string(facts, "package", &package, error) ||
        !json_object_get_bool(facts, "kvm", &caps->has_kvm, error) ||
        !read_version(caps, version, error))
        return false;
    arch = arch_find_target(target);
    if (!arch) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                  "QEMU's architecture '%s' is not known", target);
        return false;
    }
    caps->arch = arch->name;
    caps->package = g_strdup(package);
    return true;
}

EmulatorCaps *emulator_caps_from_facts(const char *path, const JsonValue *facts, GError **error)
{
    g_autoptr(EmulatorCaps) caps = g_new0(EmulatorCaps, 1);
    const JsonValue *object;

    caps->references = 1;
    caps->path = g_strdup(path);
    if (!json_as_object(facts, "what is known of an emulator", &object, error) ||
        !read_identity(caps, object, error) || !read_sets(caps, object, error) ||
        !read_machines(caps, object, error) ||
        !read_cpus(caps, object, EMULATOR_TCG, error) ||
        !read_cpus(caps, object, EMULATOR_KVM, error))
        return NULL;
    return g_steal_pointer(&caps);
}

const char *emulator_caps_get_path(const EmulatorCaps *caps)
{
    return caps->path;
}

const char *emulator_caps_get_arch(const EmulatorCaps *caps)
{
    return caps->arch;
}

uint32_t emulator_caps_get_version(const EmulatorCaps *caps)
{
    return caps->version;
}

const char *emulator_caps_get_version_text(const EmulatorCaps *caps)
{
    return caps->version_text;
}

const char *emulator_caps_get_package(const EmulatorCaps *caps)
{
    return caps->package;
}

bool emulator_caps_has_kvm(const EmulatorCaps *caps)
{
    return caps->has_kvm;
}

bool emulator_caps_has_device(const EmulatorCaps *caps, const char *type)
{
    return string_set_find(&caps->devices, type) != NULL;
}

bool emulator_caps_has_object(const EmulatorCaps *caps, const char *type)
{
    return string_set_find(&caps->objects, type) != NULL;
}

bool emulator_caps_has_command(const EmulatorCaps *caps, const char *command)
{
    return string_set_find(&caps->commands, command) != NULL;
}

static bool has_pair(const StringSet *set, const char *group, const char *member)
{
    g_autofree char *key = g_strconcat(group, ".", member, NULL);

    return string_set_find(set, key) != NULL;
}

bool emulator_caps_has_device_property(const EmulatorCaps *caps, const char *type,
                                       const char *property)
{
    return has_pair(&caps->properties, type, property);
}

bool emulator_caps_has_option(const EmulatorCaps *caps, const char *option, const char *parameter)
{
    return parameter ? has_pair(&caps->options, option, parameter)
                     : string_set_find(&caps->options, option) != NULL;
}

const EmulatorMachine *emulator_caps_get_machine(const EmulatorCaps *caps, const char *name)
{
    for (guint i = 0; i < caps->n_machines; i++) {
        const EmulatorMachine *machine = &caps->machines[i];

        if (name ? strcmp(machine->name, name) == 0 || g_strcmp0(machine->alias, name) == 0
                 : machine->is_default)
            return machine;
    }
    return NULL;
}

const EmulatorMachine *emulator_caps_get_machines(const EmulatorCaps *caps, guint *ret_count)
{
    *ret_count = caps->n_machines;
    return caps->machines;
}

const EmulatorCpu *emulator_caps_get_cpus(const EmulatorCaps *caps, EmulatorAccel accel,
                                          guint *ret_count)
{
    *ret_count = caps->cpus[accel].count;
    return caps->cpus[accel].items;
}
