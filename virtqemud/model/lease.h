/* <lease>: a lock that the guest must hold besides those of its disks. What its parts mean is the
 * lock manager's matter. */
#pragma once

#include "virtqemud/model/format_flags.h"

typedef struct LeaseDef {
    char *lockspace, *key, *path; /* none NULL */
    uint64_t offset;              /* <target offset=''>, in the file at path */
} LeaseDef;

bool lease_def_parse(const XmlNode *node, LeaseDef **ret_lease, GError **error);
void lease_def_format(const LeaseDef *lease, XmlWriter *writer);
void lease_def_free(LeaseDef *lease);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LeaseDef, lease_def_free)
