/* Taking and giving wait for the lock manager, and follow each other in the order of what caused
 * them: each looks at the state of the guest when it has its turn. */
#include "virtqemud/guest/locks.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/helper_program.h"
#include "base/log.h"
#include "virtqemud/guest/status.h"
#include "virtqemud/launcher/plan.h"
#include "wire/api_domain.h"

LOG_INIT("qemu.locks");

/* For all locks of a guest; virtlockd waits for file systems itself. */
#define TAKE_MS (2 * 60 * 1000)
#define ENTER_MS 10000
/* What gives back holds up nobody for longer. */
#define GIVE_MS 10000

static LockOwner owner_of(const Guest *guest)
{
    return (LockOwner){ guest->domain->object.name, &guest->domain->object.uuid, guest->def->id,
                        guest->lock_pid };
}

/* ---- At the start ---- */

bool guest_locks_prepare(Guest *guest, GError **error)
{
    guest->lock_manager = lock_manager_of(guest->conf);
    guest->lock_requests = lock_requests_new();
    return guest->lock_manager->plan(guest->conf, guest->def, guest->lock_requests, error);
}

void guest_locks_adopt(Guest *guest)
{
    g_autoptr(GError) error = NULL;

    if (!guest_locks_prepare(guest, &error)) {
        LOG_WARN("domain '%s' was started by another daemon, and goes on without locks: %s",
                 guest->domain->object.name, error->message);
        g_ptr_array_set_size(guest->lock_requests, 0);
    }
    guest->locks = guest->domain->state == VIR_DOMAIN_RUNNING ? GUEST_LOCKS_HELD
                                                              : GUEST_LOCKS_NONE;
}

/* Not connected yet: the guest's process does that, and so it is seen to be its own. */
static bool add_socket(Guest *guest, GArray *fds, GError **error)
{
    GuestProcessFd given = { .target = STDERR_FILENO + 1, .connects_to = guest->lock_socket };

    for (guint i = 0; i < fds->len; i++) {
        int target = g_array_index(fds, GuestProcessFd, i).target;

        given.target = MAX(given.target, target + 1);
    }
    given.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (given.fd < 0) {
        error_set_errno(error, VIR_FROM_QEMU, errno, "cannot make a socket");
        return false;
    }
    g_array_append_val(fds, given);
    return true;
}

bool guest_locks_add_socket(Guest *guest, GArray *fds, GError **error)
{
    const LockManager *manager = guest->lock_manager;

    if (guest->lock_requests->len == 0)
        return true;
    if (manager->entering_program) {
        guest->lock_before = g_new0(char *, 4);
        guest->lock_before[0] = helper_program_find(manager->entering_program);
        guest->lock_before[1] = g_strdup("enter");
        guest->lock_before[2] = g_strdup_printf("%u", LAUNCH_FD_FIRST + fds->len);
        return add_socket(guest, fds, error);
    }
    if (!manager->find_socket)
        return true;
    guest->lock_socket =
        manager->find_socket(guest->driver, fiber_deadline_ms(ENTER_MS), error);
    return guest->lock_socket && add_socket(guest, fds, error);
}

