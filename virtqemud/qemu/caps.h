/* What one emulator binary can do: learnt from the binary itself by QMP, kept in memory
 * compactly, never changed, shared by reference. No table of versions: a feature is there when
 * the binary names the device, the property, the command or the option. Where instances come
 * from, and what is kept on disk: caps_store.h. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

typedef struct EmulatorCaps EmulatorCaps;

/* A machine type as query-machines shows it. Strings live as long as the caps. */
typedef struct EmulatorMachine {
    const char *name;           /* canonical: "pc-i440fx-7.2" */
    const char *alias;          /* "pc"; NULL: none */
    const char *default_cpu;    /* a QOM type: "qemu64-x86_64-cpu"; NULL: none */
    const char *default_ram_id; /* "pc.ram"; NULL: guest memory is no object of its own */
    uint32_t max_cpus;
    bool is_default;
    bool is_deprecated;
    bool has_numa_mem;        /* takes memory sizes of NUMA nodes without objects */
    bool has_hotpluggable_cpus;
} EmulatorMachine;

/* A CPU model that the emulator offers with KVM or with TCG. */
typedef struct EmulatorCpu {
    const char *name;
    bool is_usable; /* on this host */
    bool is_deprecated;
} EmulatorCpu;

typedef enum EmulatorAccel {
    EMULATOR_TCG,
    EMULATOR_KVM,
    EMULATOR_N_ACCELS,
} EmulatorAccel;

EmulatorCaps *emulator_caps_ref(EmulatorCaps *caps);
void emulator_caps_unref(EmulatorCaps *caps);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EmulatorCaps, emulator_caps_unref)

/* The binary, as it was asked for. */
const char *emulator_caps_get_path(const EmulatorCaps *caps);
/* The guest's architecture in libvirt's words: "x86_64", "i686", "aarch64", "armv7l". */
const char *emulator_caps_get_arch(const EmulatorCaps *caps);
/* MAJOR * 1,000,000 + MINOR * 1,000 + MICRO. */
uint32_t emulator_caps_get_version(const EmulatorCaps *caps);
/* "7.2.22", and what the packager wrote behind it ("" when nothing). */
const char *emulator_caps_get_version_text(const EmulatorCaps *caps);
const char *emulator_caps_get_package(const EmulatorCaps *caps);
/* Whether it could use KVM here, when it was asked. */
bool emulator_caps_has_kvm(const EmulatorCaps *caps);

/* A type for device_add ("virtio-blk-pci") and one for object-add ("rng-random"). */
bool emulator_caps_has_device(const EmulatorCaps *caps, const char *type);
bool emulator_caps_has_object(const EmulatorCaps *caps, const char *type);
/* Only of the devices that caps_probe.c lists; false for all others. */
bool emulator_caps_has_device_property(const EmulatorCaps *caps, const char *type,
                                       const char *property);
bool emulator_caps_has_command(const EmulatorCaps *caps, const char *command);
/* A command line option by its group's name ("sandbox", "msg"); @parameter may be NULL.
 * QEMU does not name the parameters of groups that take any. */
bool emulator_caps_has_option(const EmulatorCaps *caps, const char *option, const char *parameter);

/* By canonical name or alias; NULL as @name stands for the emulator's default. NULL when there
 * is none such. */
const EmulatorMachine *emulator_caps_get_machine(const EmulatorCaps *caps, const char *name);
/* All but "none", in QEMU's order, the default first. */
const EmulatorMachine *emulator_caps_get_machines(const EmulatorCaps *caps, guint *ret_count);
/* Sorted by name; none for KVM when there is no KVM. */
const EmulatorCpu *emulator_caps_get_cpus(const EmulatorCaps *caps, EmulatorAccel accel,
                                          guint *ret_count);
