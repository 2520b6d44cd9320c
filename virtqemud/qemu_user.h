/* The user as whom QEMU runs. Found once, when the configuration is loaded: starting a guest
 * then asks no data base of users, which may be slow or far away. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include <glib.h>

typedef struct QemuUser {
    bool is_switched; /* QEMU becomes this user; false: it stays the daemon's, as in a session */
    bool is_fallback; /* nothing was set and there is no usual account: root */
    uid_t uid;
    gid_t gid;
    GArray *groups; /* of gid_t: all supplementary groups */
} QemuUser;

/* A name, or a number if there is no such name; "+77" is always a number. False when there is
 * neither. */
bool qemu_user_find_uid(const char *text, uid_t *ret_uid);
bool qemu_user_find_gid(const char *text, gid_t *ret_gid);

/* Fills @user for a privileged daemon: @name and @group as configured, or NULL: the account of
 * existing installations (libvirt-qemu, or qemu), or root where there is none.
 * False with *@ret_missing, "user" or "group", when what is configured does not exist. */
bool qemu_user_resolve(QemuUser *user, const char *name, const char *group,
                       const char **ret_missing);
/* The daemon's own user. */
void qemu_user_set_own(QemuUser *user);
void qemu_user_clear(QemuUser *user);