/* A copy of what add_socket() has made. */
static int copy_socket(const Guest *guest, const GArray *fds)
{
    for (guint i = 0; i < fds->len; i++) {
        const GuestProcessFd *given = &g_array_index(fds, GuestProcessFd, i);

        if (given->connects_to == guest->lock_socket)
            return fcntl(given->fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    }
    return -1;
}

bool guest_locks_enter(Guest *guest, const GArray *fds, GError **error)
{
    LockOwner owner;
    int fd;

    guest->lock_pid = guest_process_get_pid(guest->process);
    if (!guest->lock_socket)
        return true;
    owner = owner_of(guest);
    fd = copy_socket(guest, fds);
    if (fd < 0) {
        error_set_errno(error, VIR_FROM_QEMU, errno, "cannot copy a socket");
        return false;
    }
    return guest->lock_manager->enter(guest->driver, &owner, fd, fiber_deadline_ms(ENTER_MS),
                                      error);
}

/* ---- Taking and giving ---- */

/* Waiting for others of the same guest has no deadline of its own: each has one for what it does. */
static bool has_locks(const Guest *guest)
{
    return guest->lock_requests && guest->lock_requests->len > 0;
}

static void note(Guest *guest, GuestLocks locks)
{
    g_autoptr(GError) error = NULL;

    guest->locks = locks;
    if (!guest_status_save(guest, &error))
        LOG_GERROR(error);
}

SUSPENDS static void give(Guest *guest)
{
    const LockOwner owner = owner_of(guest);
    g_autoptr(GError) error = NULL;

    if (guest->locks == GUEST_LOCKS_NONE)
        return;
    if (guest->lock_manager->release(guest->driver, &owner, guest->lock_requests,
                                     fiber_deadline_ms(GIVE_MS), &error)) {
        note(guest, GUEST_LOCKS_NONE);
        return;
    }
    note(guest, GUEST_LOCKS_UNKNOWN);
    if (!fiber_is_cancelled(fiber_current()))
        LOG_WARN("the locks of domain '%s' cannot be given back: %s", guest->domain->object.name,
                 error->message);
}

/* The manager refuses what the guest has already in the same words as what others have: what may be
 * its own is given back then, and asked for once more. */
SUSPENDS static bool acquire(Guest *guest, bool may_be_own, GError **error)
{
    const LockManager *manager = guest->lock_manager;
    const LockOwner owner = owner_of(guest);
    uint64_t deadline_us = fiber_deadline_ms(TAKE_MS);
    g_autoptr(GError) reason = NULL;

    if (manager->acquire(guest->driver, &owner, guest->lock_requests, deadline_us, &reason))
        return true;
    if (may_be_own && reason->code == VIR_ERR_RESOURCE_BUSY) {
        manager->release(guest->driver, &owner, guest->lock_requests, fiber_deadline_ms(GIVE_MS),
                         NULL);
        return manager->acquire(guest->driver, &owner, guest->lock_requests, deadline_us, error);
    }
    g_propagate_error(error, g_steal_pointer(&reason));
    return false;
}

/* On record as held before that is so: a daemon that is killed in between tries again, or gives
 * back what may be held. */
SUSPENDS static bool take(Guest *guest, GError **error)
{
    bool may_be_own = guest->locks == GUEST_LOCKS_UNKNOWN;
    g_autoptr(GError) reason = NULL;

    if (guest->locks == GUEST_LOCKS_HELD)
        return true;
    note(guest, GUEST_LOCKS_HELD);
    if (!acquire(guest, may_be_own, &reason)) {
        note(guest, reason->code == VIR_ERR_RESOURCE_BUSY ? GUEST_LOCKS_NONE
                                                          : GUEST_LOCKS_UNKNOWN);
        g_propagate_error(error, g_steal_pointer(&reason));
        return false;
    }
    if (guest->phase != GUEST_ENDING)
        return true;
    give(guest);
    error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED,
              "domain '%s' was ended while its disks were being locked",
              guest->domain->object.name);
    return false;
}

bool guest_locks_take(Guest *guest, GError **error)
{
    bool is_taken;

    if (!has_locks(guest))
        return true;
    if (!fiber_mutex_lock(&guest->lock_mutex, FIBER_FOREVER, error))
        return false;
    is_taken = take(guest, error);
    fiber_mutex_unlock(&guest->lock_mutex);
    return is_taken;
}

void guest_locks_give(Guest *guest)
{
    /* Who has them in hand just now sees that the guest ends. */
    if (!has_locks(guest) ||
        !fiber_mutex_lock(&guest->lock_mutex, fiber_deadline_ms(GIVE_MS), NULL))
        return;
    /* What it may have has ended with its process: a manager that does not answer is not waited for
     * once more. */
    if (guest->locks == GUEST_LOCKS_HELD)
        give(guest);
    fiber_mutex_unlock(&guest->lock_mutex);
}

static bool stands_still(const Guest *guest)
{
    return guest->phase == GUEST_UP && guest->domain->state == VIR_DOMAIN_PAUSED &&
           guest->n_resuming == 0;
}

void guest_locks_give_if_paused(Guest *guest)
{
    if (!has_locks(guest) || !fiber_mutex_lock(&guest->lock_mutex, FIBER_FOREVER, NULL))
        return;
    if (stands_still(guest))
        give(guest);
    fiber_mutex_unlock(&guest->lock_mutex);
}

bool guest_locks_begin_resume(Guest *guest, GError **error)
{
    guest->n_resuming++;
    if (guest_locks_take(guest, error))
        return true;
    guest->n_resuming--;
    return false;
}

void guest_locks_end_resume(Guest *guest)
{
    guest->n_resuming--;
    guest_locks_give_if_paused(guest);
}

/* ---- Beside the caller ---- */

static void give_fiber(void *data)
{
    g_autoptr(Guest) guest = data;

    guest_locks_give_if_paused(guest);
}

SUSPENDS static void pause_unlocked(Guest *guest, const GError *why)
{
    g_autoptr(QmpSession) monitor = guest->monitor ? qmp_session_ref(guest->monitor) : NULL;

    LOG_ERROR("domain '%s' is paused, because it runs without its locks: %s",
              guest->domain->object.name, why->message);
    if (monitor)
        qmp_execute(monitor, "stop", NULL, fiber_deadline_ms(GUEST_ANSWER_MS), NULL, NULL);
}

