/* What a domain is busy with. Jobs that take long and can be watched (saving, migrating) come
 * with their calls; a start is shown while it lasts. */
#include "virtqemud/domain_procedures.h"

#include "virtqemud/domain_call.h"
#include "virtqemud/guest/guest.h"
#include "wire/api_domain.h"
#include "wire/remote.h"
#include "wire/remote_domain.h"
#include "wire/typed_params.h"



static uint64_t since_ms(uint64_t start_us)
{
    return (fiber_now_us() - start_us) / 1000;
}

static bool is_starting(const Domain *domain)
{
    return domain->jobs.api && domain->jobs.operation == VIR_DOMAIN_JOB_OPERATION_START;
}

/* One that is only starting has a job already. */
static bool check_has_guest(const Domain *domain, GError **error)
{
    if (domain->guest)
        return true;
    error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID, "domain is not running");
    return false;
}

static bool domain_get_control_info(Call *call, const remote_domain_get_control_info_args *args,
                                    remote_domain_get_control_info_ret *ret, GError **error)
{
    Driver *driver;
    Domain *domain = NULL;
    Guest *guest;
    uint64_t unanswered_us;

    if (call_check_flags("virDomainGetControlInfo", args->flags, 0, error))
        domain = call_get_domain(call, args->dom, &driver, error);
    guest = domain ? guest_of(domain, error) : NULL;
    if (guest) {
        unanswered_us = guest->monitor ? qmp_session_unanswered_since_us(guest->monitor) : 0;
        if (!guest->monitor) {
            ret->state = VIR_DOMAIN_CONTROL_ERROR;
            ret->details = VIR_DOMAIN_CONTROL_ERROR_REASON_MONITOR;
        } else if (unanswered_us) {
            ret->state = VIR_DOMAIN_CONTROL_OCCUPIED;
            ret->stateTime = since_ms(unanswered_us);
        } else if (domain->jobs.api) {
            ret->state = VIR_DOMAIN_CONTROL_OCCUPIED;
            ret->stateTime = since_ms(domain->jobs.since_us);
        }
    }
    object_unref(domain);
    return guest != NULL;
}

static bool domain_get_job_info(Call *call, const remote_domain_get_job_info_args *args,
                                remote_domain_get_job_info_ret *ret, GError **error)
{
    Driver *driver;
    Domain *domain = call_get_domain(call, args->dom, &driver, error);
    bool is_known = domain && check_has_guest(domain, error);

    ret->type = VIR_DOMAIN_JOB_NONE;
    if (is_known && is_starting(domain)) {
        ret->type = VIR_DOMAIN_JOB_UNBOUNDED;
        ret->timeElapsed = since_ms(domain->jobs.since_us);
    }
    object_unref(domain);
    return is_known;
}

static bool domain_get_job_stats(Call *call, const remote_domain_get_job_stats_args *args,
                                 remote_domain_get_job_stats_ret *ret, GError **error)
{
    g_autoptr(TypedParams) params = typed_params_new();
    Driver *driver;
    Domain *domain = NULL;

    if (call_check_flags("virDomainGetJobStats", args->flags & ~(unsigned)VIR_TYPED_PARAM_STRING_OKAY,
                         VIR_DOMAIN_JOB_STATS_COMPLETED | VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED,
                         error))
        domain = call_get_domain(call, args->dom, &driver, error);
    /* Of the last job that ended none is kept, whether the guest runs or not. */
    if (!domain || (!(args->flags & VIR_DOMAIN_JOB_STATS_COMPLETED) &&
                    !check_has_guest(domain, error))) {
        object_unref(domain);
        return false;
    }
    ret->type = VIR_DOMAIN_JOB_NONE;
    if (is_starting(domain) && !(args->flags & VIR_DOMAIN_JOB_STATS_COMPLETED)) {
        ret->type = VIR_DOMAIN_JOB_UNBOUNDED;
        typed_params_add_int(params, "operation", domain->jobs.operation);
        typed_params_add_ullong(params, "time_elapsed", since_ms(domain->jobs.since_us));
    }
    typed_params_steal(params, &ret->params.params_val, &ret->params.params_len);
    object_unref(domain);
    return true;
}

/* A start is ended by destroying the guest; nothing else lasts. */
static bool abort_job(Call *call, remote_nonnull_domain wire, GError **error)
{
    Driver *driver;
    Domain *domain = call_get_domain(call, wire, &driver, error);

    if (domain && guest_of(domain, error))
        error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID,
                  "no job is active on the domain");
    object_unref(domain);
    return false;
}

static bool domain_abort_job(Call *call, const remote_domain_abort_job_args *args, none *ret,
                             GError **error)
{
    return abort_job(call, args->dom, error);
}

static bool domain_abort_job_flags(Call *call, const remote_domain_abort_job_flags_args *args,
                                   none *ret, GError **error)
{
    return call_check_flags("virDomainAbortJobFlags", args->flags, 1, error) &&
           abort_job(call, args->dom, error);
}

static const Procedure procedures[] = {
    PROCEDURE(REMOTE_PROC_DOMAIN_GET_CONTROL_INFO, domain_get_control_info,
              remote_domain_get_control_info_args, remote_domain_get_control_info_ret),
    PROCEDURE(REMOTE_PROC_DOMAIN_GET_JOB_INFO, domain_get_job_info,
              remote_domain_get_job_info_args, remote_domain_get_job_info_ret),
    PROCEDURE(REMOTE_PROC_DOMAIN_GET_JOB_STATS, domain_get_job_stats,
              remote_domain_get_job_stats_args, remote_domain_get_job_stats_ret),
    PROCEDURE(REMOTE_PROC_DOMAIN_ABORT_JOB, domain_abort_job, remote_domain_abort_job_args, none),
    PROCEDURE(REMOTE_PROC_DOMAIN_ABORT_JOB_FLAGS, domain_abort_job_flags,
              remote_domain_abort_job_flags_args, none),
};

const ProcedureTable domain_job_procedures = { REMOTE_PROGRAM, procedures,
                                               G_N_ELEMENTS(procedures) };
