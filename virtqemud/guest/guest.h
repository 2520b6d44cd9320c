/* A running guest: QEMU's process, the connection to its monitor, and the definition that it was
 * started with, with all that was chosen at start. A domain has one from the first step of a
 * start until nothing is left of the process.
 *
 *     STARTING → UP → ENDING
 *
 * What survives a restart of the daemon is the status file in /run/libvirt/qemu (status.h) and
 * QEMU itself: it is asked for the truth then. A guest that was still STARTING has been
 * acknowledged to nobody, and is ended. */
#pragma once

#include "common/client.h"
#include "virtqemud/driver.h"
#include "virtqemud/guest/block_sizes.h"
#include "virtqemud/guest/log_file.h"
#include "virtqemud/guest/process.h"
#include "virtqemud/guest/taint.h"
#include "virtqemud/qemu/qmp.h"

/* How long QEMU may take for an answer that it has at hand. */
#define GUEST_ANSWER_MS 30000

typedef struct LockManager LockManager; /* lock/lock_manager.h */

typedef enum GuestPhase { GUEST_STARTING, GUEST_UP, GUEST_ENDING } GuestPhase;

/* Why a guest ended: the state's reason (virDomainShutoffReason), the event's detail and the
 * word in the log follow from it. */
typedef enum GuestEnd {
    GUEST_END_UNKNOWN, /* QEMU has ended by itself, and did not say why */
    GUEST_END_SHUTDOWN,
    GUEST_END_DESTROYED,
    GUEST_END_CRASHED,
    GUEST_END_FAILED, /* it could not be started */
} GuestEnd;

/* Whether a guest has its locks. Unknown: the lock manager did not answer when that was to change. */
typedef enum GuestLocks {
    GUEST_LOCKS_NONE,
    GUEST_LOCKS_HELD,
    GUEST_LOCKS_UNKNOWN,
    N_GUEST_LOCKS
} GuestLocks;

struct Guest {
    unsigned n_refs;
    Driver *driver;
    Domain *domain; /* a reference */
    QemuConf *conf; /* as it was when the guest was started */
    DomainDef *def;
    GuestPhase phase;
    GuestEnd end;
    GuestProcess *process; /* NULL until it is started */
    QmpSession *monitor;   /* NULL until QEMU is started, and when it has gone */
    FiberCompletion monitor_closed;
    FiberCompletion finished; /* nothing is left of it, the domain says so */
    char *lib_dir, *channel_dir;
    LogFile *log;
    Client *owner;       /* whose connection's end destroys the guest; borrowed */
    GHashTable *consoles; /* alias → what has it open: console.h */
    GPtrArray *released_files; /* paths that its end gives back: images.c */
    GuestResources resources;
    JsonValue *dirty_rate; /* what QEMU answers to query-dirty-rate until it is told to measure */
    BlockSizes *block_sizes; /* as QEMU last told them; NULL: never */
    bool writes_much;        /* it wrote between the last two times: all is asked for at once */
    unsigned n_raw_commands; /* that clients have sent: they may have told it */
    GArray *vcpu_threads; /* of pid_t, by vcpu; NULL: not known */
    unsigned first_free_node; /* number of the next image */
    int next_pause_reason;    /* of a STOP that is expected (virDomainPausedReason) */
    bool reboots_at_shutdown; /* reboot by ACPI: shut down, then reset */
    bool is_shut_down;        /* QEMU has said so, and waits (-no-shutdown) */
    bool was_up;              /* its start was acknowledged: its end is told */
    bool is_found_again;      /* a daemon before this one has started it */
    bool taints[N_TAINTS];
    const LockManager *lock_manager; /* NULL until the start has chosen */
    GPtrArray *lock_requests;        /* what it needs locked while it runs: locks.h; NULL */
    char *lock_socket;               /* to which its process connects; NULL: none */
    char **lock_before;              /* GuestProcessSpec.before; NULL: none */
    FiberMutex lock_mutex;
    pid_t lock_pid; /* of the process that they belong to, also when it has ended */
    unsigned n_resuming; /* that have taken the locks for their resume */
    GuestLocks locks;
    bool is_log_managed;      /* its log and those of its devices are virtlogd's */
    bool is_updated;          /* the definition was changed since it was started */
};

/* A guest of @domain in its first phase, with @def (taken): registered, with an id. */
Guest *guest_new(Driver *driver, Domain *domain, DomainDef *def, int id);
Guest *guest_ref(Guest *guest);
void guest_unref(Guest *guest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Guest, guest_unref)

/* The guest of @domain, borrowed until the next suspension. Errors: OPERATION_INVALID "domain is
 * not running" when there is none or it is not UP. */
Guest *guest_of(Domain *domain, GError **error);
/* The same with a monitor that answers calls; a reference on the session. */
QmpSession *guest_monitor_of(Domain *domain, GError **error);

/* Starts @domain with @def (taken). @flags: VIR_DOMAIN_START_*; @client is the owner with
 * AUTODESTROY. The caller has the job. On failure nothing is left. */
SUSPENDS bool guest_start(Driver *driver, Domain *domain, DomainDef *def, unsigned flags,
                          Client *client, GError **error);
/* Ends QEMU and waits until nothing is left. With @is_graceful only SIGTERM is tried.
 * Needs no job: this is what ends a job that is stuck. */
SUSPENDS bool guest_stop(Guest *guest, GuestEnd end, bool is_graceful, GError **error);
/* The same beside the caller, which may be the loop. */
void guest_stop_later(Guest *guest, GuestEnd end);
/* For the end of the process (GuestProcessEndFunc): begins to clean up. */
void guest_process_ended(GuestProcess *process, void *guest);

/* Errors: OPERATION_FAILED when @guest was ended while it was starting. */
bool guest_check_wanted(const Guest *guest, GError **error);

/* Makes a monitor session on the socket in lib_dir; events come to monitor_events.c. */
bool guest_connect(Guest *guest, GError **error);
/* QEMU has shut down while nobody looked: does what the domain wants then. */
void guest_resume_shutdown(Guest *guest);
/* The guest ends when the connection of @client does. */
void guest_set_owner(Guest *guest, Client *client);
/* Takes the threads of the vcpus from the answer to query-cpus-fast. */
void guest_set_vcpu_threads(Guest *guest, const JsonValue *cpus);
/* A client is about to send a command of its own: what is remembered of answers is forgotten, and
 * the status file and the log say that it has. */
void guest_note_raw_command(Guest *guest);
/* Sets the state of the guest's domain, and writes it to the status file. */
void guest_set_state(Guest *guest, int state, int reason);
