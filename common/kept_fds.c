/* All that is said to the service manager and the holder goes through one queue, worked off by
 * one fiber that is there while there is something to say: so they hear things in the order in
 * which they happened, and nobody meets half a conversation. */
#include "common/kept_fds.h"

#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "common/fd_store.h"
#include "common/holder/store.h"
#include "common/holder_client.h"
#include "fiber/sync.h"

#include "base/log.h"

LOG_INIT("daemon.kept");

/* A holder that has gone is looked for again, first soon, then rarely. */
#define RETRY_FIRST_US G_USEC_PER_SEC
#define RETRY_MAX_US (30 * G_USEC_PER_SEC)
#define COLLECT_ATTEMPTS 3

/* Counted by the table and by what is still to be said about it; closed with the last. */
typedef struct Kept {
    char *name;
    int fd;
    bool is_claimed;
    bool is_at_manager, is_at_holder;
} Kept;

typedef enum KeptOpKind { KEPT_OP_PUT, KEPT_OP_DROP, KEPT_OP_COLLECT, KEPT_OP_RETRY } KeptOpKind;

/* Counted by the queue and by the fiber that waits for it, which may give up. */
typedef struct KeptOp {
    KeptOpKind kind;
    Kept *kept;
    FiberCompletion done;
    GError *error;
} KeptOp;

struct KeptFds {
    FiberLoop *loop;
    HolderClient *holder;
    char *holder_path;
    GHashTable *by_name; /* to Kept, owned */
    GQueue ops;
    sd_event_source *retry_timer;
    uint64_t retry_us;
    bool is_working, has_manager, has_said_alone, has_lost_holder;
    bool has_collected; /* what the holder has and we have not is nobody's */
};

static void kept_clear(void *data)
{
    Kept *kept = data;

    close(kept->fd);
    g_free(kept->name);
}

static void kept_unref(void *kept)
{
    g_rc_box_release_full(kept, kept_clear);
}

static void kept_op_clear(void *data)
{
    KeptOp *op = data;

    if (op->kept)
        kept_unref(op->kept);
    g_clear_error(&op->error);
}

static void kept_op_unref(void *op)
{
    g_rc_box_release_full(op, kept_op_clear);
}

static void kept_on_holder_lost(void *data);

KeptFds *kept_fds_new(FiberLoop *loop, const char *holder_path)
{
    KeptFds *all = g_new0(KeptFds, 1);

    all->loop = loop;
    all->holder_path = g_strdup(holder_path);
    all->holder = holder_client_new(loop, holder_path, kept_on_holder_lost, all);
    all->by_name = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, kept_unref);
    all->has_manager = fd_store_is_offered();
    all->retry_us = RETRY_FIRST_US;
    return all;
}

void kept_fds_free(KeptFds *all)
{
    if (!all)
        return;
    sd_event_source_disable_unref(all->retry_timer);
    holder_client_free(all->holder);
    g_queue_clear_full(&all->ops, kept_op_unref);
    g_hash_table_unref(all->by_name);
    g_free(all->holder_path);
    g_free(all);
}

static Kept *kept_find(KeptFds *all, const char *name)
{
    return g_hash_table_lookup(all->by_name, name);
}

static Kept *kept_new(KeptFds *all, const char *name, int fd)
{
    Kept *kept = g_rc_box_new0(Kept);

    kept->name = g_strdup(name);
    kept->fd = fd;
    g_hash_table_insert(all->by_name, kept->name, kept);
    return kept;
}

void kept_fds_add_found(KeptFds *all, const char *name, int fd, KeptFrom from)
{
    Kept *kept = kept_find(all, name);

    if (kept)
        close(fd);
    else
        kept = kept_new(all, name, fd);
    kept->is_at_manager |= from == KEPT_FROM_MANAGER;
    kept->is_at_holder |= from == KEPT_FROM_HOLDER;
}

/* ---- The holder ---- */

static int kept_on_retry(sd_event_source *source, uint64_t usec, void *data);

