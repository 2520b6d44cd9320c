/* A look-up runs in a thread of its own, not in one of the loop's: a resolver that hangs
 * would take one of those few, and hold up the daemon's end. */
#include "common/hostname.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/error.h"
#include "common/daemon_private.h"

#define LOOK_UP_PATIENCE_US (2 * G_USEC_PER_SEC)
#define LOOK_UP_KEPT_US (60 * G_USEC_PER_SEC)
/* RFC 1035, 2.3.4: 253 characters; what is longer is no name. */
#define NAME_MAX_LENGTH 253

/* Shared by the thread and those who wait, an atomic reference each. */
struct HostnameLookup {
    char *name;          /* the kernel's */
    char *full_name;     /* the resolver's, NULL: it knows no better one; the thread's until done */
    int event_fd;        /* becomes readable when the look-up is done, and stays so */
    uint64_t started_us;
};

/* By whoever lets go last: thread, daemon or a waiting call. */
static void lookup_clear(void *data)
{
    HostnameLookup *lookup = data;

    if (lookup->event_fd >= 0)
        close(lookup->event_fd);
    g_free(lookup->name);
    g_free(lookup->full_name);
}

static void lookup_unref(HostnameLookup *lookup)
{
    if (lookup)
        g_atomic_rc_box_release_full(lookup, lookup_clear);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HostnameLookup, lookup_unref)

/* A host file that names the loopback address after the host says nothing to others. */
static bool name_is_useful(const char *name)
{
    return name && name[0] && strlen(name) <= NAME_MAX_LENGTH &&
           !g_str_has_prefix(name, "localhost") && g_utf8_validate(name, -1, NULL);
}

static void *lookup_thread(void *data)
{
    HostnameLookup *lookup = data;
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_flags = AI_CANONNAME };
    struct addrinfo *found = NULL;

    if (getaddrinfo(lookup->name, NULL, &hints, &found) == 0) {
        if (name_is_useful(found->ai_canonname))
            lookup->full_name = g_strdup(found->ai_canonname);
        freeaddrinfo(found);
    }
    eventfd_write(lookup->event_fd, 1);
    lookup_unref(lookup);
    return NULL;
}

/* All signals belong to the loop's thread. */
static bool lookup_start_thread(HostnameLookup *lookup)
{
    sigset_t all, before;
    GThread *thread;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread = g_thread_try_new("hostname", lookup_thread, g_atomic_rc_box_acquire(lookup), NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!thread) {
        lookup_unref(lookup);
        return false;
    }
    g_thread_unref(thread);
    return true;
}

/* NULL when there is no descriptor or no thread: then the kernel's name has to do. */
static HostnameLookup *lookup_new(const char *name)
{
    g_autoptr(HostnameLookup) lookup = g_atomic_rc_box_new0(HostnameLookup);

    lookup->name = g_strdup(name);
    lookup->started_us = fiber_now_us();
    lookup->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (lookup->event_fd < 0 || !lookup_start_thread(lookup))
        return NULL;
    return g_steal_pointer(&lookup);
}

static bool lookup_is_done(const HostnameLookup *lookup)
{
    struct pollfd item = { .fd = lookup->event_fd, .events = POLLIN };

    return poll(&item, 1, 0) == 1;
}

/* There is never more than one look-up under way: one that hangs is not asked again. */
static bool lookup_is_current(const HostnameLookup *lookup, const char *name)
{
    if (!lookup_is_done(lookup))
        return true;
    return strcmp(lookup->name, name) == 0 &&
           fiber_now_us() < lookup->started_us + LOOK_UP_KEPT_US;
}

char *hostname_get(Daemon *daemon, GError **error)
{
    char name[NAME_MAX_LENGTH + 2] = "";
    g_autoptr(HostnameLookup) lookup = NULL;

    if (gethostname(name, sizeof(name) - 1) < 0) {
        error_set_errno(error, VIR_FROM_NONE, errno, "Cannot read the host's name");
        return NULL;
    }
    /* Qualified already, or no name that a resolver could make better. */
    if (strchr(name, '.') || g_str_has_prefix(name, "localhost"))
        return g_strdup(name);
    if (!daemon->hostname || !lookup_is_current(daemon->hostname, name)) {
        hostname_forget(daemon);
        daemon->hostname = lookup_new(name);
        if (!daemon->hostname)
            return g_strdup(name);
    }
    lookup = g_atomic_rc_box_acquire(daemon->hostname);
    if (!lookup_is_done(lookup) &&
        !fiber_wait_fd(lookup->event_fd, EPOLLIN, lookup->started_us + LOOK_UP_PATIENCE_US, NULL,
                       NULL))
        return g_strdup(name);
    return g_strdup(lookup->full_name && strcmp(lookup->name, name) == 0 ? lookup->full_name
                                                                         : name);
}

void hostname_forget(Daemon *daemon)
{
    g_clear_pointer(&daemon->hostname, lookup_unref);
}
