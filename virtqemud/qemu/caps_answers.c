#include "virtqemud/qemu/caps_answers.h"

#include <string.h>

#include "base/error.h"
#include "json/get.h"
#include "json/write.h"

/* The order of the first questions; those about properties follow. */
enum {
    ASK_VERSION,
    ASK_TARGET,
    ASK_KVM,
    ASK_MACHINES,
    ASK_CPUS,
    ASK_COMMANDS,
    ASK_OPTIONS,
    ASK_DEVICES,
    ASK_OBJECTS,
    ASK_PROPERTIES,
};

static const QmpQuestion questions[ASK_PROPERTIES] = {
    [ASK_VERSION] = { .command = "query-version" },
    [ASK_TARGET] = { .command = "query-target" },
    [ASK_KVM] = { .command = "query-kvm" },
    [ASK_MACHINES] = { .command = "query-machines" },
    [ASK_CPUS] = CPU_QUESTION,
    [ASK_COMMANDS] = { .command = "query-commands" },
    [ASK_OPTIONS] = { .command = "query-command-line-options" },
    [ASK_DEVICES] = { .command = "qom-list-types", .member = "implements", .value = "device",
                      .is_about_types = true },
    [ASK_OBJECTS] = { .command = "qom-list-types", .member = "implements",
                      .value = "user-creatable", .is_about_types = true },
};

/* Devices whose properties differ between versions or builds of QEMU in a way that matters. */
static const char *const device_types[] = {
    "ICH9-LPC", "PIIX4_PM", "VGA", "bochs-display", "cirrus-vga", "ide-cd", "ide-hd",
    "isa-serial", "nec-usb-xhci", "pcie-root-port", "piix3-usb-uhci", "qemu-xhci", "qxl",
    "qxl-vga", "ramfb", "scsi-block", "scsi-cd", "scsi-generic", "scsi-hd", "usb-host",
    "usb-storage", "vhost-vsock-pci", "virtio-balloon-pci", "virtio-blk-pci", "virtio-gpu-pci",
    "virtio-net-pci", "virtio-rng-pci", "virtio-scsi-pci", "virtio-serial-pci", "virtio-vga",
    "virtserialport", "vmware-svga",
};

static JsonValue *question_arguments(const QmpQuestion *question)
{
    JsonValue *arguments;

    if (!question->member)
        return NULL;
    arguments = json_object();
    json_object_put_string(arguments, question->member, question->value);
    if (question->is_about_types)
        json_object_put_bool(arguments, "abstract", false);
    return arguments;
}

static void commands_forget(QmpCommand **commands, guint count)
{
    for (guint i = 0; i < count; i++)
        qmp_command_forget(g_steal_pointer(&commands[i]));
}

static bool questions_send(QmpSession *session, const QmpQuestion *asked, guint count,
                           QmpCommand **commands, GError **error)
{
    for (guint i = 0; i < count; i++) {
        commands[i] = qmp_send(session, asked[i].command, question_arguments(&asked[i]), error);
        if (!commands[i])
            return false;
    }
    return true;
}

bool qmp_questions_ask(QmpSession *session, const QmpQuestion *asked, guint count,
                       JsonValue **values, uint64_t deadline_us, GError **error)
{
    g_autofree QmpCommand **commands = g_new0(QmpCommand *, count);
    bool is_fine = questions_send(session, asked, count, commands, error);

    for (guint i = 0; i < count && is_fine; i++) {
        g_autoptr(GError) why = NULL;

        if (qmp_command_wait(g_steal_pointer(&commands[i]), deadline_us, &values[i], &why))
            continue;
        /* An answer that says no leaves the session as it was. */
        is_fine = asked[i].is_optional && qmp_session_is_open(session) &&
                  why->code == VIR_ERR_INTERNAL_ERROR;
        if (!is_fine)
            g_propagate_error(error, g_steal_pointer(&why));
    }
    commands_forget(commands, count);
    return is_fine;
}

CapsAnswers *caps_answers_new(void)
{
    CapsAnswers *answers = g_new0(CapsAnswers, 1);

    answers->count = ASK_PROPERTIES + G_N_ELEMENTS(device_types);
    answers->values = g_new0(JsonValue *, answers->count);
    answers->questions = g_new0(QmpQuestion, answers->count);
    memcpy(answers->questions, questions, sizeof(questions));
    for (guint i = 0; i < G_N_ELEMENTS(device_types); i++)
        answers->questions[ASK_PROPERTIES + i] = (QmpQuestion){
            .command = "device-list-properties", .member = "typename", .value = device_types[i],
            .is_optional = true, /* this emulator may not have it */
        };
    return answers;
}

