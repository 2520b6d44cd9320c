/* Locks by way of sanlock, which are leases in files that all hosts share. Its library waits as long
 * as it likes, so it is spoken to by a program of ours that can be killed (virtqemud/sanlock). The
 * guest's process makes itself known before it is QEMU, and sanlock gives everything back when it
 * ends; a host that loses its leases has its guests ended by sanlock. */
#include <string.h>

#include "base/error.h"
#include "base/helper_program.h"
#include "fiber/process.h"
#include "virtqemud/lock/lock_manager.h"

#define HELPER "splitvirt_sanlock"
/* Of the leases that are made for disks, as existing installations call it. */
#define DISK_SPACE "__LIBVIRT__DISKS__"
/* What sanlock allows. */
#define NAME_MAX_BYTES 47
#define MAX_LOCKS 8
#define STATUS_BUSY 2

/* ---- What is needed ---- */

static bool check_name(const char *what, const char *name, GError **error)
{
    if (strlen(name) <= NAME_MAX_BYTES)
        return true;
    error_set(error, VIR_FROM_LOCKING, VIR_ERR_INTERNAL_ERROR,
              "%s '%s' is longer than the %d bytes that sanlock allows", what, name,
              NAME_MAX_BYTES);
    return false;
}

static bool add_lease(const LeaseDef *lease, GPtrArray *requests, GError **error)
{
    g_autofree char *subject = g_strdup_printf("lease '%s'", lease->key);
    const LockRequest request = {
        .space = lease->lockspace, .name = lease->key, .path = lease->path,
        .subject = subject, .is_lease = true, .offset = lease->offset
    };

    if (!check_name("lock space", lease->lockspace, error) ||
        !check_name("key", lease->key, error))
        return false;
    lock_requests_add(requests, &request);
    return true;
}

static void add_disk(const QemuSanlockConf *conf, const DiskDef *disk, GPtrArray *requests)
{
    const char *path = disk->source->path;
    g_autofree char *name = g_compute_checksum_for_string(G_CHECKSUM_MD5, path, -1);
    g_autofree char *file = g_build_filename(conf->disk_lease_dir, name, NULL);
    g_autofree char *subject = g_strdup_printf("disk '%s' ('%s')", disk->target, path);
    const LockRequest request = {
        .space = (char *)DISK_SPACE, .name = name, .path = file, .subject = subject,
        .is_shared = disk->is_shareable, .makes_file = true
    };

    lock_requests_add(requests, &request);
}

/* sanlock ends guests that lose their locks, and this is all that it is told to do. */
static bool check_action(const DomainDef *def, GError **error)
{
    if (def->on_lockfailure == LOCK_FAILURE_DEFAULT ||
        def->on_lockfailure == LOCK_FAILURE_POWEROFF)
        return true;
    error_set(error, VIR_FROM_LOCKING, VIR_ERR_CONFIG_UNSUPPORTED,
              "Failure action %s is not supported by sanlock",
              lock_failure_action_names[def->on_lockfailure]);
    return false;
}

static bool plan(const QemuConf *conf, const DomainDef *def, GPtrArray *requests, GError **error)
{
    const QemuSanlockConf *sanlock = &conf->sanlock;

    for (guint i = 0; i < def->leases->len; i++) {
        if (!add_lease(g_ptr_array_index(def->leases, i), requests, error))
            return false;
    }
    for (guint i = 0; i < def->disks->len; i++) {
        const DiskDef *disk = g_ptr_array_index(def->disks, i);

        if (!disk->source->path || disk->is_readonly || disk->device == DISK_CDROM)
            continue;
        if (sanlock->require_lease_for_disks && !disk->is_shareable && def->leases->len == 0) {
            error_set(error, VIR_FROM_LOCKING, VIR_ERR_CONFIG_UNSUPPORTED,
                      "Read/write, exclusive access, disks were present, but no leases specified: "
                      "disk '%s' needs one (qemu-sanlock.conf: require_lease_for_disks)",
                      disk->target);
            return false;
        }
        if (sanlock->auto_disk_leases)
            add_disk(sanlock, disk, requests);
    }
    if (requests->len <= MAX_LOCKS)
        return check_action(def, error);
    error_set(error, VIR_FROM_LOCKING, VIR_ERR_CONFIG_UNSUPPORTED,
              "%u disks and leases are more than the %d that sanlock allows for a guest",
              requests->len, MAX_LOCKS);
    return false;
}

/* ---- The helper ---- */

