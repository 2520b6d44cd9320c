/* Statistics of many domains in one call. */
#include "virtqemud/domain_procedures.h"

#include <string.h>

#include "common/access.h"
#include "virtqemud/domain_call.h"
#include "virtqemud/guest/block_stats.h"
#include "virtqemud/guest/stats.h"
#include "wire/api_domain.h"
#include "wire/api_domain_fields.h"
#include "wire/remote.h"
#include "wire/remote_domain.h"

/* Those that choose domains, and those that say how statistics are made. */
#define STATS_FLAGS                                                                                \
    (VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE | VIR_CONNECT_GET_ALL_DOMAINS_STATS_INACTIVE |       \
     VIR_CONNECT_GET_ALL_DOMAINS_STATS_PERSISTENT | VIR_CONNECT_GET_ALL_DOMAINS_STATS_TRANSIENT |  \
     VIR_CONNECT_GET_ALL_DOMAINS_STATS_RUNNING | VIR_CONNECT_GET_ALL_DOMAINS_STATS_PAUSED |        \
     VIR_CONNECT_GET_ALL_DOMAINS_STATS_SHUTOFF | VIR_CONNECT_GET_ALL_DOMAINS_STATS_OTHER |         \
     VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT | VIR_CONNECT_GET_ALL_DOMAINS_STATS_BACKING |        \
     VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS)

/* perf, iothread, memory and vm have nothing to tell of guests as they are here. */
#define STATS_GROUPS                                                                               \
    (VIR_DOMAIN_STATS_STATE | VIR_DOMAIN_STATS_CPU_TOTAL | VIR_DOMAIN_STATS_BALLOON |              \
     VIR_DOMAIN_STATS_VCPU | VIR_DOMAIN_STATS_INTERFACE | VIR_DOMAIN_STATS_BLOCK |                 \
     VIR_DOMAIN_STATS_PERF | VIR_DOMAIN_STATS_IOTHREAD | VIR_DOMAIN_STATS_MEMORY |                 \
     VIR_DOMAIN_STATS_DIRTYRATE | VIR_DOMAIN_STATS_VM)

/* A QEMU that answers does so in much less; one that does not is not asked again until it has. */
#define ANSWER_MS 1000

/* Of the domains that the caller names, or of all. One that is gone meanwhile is left out. */
static GPtrArray *domains_for_stats(const Driver *driver,
                                    const remote_connect_get_all_domain_stats_args *args)
{
    GPtrArray *domains;

    if (args->doms.doms_len == 0)
        return object_store_list(driver->domains);
    domains = g_ptr_array_new_with_free_func(object_unref);
    for (u_int i = 0; i < args->doms.doms_len; i++) {
        Domain *domain;
        Uuid uuid;

        memcpy(uuid.bytes, args->doms.doms_val[i].uuid, sizeof(uuid.bytes));
        domain = object_store_find_uuid(driver->domains, &uuid);
        if (domain)
            g_ptr_array_add(domains, domain);
    }
    return domains;
}

static bool choose_groups(const remote_connect_get_all_domain_stats_args *args,
                          unsigned *ret_groups, GError **error)
{
    unsigned unknown = args->stats & ~(unsigned)STATS_GROUPS;

    if (unknown && args->flags & VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_ARGUMENT_UNSUPPORTED,
                  "Stats types bits 0x%x are not supported by this daemon or QEMU", unknown);
        return false;
    }
    *ret_groups = args->stats ? args->stats & STATS_GROUPS : STATS_GROUPS;
    return true;
}