static void run_later(Guest *guest, FiberFunc func)
{
    g_autoptr(GError) error = NULL;

    if (!has_locks(guest) ||
        fiber_spawn(daemon_get_loop(guest->driver->daemon), "guest locks", func, guest_ref(guest),
                    NULL, &error))
        return;
    LOG_GERROR(error);
    guest_unref(guest);
}

/* ---- A guest without its locks ---- */

/* Off, and on again with what it is defined to be; it comes up when it gets its locks. */
static void restart_fiber(void *data)
{
    g_autoptr(Guest) guest = data;
    Domain *domain = guest->domain; /* the guest has a reference */
    Driver *driver = guest->driver;
    const DomainDef *definition;
    g_autoptr(GError) error = NULL;

    if (!guest_stop(guest, GUEST_END_FAILED, false, &error) || !domain->is_persistent) {
        if (error)
            LOG_GERROR(error);
        return;
    }
    if (!job_begin(&domain->jobs, "on_lockfailure", VIR_DOMAIN_JOB_OPERATION_START, &error)) {
        LOG_GERROR(error);
        return;
    }
    definition = domain->guest ? NULL : definitions_get(driver->definitions, domain, &error);
    if (definition)
        guest_start(driver, domain, domain_def_copy(definition), 0, NULL, &error);
    job_end(&domain->jobs);
    if (error)
        LOG_GERROR(error);
}

/* The guest runs, and somebody else has what it writes to. */
SUSPENDS static void act_on_loss(Guest *guest, const GError *why)
{
    const char *name = guest->domain->object.name;

    switch (guest->def->on_lockfailure) {
    case LOCK_FAILURE_IGNORE:
        LOG_WARN("domain '%s' runs on without its locks (on_lockfailure): %s", name, why->message);
        break;
    case LOCK_FAILURE_POWEROFF:
        LOG_ERROR("domain '%s' is ended, because it runs without its locks: %s", name,
                  why->message);
        guest_stop_later(guest, GUEST_END_FAILED);
        break;
    case LOCK_FAILURE_RESTART:
        LOG_ERROR("domain '%s' is restarted, because it runs without its locks: %s", name,
                  why->message);
        run_later(guest, restart_fiber);
        break;
    default: /* nothing more is written, and nothing is lost */
        pause_unlocked(guest, why);
    }
}

/* ---- Without being asked ---- */

static void take_fiber(void *data)
{
    g_autoptr(Guest) guest = data;
    g_autoptr(GError) error = NULL;

    if (!fiber_mutex_lock(&guest->lock_mutex, FIBER_FOREVER, NULL))
        return;
    if (guest->phase == GUEST_UP && guest->domain->state == VIR_DOMAIN_RUNNING &&
        !take(guest, &error))
        act_on_loss(guest, error);
    fiber_mutex_unlock(&guest->lock_mutex);
}

void guest_locks_give_later(Guest *guest)
{
    run_later(guest, give_fiber);
}

/* Also when it has them: they may be on their way back. */
void guest_locks_take_later(Guest *guest)
{
    run_later(guest, take_fiber);
}

/* ---- After a restart ---- */

/* Locks that are on record are asked for once more, in case the lock manager has lost them. It
 * refuses what the guest has already in the same words as what others have, so a refusal says
 * nothing; and the record does not change, whenever this daemon is killed. */
SUSPENDS static void ask_again(Guest *guest)
{
    const LockOwner owner = owner_of(guest);
    g_autoptr(GError) error = NULL;

    if (guest->lock_manager->acquire(guest->driver, &owner, guest->lock_requests,
                                     fiber_deadline_ms(TAKE_MS), &error) ||
        error->code == VIR_ERR_RESOURCE_BUSY)
        return;
    LOG_WARN("it is not known whether domain '%s' has its locks: %s", guest->domain->object.name,
             error->message);
}

void guest_locks_verify(Guest *guest)
{
    g_autoptr(GError) error = NULL;

    if (!has_locks(guest) || !fiber_mutex_lock(&guest->lock_mutex, FIBER_FOREVER, NULL))
        return;
    if (stands_still(guest))
        give(guest);
    else if (guest->phase == GUEST_UP && guest->locks == GUEST_LOCKS_HELD)
        ask_again(guest);
    else if (guest->phase == GUEST_UP && !take(guest, &error))
        act_on_loss(guest, error);
    fiber_mutex_unlock(&guest->lock_mutex);
}
