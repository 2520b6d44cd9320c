/* The emulators of this host and what is known of them. An emulator is asked when somebody
 * needs it for the first time, at most once at a time however many ask for it, and again when
 * the file, or what it depends on, has become another. Answers are cached on disk, in the
 * daemon's cache folder (format: caps_cache.c): they survive restarts, and a cache that is
 * missing, damaged or of another version costs one more probe and nothing else. */
#pragma once

#include "fiber/fiber.h"
#include "virtqemud/qemu/caps.h"
#include "virtqemud/qemu/caps_user.h"

typedef struct EmulatorStore EmulatorStore;

/* Nothing is read or probed yet. @cache_dir: /var/cache/libvirt/qemu/capabilities; @kvm_device:
 * /dev/kvm. Both are copied. */
EmulatorStore *emulator_store_new(FiberLoop *loop, const char *cache_dir, const char *kvm_device);
/* As whom emulators run while they are asked; @user is copied. At first as the daemon itself. */
void emulator_store_set_user(EmulatorStore *store, const EmulatorUser *user);
/* No fiber may be in a function below. NULL is ignored. */
void emulator_store_free(EmulatorStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EmulatorStore, emulator_store_free)

/* What the emulator at @path (absolute) can do; a new reference. Does not suspend when it is
 * known and its file is unchanged. Errors (VIR_FROM_QEMU): what is wrong with the file, or
 * how the probe failed, with the emulator's last words; the next call tries again. */
SUSPENDS bool emulator_store_get(EmulatorStore *store, const char *path, EmulatorCaps **ret_caps,
                                 GError **error);
/* The same if it is in memory and still right, without suspending or probing; else NULL. */
EmulatorCaps *emulator_store_peek(EmulatorStore *store, const char *path);

/* The path of the emulator in PATH that runs guests of @arch ("x86_64"); NULL when there is
 * none. To be freed. Touches the disk a few times, does not suspend. */
char *emulator_find_for_arch(const char *arch);
/* emulator_find_for_arch() and emulator_store_get() in one. */
SUSPENDS bool emulator_store_default_for_arch(EmulatorStore *store, const char *arch,
                                              EmulatorCaps **ret_caps, GError **error);
/* The host's own architecture, in libvirt's words; a static string. */
const char *emulator_host_arch(void);
/* What is installed: an EmulatorCaps per architecture that guests can have, all probed side by
 * side. Emulators that cannot be probed are logged and left out. */
typedef struct EmulatorGuest {
    const char *arch; /* static */
    unsigned int word_size;
    EmulatorCaps *caps; /* may be that of a wider architecture */
} EmulatorGuest;
/* *@ret_guests: an array of EmulatorGuest that owns them. */
SUSPENDS bool emulator_store_get_guests(EmulatorStore *store, GArray **ret_guests, GError **error);
