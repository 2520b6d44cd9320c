/* What outlives the daemon: in one folder (/etc/libvirt/secrets, or a user's) UUID.xml for each
 * secret that is not ephemeral, laid out as existing installations have it, and its value beside
 * it (value_files.h). A definition counts from the rename of its file on, and a value only with
 * its definition: one that is left alone, by a daemon that was killed, goes at the next start. */
#pragma once

#include "fiber/fiber.h"
#include "virtsecretd/secret.h"
#include "virtsecretd/value_files.h"

/* Reads all into @store. What cannot be read is logged and left alone.
 * Errors: SYSTEM_ERROR when the folder cannot be made or read. */
SUSPENDS bool definitions_load(const char *folder, SecretStore *store, GError **error);

/* Writes @def, durably; with @value (NULL: leave it) before it. @is_new: there was none. */
SUSPENDS bool definitions_save(const ValuePlace *place, const SecretDef *def,
                               const SecretBytes *value, bool is_new, GError **error);
/* Removes the definition, then the value. @ret_is_gone (untouched without) says whether the
 * definition is, even when the value could not be removed. */
SUSPENDS bool definitions_remove(const ValuePlace *place, bool *ret_is_gone, GError **error);

/* value_read() and value_write() in a thread. */
SUSPENDS bool definitions_read_value(const ValuePlace *place, SecretBytes **ret_value,
                                     GError **error);
SUSPENDS bool definitions_write_value(const ValuePlace *place, const SecretBytes *value,
                                      GError **error);
