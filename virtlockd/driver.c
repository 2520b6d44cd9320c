/* How the lock daemon's driver comes and goes. */
#include "common/client.h"
#include "virtlockd/lockd.h"
#include "virtlockd/procedures.h"
#include "virtlockd/recover.h"

bool lockd_start(Daemon *daemon, void **ret_lockd, GError **error)
{
    const Paths *paths = daemon_get_paths(daemon);
    LockDaemon *lockd = g_new0(LockDaemon, 1);

    lockd->daemon = daemon;
    lockd->loop = daemon_get_loop(daemon);
    lockd->kept = daemon_get_kept_fds(daemon);
    lockd->files = lock_files_new(lockd->loop);
    lockd->state_path = paths_join(paths->run_dir, "virtlockd-locks.json");
    lockd->clients = lock_clients_new();
    lockd_recover(lockd);
    *ret_lockd = lockd;
    return true;
}

/* The locks stay: their descriptors are with others. */
void lockd_stop(Daemon *daemon, void *data)
{
    LockDaemon *lockd = data;

    g_hash_table_unref(lockd->clients);
    lock_table_free(lockd->table);
    lock_files_free(lockd->files);
    g_free(lockd->state_path);
    g_free(lockd);
}