static void kept_arm_retry(KeptFds *all)
{
    if (all->retry_timer) {
        sd_event_source_set_time_relative(all->retry_timer, all->retry_us);
        sd_event_source_set_enabled(all->retry_timer, SD_EVENT_ONESHOT);
    } else {
        sd_event_add_time_relative(fiber_loop_get_event(all->loop), &all->retry_timer,
                                   CLOCK_MONOTONIC, all->retry_us, 0, kept_on_retry, all);
    }
    all->retry_us = MIN(all->retry_us * 2, RETRY_MAX_US);
}

/* What the next holder has of ours is found out when we are connected to it. */
static void kept_on_holder_lost(void *data)
{
    KeptFds *all = data;
    GHashTableIter iter;
    void *kept;

    g_hash_table_iter_init(&iter, all->by_name);
    while (g_hash_table_iter_next(&iter, NULL, &kept))
        ((Kept *)kept)->is_at_holder = false;
    if (!all->has_lost_holder)
        LOG_WARN("holder %s has gone; what it kept is handed over again when it is back",
                 all->holder_path);
    all->has_lost_holder = true;
    if (all->has_collected)
        kept_arm_retry(all);
}

/* A failed conversation: the connection is closed already. */
static void kept_note_failure(KeptFds *all, const GError *error)
{
    /* The daemon ends: whoever comes next finds out what there is. */
    if (fiber_is_cancelled(fiber_current()))
        return;
    LOG_WARN("%s", error->message);
    if (!holder_client_is_connected(all->holder))
        kept_on_holder_lost(all);
}

/* Everything that the holder has is ours, or nobody's any more. */
SUSPENDS static bool holder_drop_strangers(KeptFds *all, GError **error)
{
    for (size_t i = 0;;) {
        g_autofree char *name = NULL;

        if (!holder_client_get(all->holder, i, &name, NULL, error))
            return false;
        if (!name)
            return true;
        if (kept_find(all, name))
            i++;
        else if (!holder_client_drop(all->holder, name, error))
            return false;
    }
}

SUSPENDS static bool holder_put_all(KeptFds *all, GError **error)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(kept_unref);
    GHashTableIter iter;
    void *kept;

    g_hash_table_iter_init(&iter, all->by_name);
    while (g_hash_table_iter_next(&iter, NULL, &kept))
        g_ptr_array_add(list, g_rc_box_acquire(kept));
    for (guint i = 0; i < list->len; i++) {
        Kept *one = g_ptr_array_index(list, i);

        if (!holder_client_put(all->holder, one->name, one->fd, error))
            return false;
        one->is_at_holder = true;
    }
    return true;
}

/* A holder that came (back) while we run. True when it now has everything. Nobody being there
 * is the ordinary case, and silent. */
SUSPENDS static bool holder_join(KeptFds *all, bool *ret_is_absent, GError **error)
{
    if (!holder_client_connect(all->holder, ret_is_absent, error) ||
        !holder_drop_strangers(all, error) || !holder_put_all(all, error))
        return false;
    if (all->has_lost_holder)
        LOG_WARN("holder %s is back, and has everything", all->holder_path);
    all->has_lost_holder = false;
    all->retry_us = RETRY_FIRST_US;
    return true;
}

/* ---- The queue ---- */

SUSPENDS static void kept_run_put(KeptFds *all, KeptOp *op)
{
    Kept *kept = op->kept;
    g_autoptr(GError) manager_error = NULL;
    g_autoptr(GError) holder_error = NULL;
    bool is_absent = false;

    if (all->has_manager && !kept->is_at_manager)
        kept->is_at_manager = fd_store_put(kept->name, kept->fd, &is_absent, &manager_error);
    if (is_absent) {
        all->has_manager = false;
        g_clear_error(&manager_error);
        is_absent = false;
    }
    if (!holder_client_is_connected(all->holder))
        holder_join(all, &is_absent, &holder_error);
    else if (!kept->is_at_holder)
        kept->is_at_holder = holder_client_put(all->holder, kept->name, kept->fd, &holder_error);
    if (is_absent)
        g_clear_error(&holder_error);
    if (manager_error)
        LOG_WARN("%s", manager_error->message);
    if (holder_error)
        kept_note_failure(all, holder_error);
    if (kept->is_at_manager || kept->is_at_holder)
        return;
    if (manager_error || holder_error) {
        error_set(&op->error, VIR_FROM_RPC, VIR_ERR_OPERATION_FAILED,
                  "nobody keeps descriptor '%s' for a restart of this daemon: %s", kept->name,
                  (holder_error ? holder_error : manager_error)->message);
    } else if (!all->has_said_alone) {
        LOG_INFO("neither a service manager nor a holder at %s keeps descriptors: a killed "
                 "daemon loses them", all->holder_path);
        all->has_said_alone = true;
    }
}

