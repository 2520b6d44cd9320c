/* max_age_days: at start, when the configuration is loaded anew, and every hour. */
#include "base/log.h"
#include "base/plural.h"
#include "virtlogd/logs_private.h"
#include "virtlogd/old_files.h"

LOG_INIT("log.aging");

#define ROUND_US (3600 * (uint64_t)G_USEC_PER_SEC)
#define ROUND_ACCURACY_US (60 * (uint64_t)G_USEC_PER_SEC)
#define DAY_S 86400

typedef struct Aging {
    char *folder;
    unsigned n_days;
    GArray *open; /* of FileId */
    unsigned n_deleted;
} Aging;

/* A log of a guest that says nothing is old, and in use. */
static GArray *list_open(const Logs *logs)
{
    GArray *open = g_array_new(FALSE, FALSE, sizeof(FileId));
    GHashTableIter iter;
    void *value;

    g_hash_table_iter_init(&iter, logs->by_path);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const LogFile *file = ((GuestLog *)value)->drain.file;
        FileId id = { file->dev, file->ino };

        g_array_append_val(open, id);
    }
    return open;
}

static void aging_work(void *data)
{
    Aging *aging = data;

    aging->n_deleted = old_files_delete(aging->folder,
                                        time(NULL) - (time_t)aging->n_days * DAY_S, aging->open);
}

static void aging_done(void *data)
{
    Aging *aging = data;

    if (aging->n_deleted > 0)
        LOG_INFO("deleted %u file%s below %s, unchanged for %u day%s", aging->n_deleted,
                 plural_s(aging->n_deleted), aging->folder, aging->n_days,
                 plural_s(aging->n_days));
    g_array_unref(aging->open);
    g_free(aging->folder);
    g_free(aging);
}

static void aging_run(Logs *logs)
{
    const DaemonConfig *config = daemon_get_config(logs->daemon);
    const Paths *paths = daemon_get_paths(logs->daemon);
    g_autoptr(GError) error = NULL;
    Aging *aging = g_new0(Aging, 1);

    aging->folder = g_strdup(config->log_root ? config->log_root : paths->log_dir);
    aging->n_days = config->max_age_days;
    aging->open = list_open(logs);
    if (lanes_submit(logs->lanes, aging->folder, aging_work, aging_done, aging, &error))
        return;
    LOG_GERROR(error);
    aging_done(aging);
}

static int aging_on_timer(sd_event_source *source, uint64_t usec, void *data)
{
    Logs *logs = data;

    aging_run(logs);
    sd_event_source_set_time_relative(source, ROUND_US);
    sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
    return 0;
}

void logs_begin_aging(Logs *logs)
{
    if (daemon_get_config(logs->daemon)->max_age_days == 0)
        return;
    sd_event_add_time_relative(daemon_get_event(logs->daemon), &logs->age_timer, CLOCK_MONOTONIC, 0,
                               ROUND_ACCURACY_US, aging_on_timer, logs);
}

void logs_end_aging(Logs *logs)
{
    logs->age_timer = sd_event_source_disable_unref(logs->age_timer);
}
