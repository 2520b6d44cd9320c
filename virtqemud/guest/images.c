/* Images may lie on a file system that hangs: everything here goes through workers that can be
 * given up (host/file_worker.h). */
#include "virtqemud/guest/images.h"

#include <errno.h>
#include <glib/gstdio.h>

#include "base/log.h"
#include "virtqemud/host/image_chain.h"
#include "virtqemud/host/owner_journal.h"
#include "virtqemud/host/ownership.h"
#include "virtqemud/qemu/command.h"

LOG_INIT("qemu.images");

/* For all images of a guest together. */
#define IMAGES_MS 60000
/* For what a worker of a daemon before us may still do, and how often it is looked at. */
#define SETTLE_MS 10000
#define SETTLE_STEP_US 20000

/* What is given back at the end is what the workers have noted here. */
static char *journal_path(const Guest *guest)
{
    g_autofree char *name = g_strconcat(guest->domain->object.name, ".files", NULL);

    return g_build_filename(guest->driver->folders->run_dir, name, NULL);
}

static bool was_released(const Guest *guest, const char *path)
{
    return guest->released_files &&
           g_ptr_array_find_with_equal_func(guest->released_files, path, g_str_equal, NULL);
}

static bool take(Guest *guest, const char *path, FileUse use, bool is_writable,
                 uint64_t deadline_us, GError **error)
{
    g_autofree char *journal = file_owners_change(guest->conf) ? journal_path(guest) : NULL;
    g_autoptr(GError) reason = NULL;
    bool is_taken;

    if (!path)
        return true;
    is_taken = file_take(guest->driver->file_workers, guest->conf, path, journal, use, is_writable,
                         deadline_us, &reason);
    if (guest->phase == GUEST_ENDING) {
        /* Ended meanwhile: what was on record was given back, and nobody looks any more. */
        if (is_taken && !was_released(guest, path))
            file_give_back(guest->driver->file_workers, guest->conf, path, NULL, use, deadline_us,
                           NULL);
        error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED,
                  "domain '%s' was ended while it was starting", guest->domain->object.name);
        return false;
    }
    if (!is_taken)
        g_propagate_error(error, g_steal_pointer(&reason));
    return is_taken;
}

static bool is_shared(const DiskDef *disk)
{
    return disk->is_readonly || disk->is_shareable || disk->device == DISK_CDROM;
}

/* Backing images are shared and only read, whatever the disk is. */
static bool take_disk(Guest *guest, const DiskDef *disk, uint64_t deadline_us, GError **error)
{
    if (!take(guest, disk->source->path, is_shared(disk) ? FILE_USE_SHARED : FILE_USE_EXCLUSIVE,
              !disk->is_readonly, deadline_us, error))
        return false;
    for (const DiskSource *source = disk->source->backing; source; source = source->backing) {
        if (!take(guest, source->path, FILE_USE_SHARED, false, deadline_us, error))
            return false;
    }
    return true;
}

/* What the start-up policy allows: a medium that is not there is left out. */
static bool may_be_missing(const DiskDef *disk)
{
    return disk->startup_policy == STARTUP_OPTIONAL || disk->startup_policy == STARTUP_REQUISITE;
}

static bool prepare_disk(Guest *guest, DiskDef *disk, uint64_t deadline_us, GError **error)
{
    g_autoptr(GError) reason = NULL;

    if (!disk->source->path)
        return true;
    if (image_chain_complete(guest->driver->file_workers, disk->source, &guest->conf->run_as,
                             deadline_us, &reason) &&
        take_disk(guest, disk, deadline_us, &reason))
        return true;
    if (!may_be_missing(disk) || disk->startup_policy == STARTUP_REQUISITE) {
        g_propagate_error(error, g_steal_pointer(&reason));
        return false;
    }
    LOG_WARN("domain '%s' starts without %s: %s", guest->domain->object.name, disk->target,
             reason->message);
    disk_source_free(disk->source);
    disk->source = disk_source_new();
    disk->startup_policy = STARTUP_DEFAULT;
    return true;
}

/* A drive without its medium stays; a disk that is only that goes as a whole. */
static bool is_left_out(const DiskDef *disk)
{
    return !disk->source->path && disk->device != DISK_CDROM && disk->device != DISK_FLOPPY;
}

bool guest_images_prepare(Guest *guest, GError **error)
{
    uint64_t deadline_us = fiber_deadline_ms(IMAGES_MS);
    g_autofree char *journal = journal_path(guest);
    const DomainOs *os = &guest->def->os;

    if (file_owners_change(guest->conf) && !owner_journal_create(journal, error))
        return false;
    for (guint i = 0; i < guest->def->disks->len;) {
        if (!prepare_disk(guest, guest->def->disks->pdata[i], deadline_us, error))
            return false;
        if (is_left_out(guest->def->disks->pdata[i]))
            g_ptr_array_remove_index(guest->def->disks, i);
        else
            disk_fill_live(guest->def->disks->pdata[i++]);
    }
    if (!take(guest, os->kernel, FILE_USE_EXCLUSIVE, false, deadline_us, error) ||
        !take(guest, os->initrd, FILE_USE_EXCLUSIVE, false, deadline_us, error) ||
        !take(guest, os->dtb, FILE_USE_EXCLUSIVE, false, deadline_us, error))
        return false;
    disk_nodes_assign(guest->def, &guest->first_free_node);
    return true;
}

/* Not for one that hangs. */
SUSPENDS static void settle(const char *journal)
{
    uint64_t deadline_us = fiber_deadline_ms(SETTLE_MS);

    while (owner_journal_is_busy(journal) && fiber_now_us() < deadline_us) {
        if (!fiber_sleep(SETTLE_STEP_US, NULL))
            return;
    }
}

void guest_images_release(Guest *guest)
{
    g_autofree char *journal = journal_path(guest);
    uint64_t deadline_us = fiber_deadline_ms(IMAGES_MS);
    GPtrArray *files;

    if (guest->is_found_again)
        settle(journal);
    guest->released_files = files = owner_journal_read(journal);
    for (guint i = 0; i < files->len && !fiber_is_cancelled(fiber_current()); i++) {
        const char *path = files->pdata[i];
        g_autoptr(GError) error = NULL;

        if (!file_give_back(guest->driver->file_workers, guest->conf, path, journal,
                            FILE_USE_EXCLUSIVE, deadline_us, &error) &&
            !fiber_is_cancelled(fiber_current()))
            LOG_WARN("%s keeps QEMU's user as its owner: %s", path, error->message);
    }
}

void guest_images_forget(const Guest *guest)
{
    g_autofree char *journal = journal_path(guest);

    if (g_unlink(journal) && errno != ENOENT)
        LOG_WARN("cannot remove %s: %s", journal, g_strerror(errno));
}

static void note(const char *journal, const char *path)
{
    g_autoptr(GError) error = NULL;

    if (path && !owner_journal_add(journal, path, &error))
        LOG_GERROR(error);
}

/* Existing daemons take what the definition names, and keep no such journal. */
void guest_images_adopt(const Guest *guest)
{
    const DomainOs *os = &guest->def->os;
    g_autofree char *journal = journal_path(guest);

    if (!file_owners_change(guest->conf) || g_file_test(journal, G_FILE_TEST_EXISTS))
        return;
    for (guint i = 0; i < guest->def->disks->len; i++) {
        const DiskDef *disk = guest->def->disks->pdata[i];

        if (!is_shared(disk))
            note(journal, disk->source->path);
    }
    note(journal, os->kernel);
    note(journal, os->initrd);
    note(journal, os->dtb);
}