SUSPENDS static void kept_run_drop(KeptFds *all, const Kept *kept)
{
    g_autoptr(GError) manager_error = NULL;
    g_autoptr(GError) holder_error = NULL;

    if (kept->is_at_manager && !fd_store_drop(kept->name, &manager_error) &&
        !fiber_is_cancelled(fiber_current()))
        LOG_WARN("%s", manager_error->message);
    if (kept->is_at_holder && holder_client_is_connected(all->holder) &&
        !holder_client_drop(all->holder, kept->name, &holder_error))
        kept_note_failure(all, holder_error);
}

/* A second copy of what we have would have to be closed again, and closing can wait for the file
 * system of a locked file: so names come first. */
SUSPENDS static bool kept_run_collect(KeptFds *all, bool *ret_is_absent, GError **error)
{
    if (!holder_client_connect(all->holder, ret_is_absent, error))
        return false;
    for (size_t i = 0;; i++) {
        g_autofree char *name = NULL, *again = NULL;
        Kept *known;
        int fd = -1;

        if (!holder_client_get(all->holder, i, &name, NULL, error))
            return false;
        if (!name)
            return true;
        known = kept_find(all, name);
        if (known)
            known->is_at_holder = true;
        else if (!holder_client_get(all->holder, i, &again, &fd, error))
            return false;
        else if (again)
            kept_fds_add_found(all, again, fd, KEPT_FROM_HOLDER);
    }
}

SUSPENDS static void kept_run_retry(KeptFds *all)
{
    g_autoptr(GError) error = NULL;
    bool is_absent;

    if (holder_client_is_connected(all->holder) || holder_join(all, &is_absent, &error))
        return;
    LOG_DEBUG("%s", error->message);
    kept_on_holder_lost(all);
}

SUSPENDS static void kept_run_op(KeptFds *all, KeptOp *op)
{
    g_autoptr(GError) error = NULL;
    bool is_absent = false;

    switch (op->kind) {
    case KEPT_OP_PUT:
        kept_run_put(all, op);
        break;
    case KEPT_OP_DROP:
        kept_run_drop(all, op->kept);
        break;
    case KEPT_OP_COLLECT:
        all->has_collected = kept_run_collect(all, &is_absent, &error) || is_absent;
        if (!all->has_collected)
            op->error = g_steal_pointer(&error);
        break;
    case KEPT_OP_RETRY:
        kept_run_retry(all);
        break;
    }
}

static void kept_work(void *data)
{
    KeptFds *all = data;
    KeptOp *op;

    while (!fiber_is_cancelled(fiber_current()) && (op = g_queue_pop_head(&all->ops))) {
        kept_run_op(all, op);
        fiber_completion_signal(&op->done);
        kept_op_unref(op);
    }
    all->is_working = false;
}

/* Returns a reference to the operation for somebody who waits; NULL without a fiber. */
static KeptOp *kept_push(KeptFds *all, KeptOpKind kind, Kept *kept, GError **error)
{
    KeptOp *op = g_rc_box_new0(KeptOp);

    op->kind = kind;
    op->kept = kept ? g_rc_box_acquire(kept) : NULL;
    g_queue_push_tail(&all->ops, g_rc_box_acquire(op));
    if (all->is_working)
        return op;
    /* Before the fiber runs: called from the loop, it does so at once. */
    all->is_working = true;
    if (fiber_spawn(all->loop, "kept descriptors", kept_work, all, NULL, error))
        return op;
    all->is_working = false;
    kept_op_unref(g_queue_pop_tail(&all->ops));
    kept_op_unref(op);
    return NULL;
}

