/* The order of completion. */
#include "virtqemud/qemu/complete.h"

#include "base/error.h"
#include "virtqemud/qemu/arch.h"
#include "virtqemud/qemu/complete_steps.h"

static bool has_user_emulator(const DomainDef *def)
{
    return def->emulator && *def->emulator != '\0';
}

/* An emulator may run guests of a narrower architecture, too. */
static bool arch_check(const DomainDef *def, const EmulatorCaps *caps, GError **error)
{
    const char *own = emulator_caps_get_arch(caps);
    const Arch *wanted = arch_find(def->os.arch);
    const Arch *offered = own ? arch_find(own) : NULL;

    if (!wanted || !offered || wanted == offered ||
        g_strcmp0(wanted->stand_in, offered->target) == 0)
        return true;
    error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
              "Emulator '%s' does not support arch '%s'", def->emulator, def->os.arch);
    return false;
}

/* Everything else depends on what the emulator can do. */
static bool emulator_find(DomainDef *def, const CompleteContext *context, EmulatorCaps **ret_caps,
                          GError **error)
{
    g_autoptr(EmulatorCaps) caps = NULL;

    if (!def->os.arch)
        def->os.arch = g_strdup(context->host_arch);
    if (!context->get_emulator(context->data, has_user_emulator(def) ? def->emulator : NULL,
                               def->os.arch, &caps, error))
        return false;
    if (!has_user_emulator(def)) {
        g_free(def->emulator);
        def->emulator = g_strdup(emulator_caps_get_path(caps));
    }
    if (!arch_check(def, caps, error))
        return false;
    if (def->virt_type != VIRT_QEMU &&
        !(def->virt_type == VIRT_KVM && emulator_caps_has_kvm(caps))) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                  "Emulator '%s' does not support virt type '%s'", def->emulator,
                  virt_type_names[def->virt_type]);
        return false;
    }
    *ret_caps = g_steal_pointer(&caps);
    return true;
}

/* What is searched in order must not be longer than any guest's: no machine has so many places. */
#define DEVICES_MAX 8192

static bool size_check(const DomainDef *def, GError **error)
{
    guint n_devices = def->disks->len + def->controllers->len + def->interfaces->len +
                      def->serials->len + def->consoles->len + def->channels->len +
                      def->inputs->len + def->videos->len + def->hubs->len + def->rngs->len +
                      def->panics->len + def->watchdogs->len;

    if (n_devices <= DEVICES_MAX)
        return true;
    error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
              "domain '%s' has %u devices, at most %d are supported", def->name, n_devices,
              DEVICES_MAX);
    return false;
}

bool domain_def_complete(DomainDef *def, const CompleteContext *context, GError **error)
{
    g_autoptr(EmulatorCaps) caps = NULL;

    if (!size_check(def, error) || !emulator_find(def, context, &caps, error) ||
        !complete_machine(def, caps, error) || !complete_chardevs(def, error) ||
        !complete_devices(def, caps, error) || !complete_controllers(def, caps, error) ||
        !complete_virtio_serial(def, error) || !complete_pci(def, caps, error) ||
        !complete_usb(def, error))
        return false;
    complete_console_mirror(def);
    return true;
}
