#include "virtqemud/qemu_user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <unistd.h>

/* Room for one entry of the data bases; a group with more members than fit into the largest
 * counts as missing. */
#define ENTRY_BYTES 4096
#define ENTRY_MAX_BYTES (4 * 1024 * 1024)
#define MAX_GROUPS 65536

/* Debian's and Fedora's packages. */
static const char *const usual_names[] = { "libvirt-qemu", "qemu" };

static bool is_number(const char *text, guint64 *ret_number)
{
    return g_ascii_string_to_unsigned(text, 10, 0, UINT32_MAX - 1, ret_number, NULL);
}

/* The reentrant calls: this runs in a thread while others may look up users too. */
static bool user_by_name(const char *name, uid_t *ret_uid, gid_t *ret_gid)
{
    for (size_t size = ENTRY_BYTES; size <= ENTRY_MAX_BYTES; size *= 4) {
        g_autofree char *buffer = g_malloc(size);
        struct passwd entry, *found = NULL;
        int result = getpwnam_r(name, &entry, buffer, size, &found);

        if (result == ERANGE)
            continue;
        if (result != 0 || !found)
            return false;
        *ret_uid = found->pw_uid;
        *ret_gid = found->pw_gid;
        return true;
    }
    return false;
}

static char *user_name(uid_t uid)
{
    g_autofree char *buffer = g_malloc(ENTRY_BYTES);
    struct passwd entry, *found = NULL;

    if (getpwuid_r(uid, &entry, buffer, ENTRY_BYTES, &found) != 0 || !found)
        return NULL;
    return g_strdup(found->pw_name);
}

static bool group_by_name(const char *name, gid_t *ret_gid)
{
    for (size_t size = ENTRY_BYTES; size <= ENTRY_MAX_BYTES; size *= 4) {
        g_autofree char *buffer = g_malloc(size);
        struct group entry, *found = NULL;
        int result = getgrnam_r(name, &entry, buffer, size, &found);

        if (result == ERANGE)
            continue;
        if (result != 0 || !found)
            return false;
        *ret_gid = found->gr_gid;
        return true;
    }
    return false;
}

bool qemu_user_find_uid(const char *text, uid_t *ret_uid)
{
    guint64 number;
    gid_t gid;

    if (*text != '+' && user_by_name(text, ret_uid, &gid))
        return true;
    if (!is_number(*text == '+' ? text + 1 : text, &number))
        return false;
    *ret_uid = (uid_t)number;
    return true;
}

bool qemu_user_find_gid(const char *text, gid_t *ret_gid)
{
    guint64 number;

    if (*text != '+' && group_by_name(text, ret_gid))
        return true;
    if (!is_number(*text == '+' ? text + 1 : text, &number))
        return false;
    *ret_gid = (gid_t)number;
    return true;
}

/* A user without an account has its group alone. */
static GArray *groups_of(uid_t uid, gid_t gid)
{
    g_autoptr(GArray) groups = g_array_new(FALSE, TRUE, sizeof(gid_t));
    g_autofree char *name = user_name(uid);
    int n = 32;

    if (!name) {
        g_array_append_val(groups, gid);
        return g_steal_pointer(&groups);
    }
    do
        g_array_set_size(groups, (guint)n);
    while (getgrouplist(name, gid, (gid_t *)(void *)groups->data, &n) < 0 &&
           n > (int)groups->len && n <= MAX_GROUPS);
    g_array_set_size(groups, MIN((guint)n, groups->len));
    return g_steal_pointer(&groups);
}

/* The account of existing installations. */
static bool find_usual(uid_t *ret_uid)
{
    for (size_t i = 0; i < G_N_ELEMENTS(usual_names); i++) {
        gid_t gid;
        if (user_by_name(usual_names[i], ret_uid, &gid))
            return true;
    }
    return false;
}

/* The group of that name, or else the first group of the user. */
static gid_t default_gid(uid_t uid)
{
    g_autofree char *name = user_name(uid);
    uid_t ignored;
    gid_t gid;

    for (size_t i = 0; i < G_N_ELEMENTS(usual_names); i++) {
        if (group_by_name(usual_names[i], &gid))
            return gid;
    }
    return name && user_by_name(name, &ignored, &gid) ? gid : (gid_t)uid;
}

bool qemu_user_resolve(QemuUser *user, const char *name, const char *group,
                       const char **ret_missing)
{
    uid_t uid = 0;
    gid_t gid = 0;

    *ret_missing = NULL;
    bool is_found = name ? qemu_user_find_uid(name, &uid) : find_usual(&uid);
    bool is_fallback = !name && !is_found;
    if (name && !is_found)
        *ret_missing = "user";
    else if (group && !qemu_user_find_gid(group, &gid))
        *ret_missing = "group";
    if (*ret_missing)
        return false;
    if (!group && !is_fallback)
        gid = default_gid(uid);
    qemu_user_clear(user);
    *user = (QemuUser){
        .is_switched = true,
        .is_fallback = is_fallback,
        .uid = uid,
        .gid = gid,
        .groups = groups_of(uid, gid),
    };
    return true;
}

void qemu_user_set_own(QemuUser *user)
{
    qemu_user_clear(user);
    *user = (QemuUser){ .uid = geteuid(), .gid = getegid() };
    user->groups = groups_of(user->uid, user->gid);
}

void qemu_user_clear(QemuUser *user)
{
    g_clear_pointer(&user->groups, g_array_unref);
}
