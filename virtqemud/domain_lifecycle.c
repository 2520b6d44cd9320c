/* Starting and ending guests, and what lies between. Each call that changes the guest has the
 * domain's job while it does; destroy has none, because it must not wait for a guest that hangs. */
#include "virtqemud/domain_procedures.h"

#include "json/value.h"
#include "virtqemud/domain_call.h"
#include "virtqemud/domain_emit.h"
#include "virtqemud/domain_prepare.h"
#include "virtqemud/guest/guest.h"
#include "virtqemud/guest/locks.h"
#include "virtqemud/guest/status.h"
#include "wire/api_domain.h"
#include "wire/api_domain_event.h"
#include "wire/remote.h"
#include "wire/remote_domain.h"

#define START_FLAGS                                                                                \
    (VIR_DOMAIN_START_PAUSED | VIR_DOMAIN_START_AUTODESTROY | VIR_DOMAIN_START_BYPASS_CACHE |      \
     VIR_DOMAIN_START_FORCE_BOOT | VIR_DOMAIN_START_RESET_NVRAM)
#define CREATE_FLAGS                                                                               \
    (VIR_DOMAIN_START_PAUSED | VIR_DOMAIN_START_AUTODESTROY | VIR_DOMAIN_START_VALIDATE |          \
     VIR_DOMAIN_START_RESET_NVRAM)

/* ---- Start ---- */

static bool check_inactive(const Domain *domain, GError **error)
{
    if (!domain->guest)
        return true;
    error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID, "domain is already running");
    return false;
}

static bool start_defined(Driver *driver, Domain *domain, unsigned flags, Client *client,
                          GError **error)
{
    const DomainDef *definition =
        check_inactive(domain, error) ? definitions_get(driver->definitions, domain, error) : NULL;
    DomainDef *def = definition ? domain_def_copy(definition) : NULL;

    return def && guest_start(driver, domain, def, flags, client, error);
}

static bool start(Call *call, remote_nonnull_domain wire, unsigned flags, const char *api,
                  remote_nonnull_domain *ret_wire, GError **error)
{
    Driver *driver;
    Domain *domain = NULL;
    bool is_started;

    if (call_check_flags(api, flags, START_FLAGS, error))
        domain = call_get_domain(call, wire, &driver, error);
    if (!domain)
        return false;
    is_started = job_begin(&domain->jobs, api, VIR_DOMAIN_JOB_OPERATION_START, error);
    if (is_started) {
        is_started = start_defined(driver, domain, flags, call_get_client(call), error);
        job_end(&domain->jobs);
    }
    if (is_started && ret_wire)
        domain_to_wire(domain, ret_wire);
    object_unref(domain);
    return is_started;
}

static bool domain_create(Call *call, const remote_domain_create_args *args, none *ret,
                          GError **error)
{
    return start(call, args->dom, 0, "virDomainCreate", NULL, error);
}

static bool domain_create_with_flags(Call *call, const remote_domain_create_with_flags_args *args,
                                     remote_domain_create_with_flags_ret *ret, GError **error)
{
    return start(call, args->dom, args->flags, "virDomainCreateWithFlags", &ret->dom, error);
}

/* Takes @def. A domain that was not in the store leaves it when its guest does. */
static bool create_prepared(Driver *driver, Domain *domain, DomainDef *taken_def, unsigned flags,
                            Client *client, GError **error)
{
    g_autoptr(DomainDef) def = taken_def;

    if (domain->guest) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID,
                  "domain '%s' is already active", domain->object.name);
        return false;
    }
    if (!object_is_in_store(&domain->object) &&
        !object_store_add(driver->domains, &domain->object, error))
        return false;
    if (guest_start(driver, domain, g_steal_pointer(&def), flags, client, error))
        return true;
    /* It may not even have become a guest. */
    driver_forget_domain(driver, domain);
    return false;
}

static bool domain_create_xml(Call *call, const remote_domain_create_xml_args *args,
                              remote_domain_create_xml_ret *ret, GError **error)
{
    Driver *driver = driver_of(call, error);
    g_autoptr(DomainDef) def = NULL;
    Domain *domain = NULL;
    bool is_new, is_started;

    if (!driver || !call_check_flags("virDomainCreateXML", args->flags, CREATE_FLAGS, error))
        return false;
    def = domain_prepare_definition(driver, args->xml_desc,
                                    args->flags & VIR_DOMAIN_START_VALIDATE, error);
    domain = def ? domain_find_for(driver, def, &is_new, error) : NULL;
    if (!domain)
        return false;
    is_started = job_begin(&domain->jobs, "virDomainCreateXML", VIR_DOMAIN_JOB_OPERATION_START,
                           error);
    if (is_started) {
        is_started = create_prepared(driver, domain, g_steal_pointer(&def), args->flags,
                                     call_get_client(call), error);
        job_end(&domain->jobs);
    }
    if (is_started)
        domain_to_wire(domain, &ret->dom);
    object_unref(domain);
    return is_started;
}

