/* Leases come before disks, as existing daemons have it. */
#include "virtqemud/lock/lockd_plan.h"

#include "base/error.h"
#include "virtqemud/lock/block_id.h"

/* In the folder @space: under @id (taken over), or under a name that stands for the path. */
static void add_indirect(GPtrArray *requests, LockRequest *request, const char *space, char *id,
                         const char *path)
{
    g_autofree char *name =
        id ? id : g_compute_checksum_for_string(G_CHECKSUM_SHA256, path, -1);

    request->space = (char *)space;
    request->name = name;
    request->makes_file = true;
    lock_requests_add(requests, request);
}

static void add_disk(const QemuLockdConf *conf, const DiskDef *disk, GPtrArray *requests)
{
    g_autofree char *subject = g_strdup_printf("disk '%s' ('%s')", disk->target,
                                               disk->source->path);
    LockRequest request = { .subject = subject, .is_shared = disk->is_shareable };
    bool is_block = disk->source->type == DISK_SOURCE_BLOCK;
    char *path = disk->source->path;
    char *lvm = is_block && conf->lvm_lockspace_dir ? block_id_lvm(path) : NULL;
    char *scsi = is_block && !lvm && conf->scsi_lockspace_dir ? block_id_scsi(path) : NULL;

    if (lvm) {
        add_indirect(requests, &request, conf->lvm_lockspace_dir, lvm, path);
    } else if (scsi) {
        add_indirect(requests, &request, conf->scsi_lockspace_dir, scsi, path);
    } else if (conf->file_lockspace_dir) {
        add_indirect(requests, &request, conf->file_lockspace_dir, NULL, path);
    } else {
        request.space = (char *)"";
        request.name = path;
        lock_requests_add(requests, &request);
    }
}

static bool add_lease(const LeaseDef *lease, GPtrArray *requests, GError **error)
{
    g_autofree char *subject = g_strdup_printf("lease '%s'", lease->key);
    g_autofree char *space = g_build_filename(lease->path, lease->lockspace, NULL);
    LockRequest request = {
        .space = space, .name = lease->key, .subject = subject, .is_lease = true
    };

    if (lease->offset) {
        error_set(error, VIR_FROM_LOCKING, VIR_ERR_INTERNAL_ERROR,
                  "Offset must be zero for this lock manager (lockd): that of lease '%s' is %"
                  G_GUINT64_FORMAT, lease->key, lease->offset);
        return false;
    }
    lock_requests_add(requests, &request);
    return true;
}

static bool is_written(const DiskDef *disk)
{
    return disk->source->path && !disk->is_readonly && disk->device != DISK_CDROM;
}

bool lockd_plan(const QemuConf *conf, const DomainDef *def, GPtrArray *requests, GError **error)
{
    const QemuLockdConf *lockd = &conf->lockd;

    for (guint i = 0; i < def->leases->len; i++) {
        if (!add_lease(g_ptr_array_index(def->leases, i), requests, error))
            return false;
    }
    for (guint i = 0; i < def->disks->len; i++) {
        const DiskDef *disk = g_ptr_array_index(def->disks, i);

        if (!is_written(disk))
            continue;
        if (lockd->require_lease_for_disks && !disk->is_shareable && def->leases->len == 0) {
            error_set(error, VIR_FROM_LOCKING, VIR_ERR_CONFIG_UNSUPPORTED,
                      "Read/write, exclusive access, disks were present, but no leases specified: "
                      "disk '%s' needs one (qemu-lockd.conf: require_lease_for_disks)",
                      disk->target);
            return false;
        }
        if (lockd->auto_disk_leases)
            add_disk(lockd, disk, requests);
    }
    return true;
}
