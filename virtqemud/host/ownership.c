#include "virtqemud/host/ownership.h"

#include <errno.h>

#include "base/error.h"
#include "base/log.h"

LOG_INIT("qemu.ownership");

void file_set_access_error(const char *path, const QemuUser *user, int errnum, GError **error)
{
    if (!user->is_switched)
        error_set_errno(error, VIR_FROM_STORAGE, errnum, "Cannot access storage file '%s'", path);
    else
        error_set_errno(error, VIR_FROM_STORAGE, errnum,
                        "Cannot access storage file '%s' (as uid:%u, gid:%u)", path, user->uid,
                        user->gid);
}

bool file_owners_change(const QemuConf *conf)
{
    return conf->run_as.is_switched && conf->dynamic_ownership;
}

/* Read-only file systems, those without owners, and servers that do not trust our root: whether
 * the file can be used nevertheless shows when that is tried. */
static bool owner_may_stay(int errnum)
{
    return errnum == EROFS || errnum == EPERM || errnum == EACCES || errnum == EINVAL ||
           errnum == ENOTSUP || errnum == ENOSYS;
}

static bool take_owner(FileWorkers *workers, const QemuConf *conf, const char *path,
                       const char *journal, FileUse use, uint64_t deadline_us,
                       bool *ret_is_taken, GError **error)
{
    bool remembers = use == FILE_USE_EXCLUSIVE && conf->remember_owner;
    g_auto(FileAnswer) answer = { 0 };

    if (use == FILE_USE_SHARED)
        journal = NULL; /* is not given back */
    if (!file_workers_call(workers, FILE_OP_TAKE, remembers ? FILE_FLAG_REMEMBER : 0, path, journal,
                           &conf->run_as, deadline_us, &answer, error))
        return false;
    *ret_is_taken = answer.reply.errnum == 0;
    if (answer.reply.errnum == 0 || owner_may_stay(answer.reply.errnum))
        return true;
    file_set_access_error(path, &conf->run_as, answer.reply.errnum, error);
    return false;
}

static bool check_access(FileWorkers *workers, const QemuConf *conf, const char *path,
                         bool is_writable, uint64_t deadline_us, GError **error)
{
    g_auto(FileAnswer) answer = { 0 };

    if (!file_workers_call(workers, FILE_OP_ACCESS, is_writable ? FILE_FLAG_WRITE : 0, path,
                           NULL, &conf->run_as, deadline_us, &answer, error))
        return false;
    if (answer.reply.errnum != 0)
        file_set_access_error(path, &conf->run_as, answer.reply.errnum, error);
    return answer.reply.errnum == 0;
}

bool file_take(FileWorkers *workers, const QemuConf *conf, const char *path, const char *journal,
               FileUse use, bool is_writable, uint64_t deadline_us, GError **error)
{
    g_autoptr(GError) ignored = NULL;
    bool is_taken = false;

    if (file_owners_change(conf) &&
        !take_owner(workers, conf, path, journal, use, deadline_us, &is_taken, error))
        return false;
    if (check_access(workers, conf, path, is_writable, deadline_us, error))
        return true;
    /* A count that was not raised is that of others. */
    if (is_taken && !file_give_back(workers, conf, path, journal, use, deadline_us, &ignored))
        LOG_WARN("%s", ignored->message);
    return false;
}

bool file_give_back(FileWorkers *workers, const QemuConf *conf, const char *path,
                    const char *journal, FileUse use, uint64_t deadline_us, GError **error)
{
    g_auto(FileAnswer) answer = { 0 };

    /* Others may use it: there is no owner to whom it could go. */
    if (!file_owners_change(conf) || use == FILE_USE_SHARED)
        return true;
    if (!file_workers_call(workers, FILE_OP_GIVE_BACK, conf->remember_owner ? 0 : FILE_FLAG_ROOT,
                           path, journal, NULL, deadline_us, &answer, error))
        return false;
    if (answer.reply.errnum == 0 || answer.reply.errnum == ENOENT ||
        owner_may_stay(answer.reply.errnum))
        return true;
    error_set_errno(error, VIR_FROM_STORAGE, answer.reply.errnum,
                    "cannot give '%s' back to its owner", path);
    return false;
}
