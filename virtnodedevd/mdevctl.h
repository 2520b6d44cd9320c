/* mdevctl(8), which keeps and starts mediated devices: each of these runs it once. It is no part of
 * this host unless it is installed. Errors: OPERATION_UNSUPPORTED when it is not;
 * INTERNAL_ERROR with its own words when it refuses. */
#pragma once

#include "fiber/fiber.h"
#include "virtnodedevd/mdev_config.h"

/* Where it keeps its files. */
#define MDEVCTL_FOLDER "/etc/mdevctl.d"

bool mdevctl_is_installed(void);
/* All that are defined; of MdevConfig. */
SUSPENDS bool mdevctl_list_defined(GPtrArray **ret_configs, GError **error);
/* With no uuid in @config mdevctl chooses one, which is filled in. */
SUSPENDS bool mdevctl_define(MdevConfig *config, GError **error);
SUSPENDS bool mdevctl_undefine(const MdevConfig *config, GError **error);
/* Starts one that is not defined; the uuid as with define. */
SUSPENDS bool mdevctl_start_transient(MdevConfig *config, GError **error);
SUSPENDS bool mdevctl_start(const MdevConfig *config, GError **error);
SUSPENDS bool mdevctl_stop(const char *uuid, GError **error);
SUSPENDS bool mdevctl_set_autostart(const MdevConfig *config, bool is_autostarted, GError **error);
/* Changes what is defined from @old to @config, of the same uuid and parent. Older versions than 1.3
 * do it in steps, and what is done stays done when one fails. */
SUSPENDS bool mdevctl_modify(const MdevConfig *old, const MdevConfig *config, GError **error);
/* Changes what runs (from mdevctl 1.3 on, and where the device's driver can). */
SUSPENDS bool mdevctl_modify_live(const MdevConfig *config, GError **error);
