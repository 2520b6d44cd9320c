#include "complete_fixture.h"

#include <string.h>

#include "base/error.h"
#include "json/parse.h"
#include "virtqemud/qemu/arch.h"
#include "virtqemud/qemu/caps_facts.h"

#define MACHINE(name, more, target, cpu)                                                           \
    "{\"name\":\"" name "\"," more "\"cpu\":\"" cpu "-" target                                    \
    "-cpu\",\"ram\":\"pc.ram\",\"max-cpus\":255}"
#define FACTS(target, cpu, kvm)                                                                       \
    "{\"target\":\"" target "\",\"version\":\"7.2.22\",\"package\":\"\",\"kvm\":" kvm ","       \
    "\"machines\":[" MACHINE("pc-i440fx-7.2", "\"alias\":\"pc\",\"default\":true,", target, cpu)   \
    "," MACHINE("pc-q35-7.2", "\"alias\":\"q35\",", target, cpu)                                  \
    "," MACHINE("pc-i440fx-5.2", "", target, cpu) "," MACHINE("pc-q35-6.2", "", target, cpu)      \
    "," MACHINE("isapc", "", target, "486") "," MACHINE("microvm", "", target, cpu) "],"          \
    "\"tcg-cpus\":[],\"kvm-cpus\":[],\"devices\":[\"VGA\",\"bochs-display\",\"cirrus-vga\","       \
    "\"e1000\",\"lsi53c895a\",\"nec-usb-xhci\",\"pcie-root-port\",\"piix3-usb-uhci\","             \
    "\"qemu-xhci\",\"rtl8139\",\"virtio-net-pci\",\"virtio-scsi-pci\",\"virtio-vga\"],"            \
    "\"objects\":[],\"commands\":[],\"options\":[],\"properties\":[]}"

static const struct {
    const char *arch, *path, *facts;
} emulators[] = {
    { "x86_64", "/usr/bin/qemu-system-x86_64", FACTS("x86_64", "qemu64", "true") },
    { "i686", "/usr/bin/qemu-system-i386", FACTS("i386", "qemu32", "true") },
    { NULL, "/usr/bin/qemu-without-kvm", FACTS("x86_64", "qemu64", "false") },
    { NULL, "/usr/bin/kvm", FACTS("x86_64", "qemu64", "true") },
};

static bool fixture_get(void *data, const char *path, const char *arch, EmulatorCaps **ret_caps,
                        GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(emulators); i++) {
        if (path ? strcmp(path, emulators[i].path) == 0 : g_strcmp0(arch, emulators[i].arch) == 0) {
            g_autoptr(JsonValue) facts = json_parse(emulators[i].facts, NULL);

            g_assert_nonnull(facts);
            *ret_caps = emulator_caps_from_facts(emulators[i].path, facts, error);
            return *ret_caps != NULL;
        }
    }
    if (path)
        error_set(error, VIR_FROM_QEMU, VIR_ERR_SYSTEM_ERROR,
                  "Cannot check QEMU binary %s: No such file or directory", path);
    else
        error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                  arch_find(arch) ? "No emulator found for arch '%s'" : "Unknown architecture %s",
                  arch);
    return false;
}

const CompleteContext complete_fixture = { "x86_64", fixture_get, NULL };
