#include "virtqemud/libvirt_guests/actions.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/plural.h"
#include "virtqemud/libvirt_guests/record.h"
#include "wire/api_domain.h"
#include "wire/api_host.h"

#define RECORD_NAME "libvirt-guests"
#define RECORD_BYTES (16 * 1024 * 1024)
/* One list of what runs, whatever number of guests is waited for. */
#define LOOK_AGAIN_US (500 * 1000)

static char *record_path(const GuestsService *service)
{
    return paths_join(service->paths->state_dir, RECORD_NAME);
}

static char *mark_path(const GuestsService *service)
{
    return paths_join(service->paths->run_dir, RECORD_NAME);
}

static bool complain(const GError *error)
{
    fprintf(stderr, "%s\n", error->message);
    return false;
}

bool guests_is_started(const GuestsService *service)
{
    g_autofree char *mark = mark_path(service);

    return g_file_test(mark, G_FILE_TEST_EXISTS);
}

static bool set_started(const GuestsService *service, bool is_started)
{
    g_autofree char *mark = mark_path(service);
    g_autoptr(GError) error = NULL;
    bool is_set = is_started ? mkdir_parents(service->paths->run_dir, 0755, &error) &&
                                   file_replace_volatile(mark, "", 0, 0644, &error)
                             : file_remove_durable(mark, &error);

    return is_set || complain(error);
}

/* ---- Start ---- */

static bool start_recorded(GuestsService *service, const char *uri, const GPtrArray *guests)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GuestsConnection) connection = guests_connect(service->pool, service->paths, uri,
                                                            &error);
    bool is_good = true;

    if (!connection)
        return complain(error);
    for (guint i = 0; i < guests->len; i++) {
        const GuestName *guest = guests->pdata[i];
        g_autoptr(GError) reason = NULL;

        if (i > 0 && service->settings->start_delay_s &&
            !fiber_sleep((uint64_t)service->settings->start_delay_s * G_USEC_PER_SEC, &reason))
            return complain(reason);
        printf("Starting guest %s on %s\n", guest->name, uri);
        if (!guests_start(connection, guest, &reason)) {
            fprintf(stderr, "Guest %s was not started: %s\n", guest->name, reason->message);
            is_good = false;
        }
    }
    return is_good;
}

/* The record is of one shutdown: it goes, whether or not guests are to be started. */
bool guests_action_start(GuestsService *service)
{
    g_autofree char *path = record_path(service);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    bool is_good = true;

    if (!file_read_if_exists(path, RECORD_BYTES, &text, NULL, &error))
        return complain(error);
    for (char **uri = service->settings->uris; text && service->settings->starts_on_boot && *uri;
         uri++) {
        g_autoptr(GPtrArray) guests = guests_record_find(text, *uri);

        if (guests->len > 0 && !start_recorded(service, *uri, guests))
            is_good = false;
    }
    if (!file_remove_durable(path, &error))
        return complain(error);
    return set_started(service, true) && is_good;
}

/* ---- Stop ---- */

/* A guest that was told to shut down. */
typedef struct Leaving {
    const GuestName *guest;
    uint64_t deadline_us;
} Leaving;

typedef struct Stop {
    GuestsConnection *connection;
    const GuestsSettings *settings;
    const GPtrArray *guests;
    guint next;      /* of guests: the first that has not been told yet */
    GArray *leaving; /* of Leaving */
    uint64_t deadline_us; /* of all, when several leave at a time */
    bool is_good;
} Stop;

static uint64_t deadline_of(const GuestsSettings *settings)
{
    return settings->shutdown_timeout_s
               ? fiber_deadline_ms((uint64_t)settings->shutdown_timeout_s * 1000)
               : FIBER_FOREVER;
}

static void tell_next(Stop *stop)
{
    const GuestName *guest = stop->guests->pdata[stop->next++];
    g_autoptr(GError) error = NULL;
    Leaving leaving = { guest, stop->settings->parallel_shutdown ? stop->deadline_us
                                                                 : deadline_of(stop->settings) };

    printf("Shutdown of guest %s requested\n", guest->name);
    if (guests_shut_down(stop->connection, guest, &error)) {
        g_array_append_val(stop->leaving, leaving);
    } else {
        fprintf(stderr, "Guest %s cannot be shut down: %s\n", guest->name, error->message);
        stop->is_good = false;
    }
}

static bool has_guest(const GPtrArray *guests, const GuestName *guest)
{
    for (guint i = 0; i < guests->len; i++) {
        const GuestName *other = guests->pdata[i];

        if (uuid_equal(&other->uuid, &guest->uuid))
            return true;
    }
    return false;
}

