/* Facts: what an emulator said about itself, as one JSON object. A probe makes it, the cache
 * on disk holds it, and EmulatorCaps is made from it, so that both ways give the same. Members:
 *
 *   target      QEMU's name of the guest's architecture ("x86_64")
 *   version     "7.2.22"
 *   package     the packager's version, may be ""
 *   kvm         whether KVM was usable
 *   machines    of {name, alias?, cpu?, ram?, max-cpus, default?, deprecated?, numa-mem?, hotplug?}
 *   tcg-cpus, kvm-cpus   of {name, usable?, deprecated?}; flags that are missing are false
 *   devices, objects, commands   names
 *   options     "GROUP", and "GROUP.PARAMETER" for each of its parameters
 *   properties  "DEVICE.PROPERTY" */
#pragma once

#include "json/value.h"
#include "virtqemud/qemu/caps.h"

/* Facts are not trusted: a file may hold anything. Errors: INTERNAL_ERROR, naming what is
 * wrong; INTERNAL_ERROR for an architecture that is not known. */
EmulatorCaps *emulator_caps_from_facts(const char *path, const JsonValue *facts, GError **error);
