/* The persistent definitions: XML files in /etc/libvirt/qemu, one for each domain, where existing
 * installations have them; and the links in autostart/ beside them. Thousands of idle
 * definitions cost memory only for what lists show; the rest is read from the file when asked
 * for, and the few that were asked for last stay in memory.
 *
 * Everything here is durable when a function has returned, and each file is old or new, whole. */
#pragma once

#include "common/state_folders.h"
#include "virtqemud/domain.h"

typedef struct Definitions Definitions;

/* @folders stays the caller's. */
Definitions *definitions_new(const StateFolders *folders);
void definitions_free(Definitions *definitions);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Definitions, definitions_free)

/* Fills the store at the start of the daemon, in the order of names. A file that is no
 * definition (truncated, empty, another's) is left alone and reported. Errors: SYSTEM_ERROR for
 * a folder that cannot be read. */
SUSPENDS bool definitions_load(Definitions *definitions, ObjectStore *domains, GError **error);

/* What @domain will be when it is started next: borrowed, valid until the next suspension.
 * Errors: SYSTEM_ERROR, XML_ERROR, … of a file that has been changed by others;
 * OPERATION_INVALID for a domain that is transient. */
const DomainDef *definitions_get(Definitions *definitions, Domain *domain, GError **error);
/* Makes @def, which is taken in any case, the definition of @domain. The caller holds the
 * domain's definition_lock. On failure the old one stays. */
SUSPENDS bool definitions_save(Definitions *definitions, Domain *domain, DomainDef *def,
                               GError **error);
/* Removes it and its autostart links; the caller holds the lock. */
SUSPENDS bool definitions_remove(Definitions *definitions, Domain *domain, GError **error);
/* Whether the domain starts with the host: at each start of the host, or at the next only
 * (autostart/NAME.xml.once). */
typedef enum AutostartKind { AUTOSTART_ALWAYS, AUTOSTART_ONCE, N_AUTOSTART_KINDS } AutostartKind;
bool definitions_get_autostart(const Domain *domain, AutostartKind kind);
/* The caller holds the lock. */
SUSPENDS bool definitions_set_autostart(Definitions *definitions, Domain *domain,
                                        AutostartKind kind, bool is_autostarted, GError **error);
