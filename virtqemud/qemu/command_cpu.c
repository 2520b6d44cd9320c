/* -cpu: the model, its features, and the switches of other elements that are features of the
 * processor in QEMU. CPU models are QEMU's own, by the names that it shares with existing
 * definitions; host-model stands for all that the accelerator has to offer. */
#include <string.h>

#include "base/error.h"
#include "virtqemud/qemu/command_private.h"

/* What the machine has when nobody says: its type without the architecture's suffix. */
static char *default_model(const CommandBuilder *builder, GError **error)
{
    const EmulatorMachine *machine =
        emulator_caps_get_machine(builder->scope.caps, builder->scope.def->os.machine);
    const char *type = machine ? machine->default_cpu : NULL;
    const char *suffix = type ? strstr(type, "-x86_64-cpu") : NULL;

    if (type && !suffix)
        suffix = strstr(type, "-i386-cpu");
    if (!suffix) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                  "the machine type '%s' of the emulator %s has no CPU model of its own",
                  machine ? machine->name : "", emulator_caps_get_path(builder->scope.caps));
        return NULL;
    }
    return g_strndup(type, (gsize)(suffix - type));
}

/* The name before the first comma; to be freed. */
static char *cpu_model(const CommandBuilder *builder, GError **error)
{
    const DomainDef *def = builder->scope.def;
    bool has_kvm = def->virt_type == VIRT_KVM;

    switch (def->cpu ? def->cpu->mode : CPU_MODE_NONE) {
    case CPU_MODE_HOST_PASSTHROUGH:
        if (has_kvm)
            return g_strdup("host");
        error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                  "CPU mode 'host-passthrough' for %s %s domain on %s host is not supported by "
                  "hypervisor", def->os.arch, virt_type_names[def->virt_type], def->os.arch);
        return NULL;
    case CPU_MODE_HOST_MODEL:
        return g_strdup(has_kvm ? "host" : "max");
    case CPU_MODE_MAXIMUM:
        return g_strdup("max");
    default:
        return def->cpu && def->cpu->model ? g_strdup(def->cpu->model)
                                           : default_model(builder, error);
    }
}

/* ---- features ---- */

static void add_flag(GString *flags, const char *name, bool is_on)
{
    g_string_append_printf(flags, ",%s=%s", name, is_on ? "on" : "off");
}

static void add_switch(GString *flags, const char *name, XmlTristate state)
{
    if (state != XML_TRISTATE_ABSENT)
        add_flag(flags, name, state == XML_TRISTATE_YES);
}

/* QEMU's names have dashes where the XML's have underscores. */
static void add_features(GString *flags, const CpuDef *cpu)
{
    for (guint i = 0; cpu->features && i < cpu->features->len; i++) {
        const CpuFeature *feature = &g_array_index(cpu->features, CpuFeature, i);
        g_autofree char *escaped = command_escape(feature->name);

        add_flag(flags, g_strdelimit(escaped, "_", '-'),
                 feature->policy != CPU_POLICY_DISABLE && feature->policy != CPU_POLICY_FORBID);
    }
}

static void add_cpu_element(GString *flags, const CpuDef *cpu)
{
    if (cpu->mode == CPU_MODE_HOST_PASSTHROUGH || cpu->mode == CPU_MODE_MAXIMUM)
        add_switch(flags, "migratable", cpu->migratable);
    if (cpu->vendor_id) {
        g_autofree char *vendor = command_escape(cpu->vendor_id);

        g_string_append_printf(flags, ",vendor=%s", vendor);
    }
    add_features(flags, cpu);
}

/* Clocks that are features of a processor. */
static void add_timers(GString *flags, const ClockDef *clock)
{
    for (guint i = 0; clock->timers && i < clock->timers->len; i++) {
        const ClockTimer *timer = &g_array_index(clock->timers, ClockTimer, i);

        if (timer->name == TIMER_KVMCLOCK)
            add_switch(flags, "kvmclock", timer->present);
        else if (timer->name == TIMER_HYPERVCLOCK && timer->present == XML_TRISTATE_YES)
            add_flag(flags, "hv-time", true);
        else if (timer->name == TIMER_TSC && timer->frequency_hz)
            g_string_append_printf(flags, ",tsc-frequency=%" G_GUINT64_FORMAT,
                                   timer->frequency_hz);
    }
}

static void add_machine_features(GString *flags, const DomainDef *def)
{
    add_switch(flags, "kvm-pv-eoi", def->features.apic_eoi);
    if (def->features.kvm_hidden == XML_TRISTATE_YES)
        add_flag(flags, "kvm", false);
    add_switch(flags, "pmu", def->features.pmu);
    for (guint i = 0; i < def->panics->len; i++) {
        if (((const PanicDef *)def->panics->pdata[i])->model == PANIC_HYPERV)
            add_flag(flags, "hv-crash", true);
    }
}

/* Nothing when nothing is said: the machine has a model of its own. */
bool command_add_cpu(CommandBuilder *builder, GError **error)
{
    const DomainDef *def = builder->scope.def;
    g_autoptr(GString) flags = g_string_new(NULL);
    g_autofree char *model = NULL;
    g_autofree char *escaped = NULL;

    add_timers(flags, &def->clock);
    add_machine_features(flags, def);
    if (def->cpu)
        add_cpu_element(flags, def->cpu);
    if (!flags->len && (!def->cpu || (def->cpu->mode <= CPU_MODE_CUSTOM && !def->cpu->model)))
        return true;
    model = cpu_model(builder, error);
    if (!model)
        return false;
    escaped = command_escape(model);
    command_add_format(builder, "-cpu", "%s%s", escaped, flags->str);
    return true;
}