void caps_answers_free(CapsAnswers *answers)
{
    if (!answers)
        return;
    for (guint i = 0; i < answers->count; i++)
        json_free(answers->values[i]);
    g_free(answers->values);
    g_free(answers->questions);
    g_free(answers);
}

static bool put_version(const CapsAnswers *answers, JsonValue *facts, GError **error)
{
    g_autofree char *text = NULL;
    const JsonValue *answer, *qemu;
    const char *package;
    uint64_t major, minor, micro;

    if (!json_as_object(answers->values[ASK_VERSION], "query-version", &answer, error) ||
        !json_object_get_object(answer, "qemu", &qemu, error) ||
        !json_object_get_uint64(qemu, "major", &major, error) ||
        !json_object_get_uint64(qemu, "minor", &minor, error) ||
        !json_object_get_uint64(qemu, "micro", &micro, error) ||
        !json_object_opt_string(answer, "package", "", &package, error))
        return false;
    text = g_strdup_printf("%" PRIu64 ".%" PRIu64 ".%" PRIu64, major, minor, micro);
    json_object_put_string(facts, "version", text);
    json_object_put_string(facts, "package", package);
    return true;
}

static bool put_identity(const CapsAnswers *answers, JsonValue *facts, bool *ret_has_kvm,
                         GError **error)
{
    const JsonValue *target, *kvm;
    const char *arch;

    if (!json_as_object(answers->values[ASK_TARGET], "query-target", &target, error) ||
        !json_object_get_string(target, "arch", &arch, error) ||
        !json_as_object(answers->values[ASK_KVM], "query-kvm", &kvm, error) ||
        !json_object_get_bool(kvm, "enabled", ret_has_kvm, error))
        return false;
    json_object_put_string(facts, "target", arch);
    json_object_put_bool(facts, "kvm", *ret_has_kvm);
    return put_version(answers, facts, error);
}

/* Flags are written when they are set: most are not. */
static void put_flag(JsonValue *to, const char *key, bool is_set)
{
    if (is_set)
        json_object_put_bool(to, key, true);
}

static JsonValue *machine_to_fact(const JsonValue *answer, GError **error)
{
    g_autoptr(JsonValue) fact = json_object();
    const char *name, *alias, *cpu, *ram;
    bool is_default, is_deprecated, has_numa_mem, has_hotplug;
    uint64_t max_cpus;

    if (!json_as_object(answer, "a machine", &answer, error) ||
        !json_object_get_string(answer, "name", &name, error) ||
        !json_object_opt_string(answer, "alias", NULL, &alias, error) ||
        !json_object_opt_string(answer, "default-cpu-type", NULL, &cpu, error) ||
        !json_object_opt_string(answer, "default-ram-id", NULL, &ram, error) ||
        !json_object_opt_uint64(answer, "cpu-max", 1, &max_cpus, error) ||
        !json_object_opt_bool(answer, "is-default", false, &is_default, error) ||
        !json_object_opt_bool(answer, "deprecated", false, &is_deprecated, error) ||
        !json_object_opt_bool(answer, "numa-mem-supported", false, &has_numa_mem, error) ||
        !json_object_opt_bool(answer, "hotpluggable-cpus", false, &has_hotplug, error))
        return NULL;
    json_object_put_string(fact, "name", name);
    json_object_put_string(fact, "alias", alias);
    json_object_put_string(fact, "cpu", cpu);
    json_object_put_string(fact, "ram", ram);
    json_object_put_uint64(fact, "max-cpus", max_cpus);
    put_flag(fact, "default", is_default);
    put_flag(fact, "deprecated", is_deprecated);
    put_flag(fact, "numa-mem", has_numa_mem);
    put_flag(fact, "hotplug", has_hotplug);
    return g_steal_pointer(&fact);
}

/* "none" is the machine of the probe itself, and no guest's. */
static bool put_machines(const CapsAnswers *answers, JsonValue *facts, GError **error)
{
    g_autoptr(JsonValue) machines = json_array();
    const JsonValue *answer;

    if (!json_as_array(answers->values[ASK_MACHINES], "query-machines", &answer, error))
        return false;
    for (guint i = 0; i < json_length(answer); i++) {
        g_autoptr(JsonValue) fact = machine_to_fact(json_at(answer, i), error);
        const char *name;

        if (!fact)
            return false;
        if (json_object_get_string(fact, "name", &name, NULL) && strcmp(name, "none") != 0)
            json_array_append(machines, g_steal_pointer(&fact));
    }
    json_object_put(facts, "machines", g_steal_pointer(&machines));
    return true;
}

