/* Which locks of virtlockd's a guest needs. */
#pragma once

#include "virtqemud/lock/lock_request.h"
#include "virtqemud/qemu_conf.h"

/* LockManager.plan, see there. Looks at devices of the host, in /sys. */
bool lockd_plan(const QemuConf *conf, const DomainDef *def, GPtrArray *requests, GError **error);
