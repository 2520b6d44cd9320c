/* The machine itself: type, accelerator, memory, number of processors, firmware, kernel. */
#include <string.h>

#include "base/error.h"
#include "virtqemud/qemu/command_private.h"
#include "virtqemud/qemu/device_controller.h"

static bool is_hpet_off(const ClockDef *clock)
{
    for (guint i = 0; clock->timers && i < clock->timers->len; i++) {
        const ClockTimer *timer = &g_array_index(clock->timers, ClockTimer, i);

        if (timer->name == TIMER_HPET && timer->present == XML_TRISTATE_NO)
            return true;
    }
    return false;
}

/* By the canonical name that the definition was completed with, so guests keep their machine when
 * QEMU becomes newer. */
static const EmulatorMachine *find_machine(const CommandBuilder *builder, GError **error)
{
    const DeviceScope *scope = &builder->scope;
    const EmulatorMachine *machine =
        emulator_caps_get_machine(scope->caps, scope->def->os.machine);

    if (!machine)
        error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                  "the emulator %s has no machine type '%s'", emulator_caps_get_path(scope->caps),
                  scope->def->os.machine ? scope->def->os.machine : "");
    return machine;
}

/* The options -no-hpet and -no-acpi are gone from newer QEMUs; the machine's switches are in all. */
static bool add_machine_type(CommandBuilder *builder, const EmulatorMachine *machine,
                             GError **error)
{
    const DomainDef *def = builder->scope.def;
    JsonValue *options = json_object();
    bool dumps = def->dump_core == XML_TRISTATE_ABSENT ? builder->context->dump_guest_core
                                                       : def->dump_core == XML_TRISTATE_YES;

    json_object_put_bool(options, "usb", false);
    device_json_put_switch(options, "vmport", def->features.vmport);
    device_json_put_switch(options, "smm", def->features.smm);
    json_object_put_bool(options, "dump-guest-core", dumps);
    json_object_put_string(options, "memory-backend", machine->default_ram_id);
    if (def->os.bios_use_serial == XML_TRISTATE_YES)
        json_object_put_bool(options, "graphics", false);
    if (is_hpet_off(&def->clock))
        json_object_put_bool(options, "hpet", false);
    if (!def->features.acpi)
        json_object_put_bool(options, "acpi", false);
    if (!command_add_keyval(builder, "-machine", machine->name, options, error))
        return false;
    command_add(builder, "-accel", def->virt_type == VIRT_KVM ? "kvm" : "tcg");
    return true;
}

/* The memory is an object with the machine's own name for it, as migration wants it. */
static bool add_memory(CommandBuilder *builder, const EmulatorMachine *machine, GError **error)
{
    const DomainDef *def = builder->scope.def;
    JsonValue *memory;

    command_add_format(builder, "-m", "size=%" G_GUINT64_FORMAT "k", def->memory_kib);
    if (machine->default_ram_id) {
        memory = object_json_new(&builder->scope, "memory-backend-ram", machine->default_ram_id,
                                 error);
        if (!memory)
            return false;
        json_object_put_uint64(memory, "size", def->memory_kib * 1024);
        command_add_json(builder, "-object", memory);
    }
    command_add(builder, "-overcommit", "mem-lock=off");
    return true;
}

/* Without a topology, each processor is a socket. */
static bool add_smp(CommandBuilder *builder, GError **error)
{
    const DomainDef *def = builder->scope.def;
    const CpuDef *cpu = def->cpu;
    bool has_topology = cpu && cpu->sockets;
    JsonValue *smp = json_object();
    g_autofree char *count = g_strdup_printf("%u", def->vcpus);

    if (def->vcpus != def->max_vcpus)
        json_object_put_uint64(smp, "maxcpus", def->max_vcpus);
    json_object_put_uint64(smp, "sockets", has_topology ? cpu->sockets : def->max_vcpus);
    if (has_topology && cpu->dies)
        json_object_put_uint64(smp, "dies", cpu->dies);
    if (has_topology && cpu->clusters > 1)
        json_object_put_uint64(smp, "clusters", cpu->clusters);
    json_object_put_uint64(smp, "cores", has_topology ? MAX(cpu->cores, 1) : 1);
    json_object_put_uint64(smp, "threads", has_topology ? MAX(cpu->threads, 1) : 1);
    return command_add_keyval(builder, "-smp", count, smp, error);
}