/* For what nobody waits for. */
static void kept_push_alone(KeptFds *all, KeptOpKind kind, Kept *kept)
{
    g_autoptr(GError) error = NULL;
    KeptOp *op = kept_push(all, kind, kept, &error);

    if (op)
        kept_op_unref(op);
    else
        LOG_GERROR(error);
}

static int kept_on_retry(sd_event_source *source, uint64_t usec, void *data)
{
    kept_push_alone(data, KEPT_OP_RETRY, NULL);
    return 0;
}

/* For ever: each conversation has its own deadline. */
SUSPENDS static bool kept_do(KeptFds *all, KeptOpKind kind, Kept *kept, GError **error)
{
    KeptOp *op = kept_push(all, kind, kept, error);
    bool is_done;

    if (!op)
        return false;
    is_done = fiber_completion_wait(&op->done, FIBER_FOREVER, error);
    if (is_done && op->error) {
        g_propagate_error(error, g_steal_pointer(&op->error));
        is_done = false;
    }
    kept_op_unref(op);
    return is_done;
}

/* A holder that ends meanwhile is another matter at the next attempt. */
bool kept_fds_collect(KeptFds *all, GError **error)
{
    for (int i = 1;; i++) {
        g_autoptr(GError) failure = NULL;

        if (kept_do(all, KEPT_OP_COLLECT, NULL, &failure))
            return true;
        if (i == COLLECT_ATTEMPTS || fiber_is_cancelled(fiber_current())) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
        LOG_WARN("%s; trying again", failure->message);
    }
}

int kept_fds_claim(KeptFds *all, const char *name)
{
    Kept *kept = kept_find(all, name);

    if (!kept || kept->is_claimed)
        return -1;
    kept->is_claimed = true;
    if ((all->has_manager && !kept->is_at_manager) ||
        (holder_client_is_connected(all->holder) && !kept->is_at_holder))
        kept_push_alone(all, KEPT_OP_PUT, kept);
    return kept->fd;
}

int kept_fds_peek(KeptFds *all, const char *name)
{
    const Kept *kept = kept_find(all, name);

    return kept ? kept->fd : -1;
}

GPtrArray *kept_fds_get_unclaimed(KeptFds *all)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    GHashTableIter iter;
    void *kept;

    g_hash_table_iter_init(&iter, all->by_name);
    while (g_hash_table_iter_next(&iter, NULL, &kept)) {
        if (!((Kept *)kept)->is_claimed)
            g_ptr_array_add(names, g_strdup(((Kept *)kept)->name));
    }
    return names;
}

void kept_fds_drop_unclaimed(KeptFds *all)
{
    g_autoptr(GPtrArray) names = kept_fds_get_unclaimed(all);

    for (guint i = 0; i < names->len; i++) {
        LOG_INFO("descriptor '%s' belongs to nothing any more", (char *)names->pdata[i]);
        kept_fds_drop(all, names->pdata[i]);
    }
}

bool kept_fds_put(KeptFds *all, const char *name, int fd, GError **error)
{
    Kept *kept;

    g_assert(holder_name_is_valid(name, strlen(name)) && !kept_find(all, name));
    kept = kept_new(all, name, fd);
    kept->is_claimed = true;
    return kept_do(all, KEPT_OP_PUT, kept, error);
}

void kept_fds_drop(KeptFds *all, const char *name)
{
    Kept *kept = kept_find(all, name);

    if (!kept)
        return;
    g_hash_table_steal(all->by_name, name);
    kept_push_alone(all, KEPT_OP_DROP, kept);
    kept_unref(kept);
}

void kept_fds_foreach(KeptFds *all, KeptFdFunc func, void *data)
{
    GHashTableIter iter;
    void *kept;

    g_hash_table_iter_init(&iter, all->by_name);
    while (g_hash_table_iter_next(&iter, NULL, &kept))
        func(((Kept *)kept)->name, ((Kept *)kept)->fd, data);
}

bool kept_fds_has_keeper(const KeptFds *all)
{
    return all->has_manager || holder_client_is_connected(all->holder);
}