/* Takes out those that have gone, and those whose time is over. */
static bool look(Stop *stop, GError **error)
{
    g_autoptr(GPtrArray) running =
        guests_list(stop->connection, VIR_CONNECT_LIST_DOMAINS_ACTIVE, error);

    if (!running)
        return false;
    for (guint i = stop->leaving->len; i-- > 0;) {
        const Leaving *leaving = &g_array_index(stop->leaving, Leaving, i);

        if (!has_guest(running, leaving->guest)) {
            printf("Shutdown of guest %s complete\n", leaving->guest->name);
        } else if (fiber_now_us() >= leaving->deadline_us) {
            fprintf(stderr, "Guest %s has not shut down in %u second%s\n", leaving->guest->name,
                    stop->settings->shutdown_timeout_s,
                    plural_s(stop->settings->shutdown_timeout_s));
            stop->is_good = false;
        } else {
            continue;
        }
        g_array_remove_index_fast(stop->leaving, i);
    }
    return true;
}

/* When the time of all is over, those that have not been told yet are not told any more. */
static bool shut_down_all(Stop *stop, GError **error)
{
    guint limit = MAX(stop->settings->parallel_shutdown, 1);

    while (stop->next < stop->guests->len || stop->leaving->len > 0) {
        bool is_over = stop->settings->parallel_shutdown && fiber_now_us() >= stop->deadline_us;

        if (is_over && stop->next < stop->guests->len) {
            guint n_rest = stop->guests->len - stop->next;
            fprintf(stderr, "No time is left to shut down %u guest%s\n", n_rest, plural_s(n_rest));
            stop->next = stop->guests->len;
            stop->is_good = false;
        }
        while (stop->next < stop->guests->len && stop->leaving->len < limit)
            tell_next(stop);
        if (!look(stop, error))
            return false;
        if (stop->leaving->len > 0 && !fiber_sleep(LOOK_AGAIN_US, error))
            return false;
    }
    return true;
}

/* A daemon without guests is not started for this, when the host may be going down already. */
static bool may_have_guests(const GuestsService *service)
{
    g_autofree char *folder = paths_join(service->paths->run_dir, "qemu");
    g_autoptr(GPtrArray) names = NULL;

    return dir_list(folder, ".xml", &names, NULL) && names->len > 0;
}

static bool stop_guests(GuestsService *service, const char *uri, GString *record, GError **error)
{
    unsigned flags = VIR_CONNECT_LIST_DOMAINS_ACTIVE;
    g_autoptr(GuestsConnection) connection = NULL;
    g_autoptr(GPtrArray) persistent = NULL;
    g_autoptr(GPtrArray) guests = NULL;
    Stop stop = { .settings = service->settings, .is_good = true };
    bool is_done;

    connection = guests_connect(service->pool, service->paths, uri, error);
    if (!connection)
        return false;
    persistent = guests_list(connection, flags | VIR_CONNECT_LIST_DOMAINS_PERSISTENT, error);
    if (!persistent)
        return false;
    guests_record_append(record, uri, persistent);
    if (service->settings->kind == GUESTS_PERSISTENT)
        flags |= VIR_CONNECT_LIST_DOMAINS_PERSISTENT;
    guests = guests_list(connection, flags, error);
    if (!guests)
        return false;
    printf("Shutting down %u guest%s of %s\n", guests->len, plural_s(guests->len), uri);
    stop.connection = connection;
    stop.guests = guests;
    stop.deadline_us = deadline_of(service->settings);
    stop.leaving = g_array_new(FALSE, FALSE, sizeof(Leaving));
    is_done = shut_down_all(&stop, error);
    g_array_unref(stop.leaving);
    return is_done && stop.is_good;
}

static bool record_write(const GuestsService *service, const GString *record)
{
    g_autofree char *path = record_path(service);
    g_autoptr(GError) error = NULL;

    return (mkdir_parents(service->paths->state_dir, 0755, &error) &&
            file_replace_atomic(path, record->str, record->len, 0600, FILE_KEEP_UID, FILE_KEEP_GID,
                                &error)) ||
           complain(error);
}

bool guests_action_stop(GuestsService *service, bool records)
{
    g_autoptr(GString) record = g_string_new(NULL);
    bool is_good = true;

    for (char **uri = service->settings->uris; may_have_guests(service) && *uri; uri++) {
        g_autoptr(GError) error = NULL;

        if (stop_guests(service, *uri, record, &error))
            continue;
        is_good = false;
        if (error)
            complain(error);
    }
    if (records && !record_write(service, record))
        is_good = false;
    return set_started(service, false) && is_good;
}

/* ---- Status ---- */

bool guests_action_gueststatus(GuestsService *service)
{
    bool is_good = true;

    for (char **uri = service->settings->uris; *uri; uri++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GuestsConnection) connection =
            guests_connect(service->pool, service->paths, *uri, &error);
        g_autoptr(GPtrArray) guests =
            connection ? guests_list(connection, VIR_CONNECT_LIST_DOMAINS_ACTIVE, &error) : NULL;

        if (!guests) {
            is_good = complain(error);
            continue;
        }
        printf("* %s URI:", *uri);
        for (guint i = 0; i < guests->len; i++)
            printf(" %s", ((const GuestName *)guests->pdata[i])->name);
        printf("%s\n", guests->len ? "" : " no running guests");
    }
    return is_good;
}
