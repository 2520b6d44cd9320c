/* The UUID by which the host is known to clients: configured, or the firmware's, or that of the
 * machine's installation. */
#pragma once

#include "base/uuid.h"
#include "virtqemud/host/roots.h"

/* @configured is the key host_uuid (NULL: not set), @from_machine_id says host_uuid_source.
 * @machine_id is the file /etc/machine-id (manual: machine-id(5)). Where the source gives no
 * usable UUID a random one is made: keep it. Reads files. */
void host_uuid_choose(const HostRoots *roots, const char *configured, bool from_machine_id,
                      const char *machine_id, Uuid *ret_uuid);
