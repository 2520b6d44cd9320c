/* What was learnt of emulators, on disk. A file in the cache folder per emulator, named by the
 * SHA-256 of its path: HEX.json, readable by the daemon alone, one JSON object:
 *
 *   format   the number CAPS_CACHE_FORMAT
 *   key      one line that says what the facts depend on: our version, the emulator's path,
 *            device, inode, size, times of change; the user it ran as; the kernel; whether KVM can be used; the
 *            processor's model, microcode and features. Another line than the one expected
 *            makes the file count as missing.
 *   facts    caps_facts.h
 *
 * Files of other names in the folder are nobody's business here. */
#pragma once

#include <sys/stat.h>

#include "json/value.h"

/* Goes up when a probe asks more or facts mean something else. */
#define CAPS_CACHE_FORMAT 1

/* What a file is recognised by. */
typedef struct EmulatorIdentity {
    struct stat file;
    bool has_kvm; /* the device could be opened */
    uid_t uid;    /* as whom it is asked */
} EmulatorIdentity;

/* Looks at the file and at KVM's device: some system calls. Errors: SYSTEM_ERROR when @path
 * cannot be looked at or executed. */
bool emulator_identity_read(const char *path, const char *kvm_device, uid_t uid,
                            EmulatorIdentity *ret_identity, GError **error);
bool emulator_identity_equal(const EmulatorIdentity *a, const EmulatorIdentity *b);

/* These block, for offload threads. The key reads /proc/cpuinfo. */
char *caps_cache_make_key(const char *path, const EmulatorIdentity *identity);
/* The facts, or NULL with a reason in @error when there are none of this key. */
JsonValue *caps_cache_load(const char *folder, const char *path, const char *key, GError **error);
/* Makes the folder where needed. */
bool caps_cache_store(const char *folder, const char *path, const char *key, const JsonValue *facts,
                      GError **error);