bool command_add_machine(CommandBuilder *builder, GError **error)
{
    const EmulatorMachine *machine = find_machine(builder, error);
    const DomainOs *os = &builder->scope.def->os;

    if (!machine || !add_machine_type(builder, machine, error) ||
        !command_add_cpu(builder, error))
        return false;
    if (os->loader)
        command_add(builder, "-bios", os->loader);
    return add_memory(builder, machine, error) && add_smp(builder, error);
}

/* ---- starting and ending ---- */

static bool add_boot_options(CommandBuilder *builder, GError **error)
{
    const DomainOs *os = &builder->scope.def->os;
    JsonValue *boot = json_object();

    device_json_put_switch(boot, "menu", os->boot_menu);
    if (os->has_bios_reboot_timeout)
        json_object_put_int64(boot, "reboot-timeout", os->bios_reboot_timeout_ms);
    if (os->has_boot_menu_timeout)
        json_object_put_uint64(boot, "splash-time", os->boot_menu_timeout_ms);
    /* Only what has a boot index is booted from. */
    json_object_put_bool(boot, "strict", true);
    return command_add_keyval(builder, "-boot", NULL, boot, error);
}

/* Arguments of their own, so commas need no care. */
static void add_kernel(CommandBuilder *builder)
{
    const DomainOs *os = &builder->scope.def->os;

    if (os->kernel)
        command_add(builder, "-kernel", os->kernel);
    if (os->initrd)
        command_add(builder, "-initrd", os->initrd);
    if (os->cmdline)
        command_add(builder, "-append", os->cmdline);
    if (os->dtb)
        command_add(builder, "-dtb", os->dtb);
}

/* S3 and S4 are properties of the chip set's power management. */
static void add_sleep_state(CommandBuilder *builder, const char *state, XmlTristate is_enabled)
{
    const char *device = machine_is_q35(builder->scope.def) ? "ICH9-LPC" : "PIIX4_PM";

    if (is_enabled != XML_TRISTATE_ABSENT)
        command_add_format(builder, "-global", "%s.disable_%s=%d", device, state,
                           is_enabled == XML_TRISTATE_NO);
}

/* Root buses are built in, so what they are to be is said by globals. */
static void add_holes(CommandBuilder *builder)
{
    const GPtrArray *controllers = builder->scope.def->controllers;

    for (guint i = 0; i < controllers->len; i++) {
        g_autofree char *hole = controller_hole_option(&builder->scope, controllers->pdata[i]);

        if (hole)
            command_add(builder, "-global", hole);
    }
}

bool command_add_boot(CommandBuilder *builder, GError **error)
{
    const DomainDef *def = builder->scope.def;

    if (def->os.smbios_mode_set && def->os.smbios_mode != SMBIOS_EMULATE) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                  "smbios mode '%s' is not supported", smbios_mode_names[def->os.smbios_mode]);
        return false;
    }
    /* QEMU stays when the guest powers off: the daemon decides what comes then. */
    command_add(builder, "-no-shutdown", NULL);
    if (def->on_reboot == ACTION_DESTROY)
        command_add(builder, "-action", "reboot=shutdown");
    add_sleep_state(builder, "s3", def->pm_mem);
    add_sleep_state(builder, "s4", def->pm_disk);
    if (!add_boot_options(builder, error))
        return false;
    add_holes(builder);
    add_kernel(builder);
    return true;
}