/* ---- Between ---- */

/* A command that changes the guest, sent with the job; @check (may be NULL) says whether the
 * guest is in a state for it. */
typedef struct Change {
    const char *api, *command;
    bool (*check)(Guest *guest, GError **error);
    void (*before)(Guest *guest);
    /* Around the command, may wait: the second follows when the first, if any, has succeeded. */
    bool (*begin)(Guest *guest, GError **error);
    void (*end)(Guest *guest);
} Change;

static bool send_change(Domain *domain, const Change *change, GError **error)
{
    g_autoptr(QmpSession) monitor = guest_monitor_of(domain, error);

    if (!monitor)
        return false;
    if (change->before)
        change->before(domain->guest);
    return !change->command || qmp_execute(monitor, change->command, NULL,
                                           fiber_deadline_ms(GUEST_ANSWER_MS), NULL, error);
}

static bool change_running(Domain *domain, const Change *change, GError **error)
{
    Guest *found = guest_of(domain, error);
    g_autoptr(Guest) guest = found ? guest_ref(found) : NULL;
    bool is_changed;

    if (!guest || (change->check && !change->check(guest, error)) ||
        (change->begin && !change->begin(guest, error)))
        return false;
    is_changed = send_change(domain, change, error);
    if (change->end && (is_changed || change->begin))
        change->end(guest);
    return is_changed;
}

static bool change(Call *call, remote_nonnull_domain wire, const Change *change, GError **error)
{
    Driver *driver;
    Domain *domain = call_get_domain(call, wire, &driver, error);
    bool is_changed;

    if (!domain)
        return false;
    is_changed = guest_of(domain, error) && job_begin(&domain->jobs, change->api, 0, error);
    if (is_changed) {
        is_changed = change_running(domain, change, error);
        job_end(&domain->jobs);
    }
    object_unref(domain);
    return is_changed;
}

static bool check_can_pause(Guest *guest, GError **error)
{
    if (guest->domain->state != VIR_DOMAIN_PMSUSPENDED)
        return true;
    error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID, "domain is pmsuspended");
    return false;
}

static void expect_pause(Guest *guest)
{
    if (guest->domain->state == VIR_DOMAIN_RUNNING)
        guest->next_pause_reason = VIR_DOMAIN_PAUSED_USER;
}

static bool domain_suspend(Call *call, const remote_domain_suspend_args *args, none *ret,
                           GError **error)
{
    static const Change suspend = { .api = "virDomainSuspend", .command = "stop",
                                    .check = check_can_pause, .before = expect_pause,
                                    .end = guest_locks_give_if_paused };

    return change(call, args->dom, &suspend, error);
}

static bool check_can_resume(Guest *guest, GError **error)
{
    if (guest->domain->state == VIR_DOMAIN_PMSUSPENDED) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID, "domain is pmsuspended");
        return false;
    }
    if (guest->domain->state == VIR_DOMAIN_RUNNING) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID, "domain is already running");
        return false;
    }
    return true;
}

static bool domain_resume(Call *call, const remote_domain_resume_args *args, none *ret,
                          GError **error)
{
    static const Change resume = { .api = "virDomainResume", .command = "cont",
                                   .check = check_can_resume, .begin = guest_locks_begin_resume,
                                   .end = guest_locks_end_resume };

    return change(call, args->dom, &resume, error);
}

static bool domain_reset(Call *call, const remote_domain_reset_args *args, none *ret,
                         GError **error)
{
    static const Change reset = { .api = "virDomainReset", .command = "system_reset" };

    return call_check_flags("virDomainReset", args->flags, 0, error) &&
           change(call, args->dom, &reset, error);
}

/* The modes that there are for QEMU: the power button, and the agent, which is not there yet;
 * where both are allowed the button is as good. */
typedef struct Button {
    const Change change;
    unsigned acpi, agent; /* flags */
} Button;

static bool check_has_agent(Guest *guest, GError **error)
{
    if (guest->domain->state != VIR_DOMAIN_RUNNING)
        error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID, "domain is not running");
    else
        error_set(error, VIR_FROM_QEMU, VIR_ERR_ARGUMENT_UNSUPPORTED,
                  "QEMU guest agent is not configured");
    return false;
}

static bool press(Call *call, remote_nonnull_domain wire, unsigned flags, const Button *button,
                  GError **error)
{
    Change pressed = button->change;

    if (!call_check_flags(pressed.api, flags, button->acpi | button->agent, error))
        return false;
    if (flags & button->agent && !(flags & button->acpi))
        pressed.check = check_has_agent;
    return change(call, wire, &pressed, error);
}

