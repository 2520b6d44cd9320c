#include "virtqemud/host/image_chain.h"

#include <string.h>

#include "base/error.h"
#include "virtqemud/host/image_info.h"
#include "virtqemud/host/ownership.h"

/* One walk down a chain. */
typedef struct Walk {
    FileWorkers *workers;
    const QemuUser *user;
    uint64_t deadline_us;
    const DiskSource *top;
} Walk;

static bool fail(ErrorCode code, const char *path, const char *reason, GError **error)
{
    error_set(error, VIR_FROM_STORAGE, code, "image '%s': %s", path, reason);
    return false;
}

/* The head of @source, whose name stands in @above (NULL: in the definition). */
static bool read_head(const Walk *walk, const DiskSource *source, const DiskSource *above,
                      FileAnswer *ret_answer, GError **error)
{
    if (!file_workers_call(walk->workers, FILE_OP_HEAD, 0, source->path, NULL, NULL,
                           walk->deadline_us, ret_answer, error))
        return false;
    int errnum = ret_answer->reply.errnum;
    if (errnum == 0)
        return true;
    if (above)
        error_set_errno(error, VIR_FROM_STORAGE, errnum, "Cannot access backing file '%s' of "
                        "storage file '%s' (as uid:%u, gid:%u)", source->path, above->path,
                        walk->user->uid, walk->user->gid);
    else
        file_set_access_error(source->path, walk->user, errnum, error);
    return false;
}

static bool parse_head(const DiskSource *source, const FileAnswer *answer, ImageInfo *ret_info,
                       GError **error)
{
    g_autoptr(GError) reason = NULL;

    if (!image_info_parse(answer->data, answer->reply.length, ret_info, &reason))
        return fail(VIR_ERR_OPERATION_FAILED, source->path, error_detail(reason), error);
    if (ret_info->has_data_file)
        return fail(VIR_ERR_CONFIG_UNSUPPORTED, source->path,
                    "its data is in a file of its own, which this version does not support",
                    error);
    return true;
}

/* Without a record of the format a header could be a guest's forgery: what it names is not
 * opened. */
static bool guess_format(const Walk *walk, DiskSource *source, const DiskSource *above,
                         GError **error)
{
    g_auto(FileAnswer) answer = { 0 };
    g_auto(ImageInfo) info = { 0 };

    if (!read_head(walk, source, above, &answer, error))
        return false;
    source->format = DISK_FORMAT_RAW;
    if (!image_info_parse(answer.data, answer.reply.length, &info, NULL))
        return true;
    source->format = DISK_FORMAT_QCOW2;
    if (!info.backing_path && !info.has_data_file)
        return true;
    error_set(error, VIR_FROM_STORAGE, VIR_ERR_OPERATION_INVALID,
              "format of backing image '%s' of image '%s' was not specified in the image metadata",
              source->path, above->path);
    return false;
}

static bool set_format(const Walk *walk, DiskSource *source, const DiskSource *above,
                       const char *format, GError **error)
{
    if (!format)
        return guess_format(walk, source, above, error);
    if (g_str_equal(format, "raw"))
        source->format = DISK_FORMAT_RAW;
    else if (g_str_equal(format, "qcow2"))
        source->format = DISK_FORMAT_QCOW2;
    else
        return fail(VIR_ERR_CONFIG_UNSUPPORTED, above->path,
                    "its backing file is in a format that this version does not know", error);
    return true;
}

static bool is_in_chain(const Walk *walk, const char *path)
{
    unsigned n = 0;

    for (const DiskSource *source = walk->top; source; source = source->backing) {
        if (n++ >= IMAGE_CHAIN_MAX || (source->path && g_str_equal(source->path, path)))
            return true;
    }
    return false;
}

/* Adds the image below @source, if there is one. */
static bool step_down(const Walk *walk, DiskSource *source, const DiskSource *above, GError **error)
{
    g_auto(FileAnswer) answer = { 0 };
    g_auto(ImageInfo) info = { 0 };

    if (source->format == DISK_FORMAT_NONE)
        source->format = DISK_FORMAT_RAW;
    /* A raw image is not looked into; a backing file is only looked for, to say who names it. */
    if ((source->format != DISK_FORMAT_RAW || above) &&
        !read_head(walk, source, above, &answer, error))
        return false;
    if (source->format == DISK_FORMAT_QCOW2 && !parse_head(source, &answer, &info, error))
        return false;
    if (!info.backing_path) {
        source->is_chain_end = true;
        return true;
    }
    g_autofree char *path = image_backing_path(source->path, info.backing_path);
    if (!path)
        return fail(VIR_ERR_CONFIG_UNSUPPORTED, source->path,
                    "its backing file is not a local file, which this version does not support",
                    error);
    if (is_in_chain(walk, path))
        return fail(VIR_ERR_OPERATION_FAILED, source->path, "its chain of backing files has no end",
                    error);
    source->backing = disk_source_new();
    source->backing->path = g_steal_pointer(&path);
    return set_format(walk, source->backing, source, info.backing_format, error);
}

bool image_chain_complete(FileWorkers *workers, DiskSource *top, const QemuUser *user,
                          uint64_t deadline_us, GError **error)
{
    const Walk walk = { workers, user, deadline_us, top };
    DiskSource *source = top;
    const DiskSource *above = NULL;

    while (!source->is_chain_end) {
        if (!source->backing && !step_down(&walk, source, above, error))
            return false;
        above = source;
        if (!source->backing)
            break;
        source = source->backing;
    }
    return true;
}
