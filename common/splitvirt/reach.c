#include "common/splitvirt/reach.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/splitvirt/account.h"

/* By the data base, or NULL: by what this process has. Lists may be long: not on the stack. */
static bool has_group(const char *user, gid_t gid)
{
    g_autofree gid_t *groups = g_new0(gid_t, NGROUPS_MAX);
    const struct passwd *entry = user ? getpwnam(user) : NULL;
    int n = NGROUPS_MAX;

    if (!user)
        n = getgroups(NGROUPS_MAX, groups);
    else if (!entry || getgrouplist(user, entry->pw_gid, groups, &n) < 0)
        return false;
    for (int i = 0; i < n; i++) {
        if (groups[i] == gid)
            return true;
    }
    return !user && gid == getegid();
}

/* What @status says of who may do it: "owner root, group libvirt, mode 0770". */
static char *describe(const struct stat *status)
{
    g_autofree char *owner = account_user_name(status->st_uid);
    g_autofree char *group = account_group_name(status->st_gid);

    return g_strdup_printf("owner %s, group %s, mode %04o", owner, group,
                           (unsigned)(status->st_mode & 07777));
}

static char *advise(const struct stat *status, const char *user, mode_t group_bit)
{
    g_autofree char *group = account_group_name(status->st_gid);

    if (!(status->st_mode & group_bit) || status->st_gid == 0)
        return g_strdup("connect as root, or have the daemon's unit or configuration open the "
                        "socket to a group");
    if (has_group(NULL, status->st_gid))
        return g_strdup("connect as root: a security module or an access list refuses this user");
    /* A session that is older than the membership does not have it. */
    if (has_group(user, status->st_gid))
        return g_strdup_printf("log in anew: %s is in group %s, but was not yet when this session "
                               "began",
                               user, group);
    return g_strdup_printf("usermod --append --groups %s %s, then log in anew", group, user);
}

static void refuse(const char *path, const char *what, mode_t group_bit, char **ret_problem,
                   char **ret_advice)
{
    struct stat status;
    g_autofree char *user = account_user_name(geteuid());
    g_autofree char *who = NULL;

    if (stat(path, &status) < 0) {
        *ret_problem = g_strdup_printf("user %s cannot %s %s: %s", user, what, path,
                                       g_strerror(errno));
        *ret_advice = g_strdup("connect as root");
        return;
    }
    who = describe(&status);
    *ret_problem = g_strdup_printf("user %s cannot %s %s (%s)", user, what, path, who);
    *ret_advice = advise(&status, user, group_bit);
}

/* The first folder from the top that this user may not pass; NULL: all let it through. */
static char *find_closed_folder(const char *path)
{
    for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        g_autofree char *folder = g_strndup(path, (gsize)(slash - path));

        if (faccessat(AT_FDCWD, folder, X_OK, AT_EACCESS) < 0 && errno == EACCES)
            return g_steal_pointer(&folder);
    }
    return NULL;
}

bool reach_check(const char *path, char **ret_problem, char **ret_advice)
{
    g_autofree char *folder = find_closed_folder(path);

    if (folder) {
        refuse(folder, "pass through", S_IXGRP, ret_problem, ret_advice);
        return false;
    }
    if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0 || errno != EACCES)
        return true;
    refuse(path, "connect to", S_IWGRP, ret_problem, ret_advice);
    return false;
}
