/* Volumes: downloads make their bytes up, uploads are counted and forgotten. The volume's
 * name says how: bytes-N, holes-N, abort-N, leave-N, silent for downloads; take, slow-US,
 * never, abort-N, again for uploads. */
#include <string.h>

#include "base/error.h"
#include "common/stream.h"
#include "kitd.h"
#include "wire/remote.h"
#include "wire/remote_storage.h"

#define BLOCK_BYTES (64 * 1024)

typedef struct Transfer {
    Kitd *kitd;
    char *name;
} Transfer;

static Transfer *transfer_new(Call *call, const char *name)
{
    Transfer *transfer = g_new0(Transfer, 1);

    transfer->kitd = daemon_get_driver_data(call_get_daemon(call));
    transfer->kitd->n_waiting++;
    transfer->name = g_strdup(name);
    return transfer;
}

static void transfer_free(void *data)
{
    Transfer *transfer = data;

    transfer->kitd->n_waiting--;
    g_free(transfer->name);
    g_free(transfer);
}

static bool transfer_is(const Transfer *transfer, const char *prefix)
{
    return g_str_has_prefix(transfer->name, prefix);
}

static void transfer_abort(Stream *stream)
{
    g_autoptr(GError) error = NULL;

    error_set(&error, VIR_FROM_STORAGE, VIR_ERR_OPERATION_FAILED, "the disk is gone");
    stream_abort(stream, error);
}

static bool download_send(Stream *stream, const Transfer *transfer, GError **error)
{
    uint8_t block[BLOCK_BYTES];
    uint64_t left = kitd_number(transfer->name);
    bool is_hole = false;

    memset(block, 'd', sizeof(block));
    for (; left > 0; is_hole = !is_hole) {
        size_t part = MIN(left, sizeof(block));

        if (is_hole && transfer_is(transfer, "holes")) {
            if (!stream_send_hole(stream, (int64_t)part, error))
                return false;
        } else if (!stream_send(stream, block, part, error)) {
            return false;
        }
        left -= part;
    }
    return true;
}

static void download_run(Stream *stream, void *data)
{
    Transfer *transfer = data;

    if (transfer_is(transfer, "silent"))
        fiber_sleep(HOUR_US, NULL);
    if (!download_send(stream, transfer, NULL))
        return;
    if (transfer_is(transfer, "abort"))
        transfer_abort(stream);
    else if (!transfer_is(transfer, "leave"))
        stream_finish(stream, NULL);
}

/* Takes one thing; false at the end, or when there will be no more. */
static bool upload_take(Stream *stream, Transfer *transfer, bool *ret_is_whole)
{
    g_auto(StreamItem) item = { 0 };

    if (transfer_is(transfer, "slow"))
        fiber_sleep(kitd_number(transfer->name), NULL);
    if (!stream_receive(stream, &item, NULL))
        return false;
    if (item.kind == STREAM_ITEM_DATA)
        transfer->kitd->n_bytes += g_bytes_get_size(item.data);
    else if (item.kind == STREAM_ITEM_HOLE)
        transfer->kitd->n_hole_bytes += (uint64_t)item.hole_length;
    *ret_is_whole = item.kind == STREAM_ITEM_END;
    return !*ret_is_whole;
}

static void upload_run(Stream *stream, void *data)
{
    Transfer *transfer = data;
    bool is_whole = false;

    if (transfer_is(transfer, "never") && !fiber_sleep(HOUR_US, NULL))
        return;
    while (upload_take(stream, transfer, &is_whole)) {
        if (transfer_is(transfer, "abort") &&
            transfer->kitd->n_bytes >= kitd_number(transfer->name)) {
            transfer_abort(stream);
            return;
        }
    }
    if (is_whole)
        stream_finish(stream, NULL);
    /* Behind its end neither may wait or succeed. */
    if (transfer_is(transfer, "again"))
        transfer->kitd->n_bytes += upload_take(stream, transfer, &is_whole) ||
                                   stream_send(stream, "late", strlen("late"), NULL);
}

static bool transfer_open(Call *call, const char *name, StreamFunc func, GError **error)
{
    Transfer *transfer = transfer_new(call, name);

    /* So that tests can have several on their way to be opened. */
    if (fiber_yield(error) && stream_open(call, func, transfer, transfer_free, error))
        return true;
    transfer_free(transfer);
    return false;
}

static bool vol_download(Call *call, const remote_storage_vol_download_args *args, none *ret,
                         GError **error)
{
    return transfer_open(call, args->vol.name, download_run, error);
}

static bool vol_upload(Call *call, const remote_storage_vol_upload_args *args, none *ret,
                       GError **error)
{
    return transfer_open(call, args->vol.name, upload_run, error);
}

static bool vol_get_info(Call *call, const remote_storage_vol_get_info_args *args,
                         remote_storage_vol_get_info_ret *ret, GError **error)
{
    const Kitd *kitd = daemon_get_driver_data(call_get_daemon(call));

    ret->capacity = kitd->n_bytes;
    ret->allocation = kitd->n_hole_bytes;
    return true;
}

static bool num_of_pools(Call *call, const none *args, remote_connect_num_of_storage_pools_ret *ret,
                         GError **error)
{
    const Kitd *kitd = daemon_get_driver_data(call_get_daemon(call));

    ret->num = kitd->n_waiting;
    return true;
}

static const Procedure procedures[] = {
    PROCEDURE(REMOTE_PROC_CONNECT_NUM_OF_STORAGE_POOLS, num_of_pools, none,
              remote_connect_num_of_storage_pools_ret),
    PROCEDURE(REMOTE_PROC_STORAGE_VOL_DOWNLOAD, vol_download, remote_storage_vol_download_args,
              none),
    PROCEDURE(REMOTE_PROC_STORAGE_VOL_UPLOAD, vol_upload, remote_storage_vol_upload_args, none),
    PROCEDURE(REMOTE_PROC_STORAGE_VOL_GET_INFO, vol_get_info, remote_storage_vol_get_info_args,
              remote_storage_vol_get_info_ret),
};

const ProcedureTable kitd_storage_procedures = { REMOTE_PROGRAM, procedures,
                                                 G_N_ELEMENTS(procedures) };
