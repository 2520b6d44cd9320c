/* A failure is logged and stops nobody else. Whether a domain is wanted is decided once, when its
 * turn comes. */
#include "virtqemud/autostart.h"

#include "base/file.h"
#include "base/log.h"
#include "virtqemud/guest/guest.h"
#include "wire/api_domain.h"

LOG_INIT("qemu.autostart");

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

static void autostart_fiber(void *data)
{
    Driver *driver = data;
    g_autoptr(GPtrArray) domains = object_store_list(driver->domains);
    bool is_first = true;

    for (guint i = 0; i < domains->len && !fiber_is_cancelled(fiber_current()); i++) {
        Domain *domain = domains->pdata[i];

        if (!is_wanted(domain))
            continue;
        forget_once(driver, domain);
        if (domain->guest)
            continue;
        if (!is_first && driver->conf->auto_start_delay &&
            !fiber_sleep((uint64_t)driver->conf->auto_start_delay * 1000, NULL))
            break;
        is_first = false;
        start_domain(driver, domain);
    }
    daemon_uninhibit_idle(driver->daemon);
}

void autostart_later(Driver *driver)
{
    g_autofree char *mark = g_build_filename(driver->folders->run_dir, "autostarted", NULL);
    g_autoptr(GError) error = NULL;

    if (g_file_test(mark, G_FILE_TEST_EXISTS))
        return;
    if (!file_replace_volatile(mark, "", 0, 0600, &error)) {
        LOG_GERROR(error);
        return;
    }
    daemon_inhibit_idle(driver->daemon);
    if (fiber_spawn(daemon_get_loop(driver->daemon), "autostart", autostart_fiber, driver, NULL,
                    &error))
        return;
    LOG_GERROR(error);
    daemon_uninhibit_idle(driver->daemon);
}
