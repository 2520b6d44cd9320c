/* Asking an emulator what it can do: it is started without a machine and without guest memory,
 * answers over QMP, and quits. */
#pragma once

#include "fiber/fiber.h"
#include "json/value.h"
#include "virtqemud/qemu/caps_user.h"

/* Facts as in caps_facts.h about the executable @path, run as @user. @with_kvm: KVM may be usable
 * here.
 * Errors: INTERNAL_ERROR that names the emulator, says how it failed and repeats its last
 * words; OPERATION_TIMEOUT when it hangs (it is killed then). */
SUSPENDS bool emulator_probe(const char *path, const EmulatorUser *user, bool with_kvm, uint64_t deadline_us,
                             JsonValue **ret_facts, GError **error);
