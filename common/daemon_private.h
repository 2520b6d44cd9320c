/* The inside of a daemon, for the parts that make up its life cycle. */
#pragma once

#include "base/pidfile.h"
#include "common/daemon.h"
#include "common/kept_fds.h"
#include "common/notify.h"
#include "fiber/sync.h"
#include "net/activation.h"

#define N_DAEMON_SIGNALS 5

/* Of the buffer for encoding: the largest password fits, so that growing leaves no copy of one
 * behind. What is not written to takes no memory. */
#define DAEMON_ENCODE_ROOM_BYTES (128 * 1024)

typedef struct HostnameLookup HostnameLookup;
typedef struct AuthPolkit AuthPolkit;

struct Daemon {
    const DaemonSpec *spec;
    Options *options;
    Paths *paths;
    DaemonConfig *config;
    PidFile *pid_file; /* NULL: nobody wanted one */
    char *uri;
    bool is_system; /* the host's daemon, not one user's */
    bool has_unknown_uid; /* peers may have a uid that is nobody's in particular */
    uid_t unknown_uid;

    FiberLoop *loop; /* freed last */
    Notifier *notifier;
    ChannelPool *channel_pool;
    GByteArray *encode_buffer;
    EventRegistry *events;
    GPtrArray *servers;   /* of Server */
    GPtrArray *activated; /* of NetActivatedFd, NULL without socket activation */
    KeptFds *kept;        /* NULL: this daemon keeps none */
    /* From the last execution of this process; NULL or empty without one. */
    GPtrArray *own_sockets;    /* of NetActivatedFd: those that it had made itself */
    GPtrArray *found;          /* of FoundFd: for kept, which the loop has to be there for */
    int inherited_pid_fd;      /* -1: none, or taken */
    bool is_anew;
    char *program; /* for the next execution; NULL: unknown */
    char **argv;   /* main()'s */
    struct NetTlsContext *tls_context; /* NULL without a TLS socket */
    void *driver_data;
    bool has_started; /* the start is over, well or not: start_error says which */
    GError *start_error;
    FiberCompletion started;
    Fiber *start_fiber;

    HostnameLookup *hostname; /* the newest, NULL until the first */
    AuthPolkit *polkit;       /* NULL until the first check */

    uint64_t timeout_us; /* 0: never */
    unsigned n_inhibitors;
    sd_event_source *idle_timer;
    bool is_idle_check_due;
    bool is_told_to_stop, is_stopping, is_reloading, wants_reload, wants_reexecution;
    bool is_reexecuting; /* is_stopping as well */
    sd_event_source *stop_timer;
    uint64_t stop_deadline_us;
    uint64_t delivery_deadline_us; /* for what clients have not taken when the last call is over */
    sd_event_source *signals[N_DAEMON_SIGNALS];
};

/* daemon.c. Whether the driver has started and did not fail to: then it can be asked, told
 * to load its configuration again, and stopped. */
bool daemon_has_driver(const Daemon *daemon);
/* daemon.c. Root keeps only what the daemon's spec says. Before the first thread. */
bool daemon_limit_privileges(const Daemon *daemon, GError **error);
/* sockets.c. Opens, or takes over, every socket of the daemon. */
bool daemon_open_sockets(Daemon *daemon, GError **error);
bool daemon_is_activated(const Daemon *daemon);
/* again.c. What came with the execution: sockets, kept descriptors, the lock of the PID file. */
bool daemon_receive_fds(Daemon *daemon, GError **error);
void daemon_forget_fds(Daemon *daemon);
/* Makes the kept descriptors' room, with those that came. */
void daemon_begin_keeping(Daemon *daemon);
/* Begins to end, to be followed by the next execution. */
void daemon_reexecute(Daemon *daemon);
/* When the loop is over and the driver has stopped. Only returns on failure. */
void daemon_execute_anew(Daemon *daemon);
/* main.c. Begins to end, once: the loop quits when no call is in flight. */
void daemon_await_end(Daemon *daemon);
/* network_sockets.c. Those on the network: the daemon's own, and one that was passed. */
bool daemon_open_network_sockets(Daemon *daemon, GError **error);
bool daemon_take_network_socket(Daemon *daemon, NetActivatedFd *activated, GError **error);
/* reload.c */
ServerLimits daemon_make_limits(const Daemon *daemon, const ConfigLimits *limits, bool is_admin);
/* Waits for the disks that log files are on. May be called in a thread. */
bool daemon_apply_logging(const Daemon *daemon, const DaemonConfig *config, GError **error);
bool daemon_watch_signals(Daemon *daemon, GError **error);
void daemon_unwatch_signals(Daemon *daemon);
/* environment.c. Tells what the place offers, in one line, and keeps what matters later. */
void daemon_look_around(Daemon *daemon);
/* ready_fd.c. The check comes before anything is opened: INVALID_ARG naming the option. */
bool daemon_check_ready_fd(const Daemon *daemon, GError **error);
void daemon_announce_ready_fd(const Daemon *daemon);
/* idle.c */
void daemon_idle_start(Daemon *daemon);
void daemon_idle_stop(Daemon *daemon);