SUSPENDS static bool run_helper(GPtrArray *argv, uint64_t deadline_us, GError **error)
{
    g_auto(ProcessResult) result = { 0 };
    ProcessSpec spec = { .deadline_us = deadline_us };

    g_ptr_array_add(argv, NULL);
    spec.argv = (const char *const *)argv->pdata;
    if (!process_run(&spec, &result, error))
        return false;
    if (result.exit_status == 0)
        return true;
    g_strchomp(result.error_output->str);
    if (result.exit_status < 0)
        error_set(error, VIR_FROM_LOCKING, VIR_ERR_INTERNAL_ERROR,
                  "%s was ended by signal %d", HELPER, result.signal);
    else
        error_set(error, VIR_FROM_LOCKING,
                  result.exit_status == STATUS_BUSY ? VIR_ERR_RESOURCE_BUSY
                                                    : VIR_ERR_OPERATION_FAILED,
                  "%s", result.error_output->str);
    return false;
}

static GPtrArray *helper_argv(const char *command)
{
    GPtrArray *argv = g_ptr_array_new_with_free_func(g_free);

    g_ptr_array_add(argv, helper_program_find(HELPER));
    g_ptr_array_add(argv, g_strdup(command));
    return argv;
}

static void add_number(GPtrArray *argv, int64_t number)
{
    g_ptr_array_add(argv, g_strdup_printf("%" G_GINT64_FORMAT, number));
}

static void add_request(GPtrArray *argv, const LockRequest *request)
{
    g_ptr_array_add(argv, g_strdup(request->space));
    g_ptr_array_add(argv, g_strdup(request->name));
    g_ptr_array_add(argv, g_strdup(request->path ? request->path : ""));
    g_ptr_array_add(argv, g_strdup_printf("%" G_GUINT64_FORMAT, request->offset));
    g_ptr_array_add(argv, g_strdup_printf("-%s%s", request->is_shared ? "s" : "",
                                          request->makes_file ? "f" : ""));
}

/* ---- The manager ---- */

/* Takes seconds the first time after the host has booted, and no time later. */
SUSPENDS static bool join_disk_space(const QemuSanlockConf *conf, uint64_t deadline_us,
                                     GError **error)
{
    g_autoptr(GPtrArray) argv = helper_argv("lockspace");
    g_autoptr(GError) reason = NULL;

    g_ptr_array_add(argv, g_strdup(DISK_SPACE));
    add_number(argv, conf->host_id);
    g_ptr_array_add(argv, g_build_filename(conf->disk_lease_dir, DISK_SPACE, NULL));
    add_number(argv, conf->io_timeout);
    add_number(argv, conf->uid);
    add_number(argv, conf->gid);
    if (run_helper(argv, deadline_us, &reason))
        return true;
    error_set(error, VIR_FROM_LOCKING, (ErrorCode)reason->code,
              "sanlock cannot use the lock space of disks (qemu-sanlock.conf: disk_lease_dir, "
              "host_id): %s", error_detail(reason));
    return false;
}

static bool needs_disk_space(const GPtrArray *requests)
{
    for (guint i = 0; i < requests->len; i++) {
        if (((const LockRequest *)g_ptr_array_index(requests, i))->makes_file)
            return true;
    }
    return false;
}

static bool acquire_one(const LockOwner *owner, const QemuSanlockConf *conf,
                        const LockRequest *request, uint64_t deadline_us, GError **error)
{
    g_autoptr(GPtrArray) argv = helper_argv("acquire");
    g_autoptr(GError) reason = NULL;

    add_number(argv, owner->pid);
    g_ptr_array_add(argv, g_strdup(owner->name));
    add_number(argv, conf->uid);
    add_number(argv, conf->gid);
    add_request(argv, request);
    if (run_helper(argv, deadline_us, &reason))
        return true;
    error_set(error, VIR_FROM_LOCKING, (ErrorCode)reason->code,
              "%s of domain '%s' cannot be locked in sanlock's lock space %s: %s",
              request->subject, owner->name, request->space, error_detail(reason));
    return false;
}

static bool release(Driver *driver, const LockOwner *owner, const GPtrArray *requests,
                    uint64_t deadline_us, GError **error)
{
    g_autoptr(GPtrArray) argv = helper_argv("release");

    add_number(argv, owner->pid);
    for (guint i = 0; i < requests->len; i++)
        add_request(argv, g_ptr_array_index(requests, i));
    return run_helper(argv, deadline_us, error);
}

static bool acquire(Driver *driver, const LockOwner *owner, const GPtrArray *requests,
                    uint64_t deadline_us, GError **error)
{
    g_autoptr(QemuConf) conf = qemu_conf_ref(driver->conf);

    if (needs_disk_space(requests) && !join_disk_space(&conf->sanlock, deadline_us, error))
        return false;
    for (guint i = 0; i < requests->len; i++) {
        if (acquire_one(owner, &conf->sanlock, g_ptr_array_index(requests, i), deadline_us, error))
            continue;
        if (i > 0)
            release(driver, owner, requests, deadline_us, NULL);
        return false;
    }
    return true;
}

const LockManager lock_manager_sanlock = {
    .name = "sanlock",
    .plan = plan,
    .entering_program = HELPER,
    .acquire = acquire,
    .release = release,
};