/* A model is usable when nothing that it has is missing here. */
bool caps_answers_put_cpus(JsonValue *facts, const char *member, const JsonValue *answer,
                           GError **error)
{
    g_autoptr(JsonValue) cpus = json_array();

    if (answer && !json_as_array(answer, "query-cpu-definitions", &answer, error))
        return false;
    for (guint i = 0; answer && i < json_length(answer); i++) {
        const JsonValue *item, *missing;
        const char *name;
        bool is_deprecated;
        JsonValue *fact;

        if (!json_as_object(json_at(answer, i), "a CPU model", &item, error) ||
            !json_object_get_string(item, "name", &name, error) ||
            !json_object_opt_array(item, "unavailable-features", &missing, error) ||
            !json_object_opt_bool(item, "deprecated", false, &is_deprecated, error))
            return false;
        fact = json_object();
        json_object_put_string(fact, "name", name);
        put_flag(fact, "usable", missing && json_length(missing) == 0);
        put_flag(fact, "deprecated", is_deprecated);
        json_array_append(cpus, fact);
    }
    json_object_put(facts, member, g_steal_pointer(&cpus));
    return true;
}

/* The "name" of each object in the array, behind @prefix. */
static bool append_names(JsonValue *names, const JsonValue *objects, const char *prefix,
                         GError **error)
{
    for (guint i = 0; i < json_length(objects); i++) {
        const JsonValue *object;
        const char *name;

        if (!json_as_object(json_at(objects, i), "an item of a list", &object, error) ||
            !json_object_get_string(object, "name", &name, error))
            return false;
        if (prefix) {
            g_autofree char *pair = g_strconcat(prefix, ".", name, NULL);

            json_array_append(names, json_string(pair));
        } else
            json_array_append(names, json_string(name));
    }
    return true;
}

static bool put_names(const CapsAnswers *answers, guint which, JsonValue *facts,
                      const char *member, GError **error)
{
    g_autoptr(JsonValue) names = json_array();
    const JsonValue *answer;

    if (!json_as_array(answers->values[which], questions[which].command, &answer, error) ||
        !append_names(names, answer, NULL, error))
        return false;
    json_object_put(facts, member, g_steal_pointer(&names));
    return true;
}

static bool put_options(const CapsAnswers *answers, JsonValue *facts, GError **error)
{
    g_autoptr(JsonValue) names = json_array();
    const JsonValue *answer;

    if (!json_as_array(answers->values[ASK_OPTIONS], "query-command-line-options", &answer, error))
        return false;
    for (guint i = 0; i < json_length(answer); i++) {
        const JsonValue *item, *parameters;
        const char *option;

        if (!json_as_object(json_at(answer, i), "an option", &item, error) ||
            !json_object_get_string(item, "option", &option, error) ||
            !json_object_get_array(item, "parameters", &parameters, error))
            return false;
        json_array_append(names, json_string(option));
        if (!append_names(names, parameters, option, error))
            return false;
    }
    json_object_put(facts, "options", g_steal_pointer(&names));
    return true;
}

static bool put_properties(const CapsAnswers *answers, JsonValue *facts, GError **error)
{
    g_autoptr(JsonValue) names = json_array();

    for (guint i = ASK_PROPERTIES; i < answers->count; i++) {
        const JsonValue *answer = answers->values[i];
        const char *type = answers->questions[i].value;

        if (!answer)
            continue;
        if (!json_as_array(answer, "device-list-properties", &answer, error) ||
            !append_names(names, answer, type, error))
            return false;
    }
    json_object_put(facts, "properties", g_steal_pointer(&names));
    return true;
}

JsonValue *caps_answers_to_facts(const CapsAnswers *answers, bool *ret_has_kvm, GError **error)
{
    g_autoptr(JsonValue) facts = json_object();
    const JsonValue *cpus = answers->values[ASK_CPUS];

    if (!put_identity(answers, facts, ret_has_kvm, error) ||
        !put_machines(answers, facts, error) ||
        !caps_answers_put_cpus(facts, "tcg-cpus", *ret_has_kvm ? NULL : cpus, error) ||
        !caps_answers_put_cpus(facts, "kvm-cpus", *ret_has_kvm ? cpus : NULL, error) ||
        !put_names(answers, ASK_DEVICES, facts, "devices", error) ||
        !put_names(answers, ASK_OBJECTS, facts, "objects", error) ||
        !put_names(answers, ASK_COMMANDS, facts, "commands", error) ||
        !put_options(answers, facts, error) || !put_properties(answers, facts, error))
        return NULL;
    return g_steal_pointer(&facts);
}