static void forget_reboot(Guest *guest)
{
    guest->reboots_at_shutdown = false;
    guest_status_changed(guest);
}

static void expect_reboot(Guest *guest)
{
    guest->reboots_at_shutdown = true;
    guest_status_changed(guest);
}

static bool shut_down(Call *call, remote_nonnull_domain wire, unsigned flags, GError **error)
{
    static const Button shutdown = {
        { .api = "virDomainShutdownFlags", .command = "system_powerdown", .before = forget_reboot },
        VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN, VIR_DOMAIN_SHUTDOWN_GUEST_AGENT
    };

    return press(call, wire, flags, &shutdown, error);
}

static bool domain_shutdown(Call *call, const remote_domain_shutdown_args *args, none *ret,
                            GError **error)
{
    return shut_down(call, args->dom, 0, error);
}

static bool domain_shutdown_flags(Call *call, const remote_domain_shutdown_flags_args *args,
                                  none *ret, GError **error)
{
    return shut_down(call, args->dom, args->flags, error);
}

/* The guest shuts down, and is reset when it has: QEMU has no button for that. */
static bool domain_reboot(Call *call, const remote_domain_reboot_args *args, none *ret,
                          GError **error)
{
    static const Button reboot = {
        { .api = "virDomainReboot", .command = "system_powerdown", .before = expect_reboot },
        VIR_DOMAIN_REBOOT_ACPI_POWER_BTN, VIR_DOMAIN_REBOOT_GUEST_AGENT
    };

    return press(call, args->dom, args->flags, &reboot, error);
}

/* ---- End ---- */

static bool destroy(Call *call, remote_nonnull_domain wire, unsigned flags, GError **error)
{
    Driver *driver;
    Domain *domain = NULL;
    bool is_destroyed = false;

    if (call_check_flags("virDomainDestroyFlags", flags,
                         VIR_DOMAIN_DESTROY_GRACEFUL | VIR_DOMAIN_DESTROY_REMOVE_LOGS, error))
        domain = call_get_domain(call, wire, &driver, error);
    if (!domain)
        return false;
    if (!domain->guest)
        error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID, "domain is not running");
    else
        is_destroyed = guest_stop(domain->guest, GUEST_END_DESTROYED,
                                  flags & VIR_DOMAIN_DESTROY_GRACEFUL, error);
    if (is_destroyed && flags & VIR_DOMAIN_DESTROY_REMOVE_LOGS)
        log_file_remove(daemon_get_paths(driver->daemon), domain->object.name);
    object_unref(domain);
    return is_destroyed;
}

static bool domain_destroy(Call *call, const remote_domain_destroy_args *args, none *ret,
                           GError **error)
{
    return destroy(call, args->dom, 0, error);
}

static bool domain_destroy_flags(Call *call, const remote_domain_destroy_flags_args *args,
                                 none *ret, GError **error)
{
    return destroy(call, args->dom, args->flags, error);
}

static const Procedure procedures[] = {
    PROCEDURE(REMOTE_PROC_DOMAIN_CREATE, domain_create, remote_domain_create_args, none),
    PROCEDURE(REMOTE_PROC_DOMAIN_CREATE_WITH_FLAGS, domain_create_with_flags,
              remote_domain_create_with_flags_args, remote_domain_create_with_flags_ret),
    PROCEDURE(REMOTE_PROC_DOMAIN_CREATE_XML, domain_create_xml, remote_domain_create_xml_args,
              remote_domain_create_xml_ret),
    PROCEDURE(REMOTE_PROC_DOMAIN_SUSPEND, domain_suspend, remote_domain_suspend_args, none),
    PROCEDURE(REMOTE_PROC_DOMAIN_RESUME, domain_resume, remote_domain_resume_args, none),
    PROCEDURE(REMOTE_PROC_DOMAIN_RESET, domain_reset, remote_domain_reset_args, none),
    PROCEDURE(REMOTE_PROC_DOMAIN_SHUTDOWN, domain_shutdown, remote_domain_shutdown_args, none),
    PROCEDURE(REMOTE_PROC_DOMAIN_SHUTDOWN_FLAGS, domain_shutdown_flags,
              remote_domain_shutdown_flags_args, none),
    PROCEDURE(REMOTE_PROC_DOMAIN_REBOOT, domain_reboot, remote_domain_reboot_args, none),
    PROCEDURE(REMOTE_PROC_DOMAIN_DESTROY, domain_destroy, remote_domain_destroy_args, none),
    PROCEDURE(REMOTE_PROC_DOMAIN_DESTROY_FLAGS, domain_destroy_flags,
              remote_domain_destroy_flags_args, none),
};

const ProcedureTable domain_lifecycle_procedures = { REMOTE_PROGRAM, procedures,
                                                     G_N_ELEMENTS(procedures) };