/* What is known of a domain that does not run. */
static void add_inactive(Driver *driver, Domain *domain, unsigned groups, bool with_backing,
                         TypedParams *params)
{
    const DomainDef *def = definitions_get(driver->definitions, domain, NULL);

    if (!def)
        return;
    if (groups & VIR_DOMAIN_STATS_BALLOON) {
        typed_params_add_ullong(params, VIR_DOMAIN_STATS_BALLOON_CURRENT, def->current_memory_kib);
        typed_params_add_ullong(params, VIR_DOMAIN_STATS_BALLOON_MAXIMUM, def->memory_kib);
    }
    if (groups & VIR_DOMAIN_STATS_VCPU) {
        typed_params_add_uint(params, VIR_DOMAIN_STATS_VCPU_CURRENT, def->vcpus);
        typed_params_add_uint(params, VIR_DOMAIN_STATS_VCPU_MAXIMUM, def->max_vcpus);
    }
    if (groups & VIR_DOMAIN_STATS_BLOCK)
        block_stats_add(def, NULL, NULL, with_backing, params);
}

static void make_record(Driver *driver, Domain *domain, GuestStats *stats, unsigned groups,
                        bool with_backing, uint64_t deadline_us,
                        remote_domain_stats_record *ret_record)
{
    g_autoptr(TypedParams) params = typed_params_new();

    if (groups & VIR_DOMAIN_STATS_STATE) {
        typed_params_add_int(params, VIR_DOMAIN_STATS_STATE_STATE, domain->state);
        typed_params_add_int(params, VIR_DOMAIN_STATS_STATE_REASON, domain->reason);
    }
    if (stats)
        guest_stats_collect(stats, deadline_us, with_backing, params);
    else
        add_inactive(driver, domain, groups, with_backing, params);
    domain_to_wire(domain, &ret_record->dom);
    typed_params_steal(params, &ret_record->params.params_val, &ret_record->params.params_len);
}

/* All are asked before the first answer is waited for. Those without a guest have NULL. */
static GPtrArray *ask_all(const GPtrArray *domains, unsigned groups)
{
    GPtrArray *all = g_ptr_array_new_full(domains->len, (GDestroyNotify)guest_stats_free);

    for (guint i = 0; i < domains->len; i++) {
        const Domain *domain = domains->pdata[i];

        g_ptr_array_add(all, domain->guest ? guest_stats_ask(domain->guest, groups) : NULL);
    }
    return all;
}

static bool connect_get_all_domain_stats(Call *call,
                                         const remote_connect_get_all_domain_stats_args *args,
                                         remote_connect_get_all_domain_stats_ret *ret,
                                         GError **error)
{
    Driver *driver = driver_of(call, error);
    bool with_backing = args->flags & VIR_CONNECT_GET_ALL_DOMAINS_STATS_BACKING;
    g_autoptr(GPtrArray) domains = NULL;
    g_autoptr(GPtrArray) stats = NULL;
    uint64_t deadline_us = fiber_deadline_ms(ANSWER_MS);
    unsigned groups;

    if (!driver ||
        !call_check_flags("virConnectGetAllDomainStats", args->flags, STATS_FLAGS, error) ||
        !choose_groups(args, &groups, error))
        return false;
    domains = domains_for_stats(driver, args);
    /* The filter's flags have the same values here as in lists. */
    for (guint i = 0; i < domains->len;) {
        if (domain_matches(domains->pdata[i], args->flags & domain_filter_flags) &&
            access_may_list(call_get_client(call), call_get_wire(call)))
            i++;
        else
            g_ptr_array_remove_index(domains, i);
    }
    stats = ask_all(domains, groups);
    for (guint i = 0; i < stats->len; i++) {
        if (stats->pdata[i])
            guest_stats_ask_more(stats->pdata[i], deadline_us);
    }
    ret->retStats.retStats_val = g_new0(remote_domain_stats_record, domains->len);
    for (guint i = 0; i < domains->len; i++)
        make_record(driver, domains->pdata[i], stats->pdata[i], groups, with_backing, deadline_us,
                    &ret->retStats.retStats_val[ret->retStats.retStats_len++]);
    return true;
}

static const Procedure procedures[] = {
    PROCEDURE(REMOTE_PROC_CONNECT_GET_ALL_DOMAIN_STATS, connect_get_all_domain_stats,
              remote_connect_get_all_domain_stats_args, remote_connect_get_all_domain_stats_ret),
};

const ProcedureTable domain_stats_procedures = { REMOTE_PROGRAM, procedures,
                                                 G_N_ELEMENTS(procedures) };
