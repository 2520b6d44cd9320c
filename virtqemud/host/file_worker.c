#include "virtqemud/host/file_worker.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "fiber/helper_pool.h"
#include "fiber/sync.h"

struct FileWorkers {
    HelperPool *pool;
    GHashTable *changing; /* paths whose owner is being changed: borrowed from callers */
    FiberCond changed;
};

void file_answer_clear(FileAnswer *answer)
{
    /* What was never filled has no data, and no descriptor of ours. */
    if (answer->data && answer->reply.fd >= 0)
        close(answer->reply.fd);
    g_clear_pointer(&answer->data, g_free);
}

int file_answer_take_fd(FileAnswer *answer)
{
    int fd = answer->reply.fd;

    answer->reply.fd = -1;
    return fd;
}

FileWorkers *file_workers_new(FiberLoop *loop)
{
    FileWorkers *workers = g_new0(FileWorkers, 1);

    workers->pool = helper_pool_new(loop, "splitvirt_file_worker", VIR_FROM_STORAGE,
                                    sizeof(FileWorkerReply),
                                    sizeof(FileWorkerReply) + FILE_WORKER_MAX_DATA);
    workers->changing = g_hash_table_new(g_str_hash, g_str_equal);
    return workers;
}

void file_workers_free(FileWorkers *workers)
{
    if (!workers)
        return;
    helper_pool_free(workers->pool);
    g_hash_table_unref(workers->changing);
    g_free(workers);
}

static GByteArray *packet_new(FileOp op, unsigned flags, const char *path, const char *journal,
                              const QemuUser *user)
{
    GByteArray *packet = g_byte_array_new();
    guint n_groups = user && user->groups ? MIN(user->groups->len, FILE_WORKER_MAX_GROUPS) : 0;
    const FileWorkerRequest request = {
        .op = op,
        .flags = flags | (journal ? FILE_FLAG_JOURNAL : 0),
        .uid = user ? user->uid : 0,
        .gid = user ? user->gid : 0,
        .n_groups = n_groups,
        .max_bytes = op == FILE_OP_HEAD ? FILE_WORKER_MAX_DATA : 0,
    };

    G_STATIC_ASSERT(sizeof(gid_t) == sizeof(uint32_t));
    g_byte_array_append(packet, (const guint8 *)&request, sizeof(request));
    if (n_groups > 0)
        g_byte_array_append(packet, (const guint8 *)user->groups->data,
                            n_groups * (guint)sizeof(gid_t));
    g_byte_array_append(packet, (const guint8 *)path, (guint)strlen(path) + 1);
    if (journal)
        g_byte_array_append(packet, (const guint8 *)journal, (guint)strlen(journal) + 1);
    return packet;
}

/* It has sent a descriptor, which it still has to close. */
static bool has_fd(const GByteArray *answer)
{
    FileWorkerReply reply;

    memcpy(&reply, answer->data, sizeof(reply));
    return reply.fd >= 0;
}

SUSPENDS static bool call_worker(FileWorkers *workers, GByteArray *packet, const char *path,
                                 uint64_t deadline_us, FileAnswer *ret_answer, GError **error)
{
    const HelperCall call = { packet->data, packet->len, -1, path, deadline_us, has_fd };
    g_autoptr(GByteArray) packed = NULL;
    FileAnswer answer = { 0 };
    int fd;

    if (!helper_pool_call(workers->pool, &call, &packed, &fd, error))
        return false;
    memcpy(&answer.reply, packed->data, sizeof(answer.reply));
    if (packed->len != sizeof(answer.reply) + answer.reply.length) {
        if (fd >= 0)
            close(fd);
        error_set(error, VIR_FROM_STORAGE, VIR_ERR_OPERATION_FAILED,
                  "the process that looks at '%s' gave an answer of the wrong length", path);
        return false;
    }
    answer.reply.fd = fd;
    /* Room for a zero byte: there are data, if only of no length. */
    answer.data = g_malloc0(answer.reply.length + 1);
    memcpy(answer.data, packed->data + sizeof(answer.reply), answer.reply.length);
    *ret_answer = answer;
    return true;
}

bool file_workers_call(FileWorkers *workers, FileOp op, unsigned flags, const char *path,
                       const char *journal, const QemuUser *user, uint64_t deadline_us,
                       FileAnswer *ret_answer, GError **error)
{
    g_autoptr(GByteArray) packet = packet_new(op, flags, path, journal, user);
    bool changes_owner = op == FILE_OP_TAKE || op == FILE_OP_GIVE_BACK;

    if (strlen(path) >= FILE_WORKER_MAX_PATH ||
        (journal && strlen(journal) >= FILE_WORKER_MAX_PATH)) {
        error_set_errno(error, VIR_FROM_STORAGE, ENAMETOOLONG, "cannot access '%.200s...'", path);
        return false;
    }
    while (changes_owner && g_hash_table_contains(workers->changing, path)) {
        g_autoptr(GError) wait_error = NULL;
        if (!fiber_cond_wait(&workers->changed, deadline_us, &wait_error)) {
            error_set(error, VIR_FROM_STORAGE, (ErrorCode)wait_error->code, "access to '%s': %s",
                      path, error_detail(wait_error));
            return false;
        }
    }
    if (!changes_owner)
        return call_worker(workers, packet, path, deadline_us, ret_answer, error);
    g_hash_table_add(workers->changing, (char *)path);
    bool ok = call_worker(workers, packet, path, deadline_us, ret_answer, error);
    g_hash_table_remove(workers->changing, path);
    fiber_cond_broadcast(&workers->changed);
    return ok;
}

void file_workers_count(const FileWorkers *workers, unsigned *ret_idle, unsigned *ret_abandoned)
{
    helper_pool_count(workers->pool, ret_idle, ret_abandoned);
}
