/* A failure is logged and stops nobody else. Whether a domain is wanted is decided once, when its
 * turn comes. */
#include "virtqemud/autostart.h"

#include "base/file.h"
#include "base/log.h"
#include "virtqemud/guest/guest.h"
#include "wire/api_domain.h"

LOG_INIT("qemu.autostart");

#define UNDER_WAY "under way\n"
#define MARK_MAX (16 * 1024 * 1024)

typedef struct Autostart {
    Driver *driver;
    char *path;
    GString *done; /* what is in the file: uuids */
} Autostart;

static void start_domain(Driver *driver, Domain *domain)
{
    g_autoptr(GError) error = NULL;
    const DomainDef *definition;

    if (!job_begin(&domain->jobs, "autostart", VIR_DOMAIN_JOB_OPERATION_START, &error)) {
        LOG_GERROR(error);
        return;
    }
    if (!domain->guest && object_is_in_store(&domain->object)) {
        definition = definitions_get(driver->definitions, domain, &error);
        if (!definition ||
            !guest_start(driver, domain, domain_def_copy(definition), 0, NULL, &error))
            LOG_ERROR("domain '%s' could not be started with the host: %s", domain->object.name,
                      error->message);
    }
    job_end(&domain->jobs);
}

static bool is_wanted(const Domain *domain)
{
    return domain->is_autostarted || domain->is_autostarted_once;
}

/* Before the start: one that takes the host down must not be tried again for ever. */
static void forget_once(Driver *driver, Domain *domain)
{
    g_autoptr(GError) error = NULL;

    if (!domain->is_autostarted_once)
        return;
    /* For as long as it takes: whoever has the lock writes a file. */
    if (fiber_mutex_lock(&domain->definition_lock, FIBER_FOREVER, &error)) {
        if (domain->is_autostarted_once)
            definitions_set_autostart(driver->definitions, domain, AUTOSTART_ONCE, false, &error);
        driver_unlock_definition(driver, domain);
    }
    if (error)
        LOG_GERROR(error);
}

static void note(const Autostart *autostart)
{
    g_autoptr(GError) error = NULL;

    if (!file_replace_volatile(autostart->path, autostart->done->str, autostart->done->len, 0600,
                               &error))
        LOG_GERROR(error);
}

static bool is_done(const Autostart *autostart, const Domain *domain)
{
    char uuid[UUID_TEXT_SIZE];

    return strstr(autostart->done->str, uuid_format(&domain->object.uuid, uuid)) != NULL;
}

/* On record as done before that is so: one that takes the daemon down is not tried again. */
static void start_once(Autostart *autostart, Domain *domain)
{
    gsize before = autostart->done->len;
    char uuid[UUID_TEXT_SIZE];

    g_string_append_printf(autostart->done, "%s\n", uuid_format(&domain->object.uuid, uuid));
    note(autostart);
    start_domain(autostart->driver, domain);
    /* A start that the daemon's own end has cut short is the next daemon's. */
    if (!domain->guest && fiber_is_cancelled(fiber_current())) {
        g_string_truncate(autostart->done, before);
        note(autostart);
    }
}

static void start_all(Autostart *autostart)
{
    Driver *driver = autostart->driver;
    g_autoptr(GPtrArray) domains = object_store_list(driver->domains);
    bool is_first = true;

    for (guint i = 0; i < domains->len && !fiber_is_cancelled(fiber_current()); i++) {
        Domain *domain = domains->pdata[i];

        if (!is_wanted(domain) || is_done(autostart, domain))
            continue;
        forget_once(driver, domain);
        if (domain->guest)
            continue;
        if (!is_first && driver->conf->auto_start_delay &&
            !fiber_sleep((uint64_t)driver->conf->auto_start_delay * 1000, NULL))
            break;
        is_first = false;
        start_once(autostart, domain);
    }
}

static void autostart_free(Autostart *autostart)
{
    g_free(autostart->path);
    g_string_free(autostart->done, TRUE);
    g_free(autostart);
}

static void autostart_fiber(void *data)
{
    Autostart *autostart = data;
    Daemon *daemon = autostart->driver->daemon;

    start_all(autostart);
    if (!fiber_is_cancelled(fiber_current())) {
        g_string_truncate(autostart->done, 0);
        note(autostart);
    }
    autostart_free(autostart);
    daemon_uninhibit_idle(daemon);
}

void autostart_later(Driver *driver)
{
    g_autofree char *path = g_build_filename(driver->folders->run_dir, "autostarted", NULL);
    g_autofree char *done = NULL;
    g_autoptr(GError) error = NULL;
    Autostart *autostart;

    if (!file_read_if_exists(path, MARK_MAX, &done, NULL, &error)) {
        LOG_GERROR(error);
        return;
    }
    if (done && !*done)
        return;
    autostart = g_new0(Autostart, 1);
    autostart->driver = driver;
    autostart->path = g_steal_pointer(&path);
    autostart->done = g_string_new(done ? done : UNDER_WAY);
    note(autostart);
    daemon_inhibit_idle(driver->daemon);
    if (fiber_spawn(daemon_get_loop(driver->daemon), "autostart", autostart_fiber, autostart, NULL,
                    &error))
        return;
    LOG_GERROR(error);
    autostart_free(autostart);
    daemon_uninhibit_idle(driver->daemon);
}
