/* What a definition says before <devices>. */
#include <string.h>

#include "base/error.h"
#include "virtqemud/qemu/complete_steps.h"

Board board_of_machine(const char *machine)
{
    if (strcmp(machine, "q35") == 0 || g_str_has_prefix(machine, "pc-q35-"))
        return BOARD_Q35;
    if (strcmp(machine, "pc") == 0 || g_str_has_prefix(machine, "pc-i440fx-") ||
        g_str_has_prefix(machine, "pc-0.") || g_str_has_prefix(machine, "pc-1."))
        return BOARD_I440FX;
    return BOARD_OTHER;
}

/* "qemu64" of the type "qemu64-x86_64-cpu": the architecture has no '-' in QEMU's names. */
static char *cpu_name_of_type(const char *type)
{
    g_autofree char *name = NULL;
    char *dash = NULL;

    if (!type || !g_str_has_suffix(type, "-cpu"))
        return NULL;
    name = g_strndup(type, strlen(type) - strlen("-cpu"));
    dash = strrchr(name, '-');
    if (dash)
        *dash = '\0';
    return g_steal_pointer(&name);
}

/* How a CPU is checked when nobody has said: against the host, which matters to KVM only. */
static CpuCheck check_of_mode(CpuMode mode, VirtType virt_type)
{
    if (mode == CPU_MODE_HOST_MODEL)
        return CPU_CHECK_PARTIAL;
    if (mode == CPU_MODE_CUSTOM && virt_type == VIRT_KVM)
        return CPU_CHECK_PARTIAL;
    return CPU_CHECK_NONE;
}

/* Host models and host-passthrough stay as they are until the guest starts. */
static void cpu_complete(DomainDef *def, const EmulatorMachine *machine)
{
    CpuDef *cpu = def->cpu;
    bool is_custom = !cpu || cpu->mode == CPU_MODE_NONE || cpu->mode == CPU_MODE_CUSTOM;

    /* Written out, so that the guest keeps its CPU when QEMU's default becomes another. */
    if (is_custom && (!cpu || !cpu->model)) {
        char *model = cpu_name_of_type(machine->default_cpu);

        if (!model)
            return;
        if (!cpu)
            cpu = def->cpu = g_new0(CpuDef, 1);
        cpu->model = model;
        cpu->fallback_allow = XML_TRISTATE_NO;
        if (cpu->check == CPU_CHECK_DEFAULT)
            cpu->check = CPU_CHECK_NONE;
    }
    if (is_custom) {
        cpu->mode = CPU_MODE_CUSTOM;
        if (cpu->match == CPU_MATCH_NONE)
            cpu->match = CPU_MATCH_EXACT;
    }
    if (cpu->check == CPU_CHECK_DEFAULT)
        cpu->check = check_of_mode(cpu->mode, def->virt_type);
    if (cpu->mode == CPU_MODE_HOST_PASSTHROUGH && cpu->migratable == XML_TRISTATE_ABSENT)
        cpu->migratable = XML_TRISTATE_YES;
}

/* A boot order of devices stands instead of one of the machine: both together are refused. */
static bool has_no_boot_order(DeviceInfo *info, const char *what, void *device, void *data)
{
    return info->boot_index == 0;
}

bool complete_machine(DomainDef *def, const EmulatorCaps *caps, GError **error)
{
    const EmulatorMachine *machine = emulator_caps_get_machine(caps, def->os.machine);

    if (!machine) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                  "Emulator '%s' does not support machine type '%s'", def->emulator,
                  def->os.machine ?: "default");
        return false;
    }
    if (machine->max_cpus > 0 && def->max_vcpus > machine->max_cpus) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                  "Maximum CPUs greater than specified machine type limit %u", machine->max_cpus);
        return false;
    }
    if (g_strcmp0(def->os.machine, machine->name) != 0) {
        g_free(def->os.machine);
        def->os.machine = g_strdup(machine->name);
    }
    cpu_complete(def, machine);
    if (def->os.n_boot == 0 && domain_def_each_device(def, has_no_boot_order, NULL)) {
        def->os.boot[0] = BOOT_DISK;
        def->os.n_boot = 1;
    }
    return true;
}
