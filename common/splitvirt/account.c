#include "common/splitvirt/account.h"

#include <glib.h>
#include <grp.h>
#include <pwd.h>

/* One thread: what these return stays until the next call. */
char *account_user_name(uid_t uid)
{
    const struct passwd *entry = getpwuid(uid);

    return entry ? g_strdup(entry->pw_name) : g_strdup_printf("%u", (unsigned)uid);
}

char *account_group_name(gid_t gid)
{
    const struct group *entry = getgrgid(gid);

    return entry ? g_strdup(entry->gr_name) : g_strdup_printf("%u", (unsigned)gid);
}
