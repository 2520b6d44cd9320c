/* Asking about one domain. None of these asks QEMU: what it told last is known here, so that a
 * guest that hangs is no reason to wait. */
#include "virtqemud/domain_procedures.h"

#include <string.h>

#include "virtqemud/domain_call.h"
#include "virtqemud/guest/guest.h"
#include "virtqemud/guest/usage.h"
#include "wire/api_domain.h"
#include "wire/remote.h"
#include "wire/remote_domain.h"
#include "wire/remote_domain_save.h"
#include "wire/remote_domain_tune.h"

#define XML_FLAGS                                                                                  \
    (VIR_DOMAIN_XML_SECURE | VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_UPDATE_CPU |                 \
     VIR_DOMAIN_XML_MIGRATABLE)

/* The running guest's definition, or the persistent one: borrowed until the next suspension.
 * @wants_inactive chooses the latter for a domain that has both. */
static const DomainDef *domain_get_def(Driver *driver, Domain *domain, bool wants_inactive,
                                       GError **error)
{
    if (domain->guest && (!wants_inactive || !domain->is_persistent))
        return domain->guest->def;
    return definitions_get(driver->definitions, domain, error);
}

static bool domain_get_xml_desc(Call *call, const remote_domain_get_xml_desc_args *args,
                                remote_domain_get_xml_desc_ret *ret, GError **error)
{
    bool is_inactive = args->flags & VIR_DOMAIN_XML_INACTIVE;
    const DomainDef *def;
    DomainFormatFlags flags = 0;
    Driver *driver;
    Domain *domain = NULL;

    if (call_check_flags("virDomainGetXMLDesc", args->flags, XML_FLAGS, error))
        domain = call_get_domain(call, args->dom, &driver, error);
    if (!domain)
        return false;
    /* What goes to another host is defined there: without what only this run has, but with
     * secrets. */
    if (is_inactive || !domain->guest || args->flags & VIR_DOMAIN_XML_MIGRATABLE)
        flags |= DOMAIN_FORMAT_INACTIVE;
    if (args->flags & (VIR_DOMAIN_XML_SECURE | VIR_DOMAIN_XML_MIGRATABLE))
        flags |= DOMAIN_FORMAT_SECURE;
    if (args->flags & VIR_DOMAIN_XML_MIGRATABLE)
        flags |= DOMAIN_FORMAT_MIGRATABLE;
    def = domain_get_def(driver, domain, is_inactive, error);
    if (def)
        ret->xml = domain_def_format(def, flags);
    object_unref(domain);
    return def != NULL;
}

static bool domain_get_info(Call *call, const remote_domain_get_info_args *args,
                            remote_domain_get_info_ret *ret, GError **error)
{
    Driver *driver;
    Domain *domain = call_get_domain(call, args->dom, &driver, error);
    const DomainDef *def = domain ? domain_get_def(driver, domain, false, error) : NULL;

    if (def) {
        ret->state = (unsigned char)domain->state;
        ret->maxMem = def->memory_kib;
        ret->memory = def->current_memory_kib;
        ret->nrVirtCpu = (unsigned short)def->vcpus;
        ret->cpuTime = domain->guest ? guest_cpu_time_ns(domain->guest) : 0;
    }
    object_unref(domain);
    return def != NULL;
}

static bool domain_get_state(Call *call, const remote_domain_get_state_args *args,
                             remote_domain_get_state_ret *ret, GError **error)
{
    Driver *driver;
    Domain *domain = NULL;

    if (call_check_flags("virDomainGetState", args->flags, 0, error))
        domain = call_get_domain(call, args->dom, &driver, error);
    if (!domain)
        return false;
    ret->state = domain->state;
    ret->reason = domain->reason;
    object_unref(domain);
    return true;
}

static bool domain_get_os_type(Call *call, const remote_domain_get_os_type_args *args,
                               remote_domain_get_os_type_ret *ret, GError **error)
{
    Driver *driver;
    Domain *domain = call_get_domain(call, args->dom, &driver, error);
    const DomainDef *def = domain ? domain_get_def(driver, domain, false, error) : NULL;

    if (def)
        ret->type = g_strdup(def->os.type);
    object_unref(domain);
    return def != NULL;
}

static bool domain_get_max_memory(Call *call, const remote_domain_get_max_memory_args *args,
                                  remote_domain_get_max_memory_ret *ret, GError **error)
{
    Driver *driver;
    Domain *domain = call_get_domain(call, args->dom, &driver, error);
    const DomainDef *def = domain ? domain_get_def(driver, domain, false, error) : NULL;

    if (def)
        ret->memory = def->memory_kib;
    object_unref(domain);
    return def != NULL;
}

/* The number that @flags ask for. VIR_DOMAIN_VCPU_LIVE and CONFIG are those of AFFECT. */
static bool count_vcpus(Driver *driver, Domain *domain, unsigned flags, int *ret_num,
                        GError **error)
{
    bool is_live, is_config;
    const DomainDef *def;

    if (!domain_resolve_affect(domain, flags, &is_live, &is_config, error))
        return false;
    if (is_live && is_config) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG,
                  "flags VIR_DOMAIN_VCPU_LIVE and VIR_DOMAIN_VCPU_CONFIG exclude each other");
        return false;
    }
    def = is_live ? domain->guest->def : definitions_get(driver->definitions, domain, error);
    if (!def)
        return false;
    *ret_num = (int)(flags & VIR_DOMAIN_VCPU_MAXIMUM ? def->max_vcpus : def->vcpus);
    return true;
}

static bool domain_get_vcpus_flags(Call *call, const remote_domain_get_vcpus_flags_args *args,
                                   remote_domain_get_vcpus_flags_ret *ret, GError **error)
{
    Driver *driver;
    Domain *domain = NULL;
    bool is_known;

    if (args->flags & VIR_DOMAIN_VCPU_GUEST) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_ARGUMENT_UNSUPPORTED,
                  "virDomainGetVcpusFlags by way of the guest agent is not supported yet");
        return false;
    }
    if (call_check_flags("virDomainGetVcpusFlags", args->flags,
                         VIR_DOMAIN_VCPU_LIVE | VIR_DOMAIN_VCPU_CONFIG | VIR_DOMAIN_VCPU_MAXIMUM,
                         error))
        domain = call_get_domain(call, args->dom, &driver, error);
    if (!domain)
        return false;
    is_known = count_vcpus(driver, domain, args->flags, &ret->num, error);
    object_unref(domain);
    return is_known;
}

/* Of a guest that runs, what it may have; else what it will. */
static bool domain_get_max_vcpus(Call *call, const remote_domain_get_max_vcpus_args *args,
                                 remote_domain_get_max_vcpus_ret *ret, GError **error)
{
    Driver *driver;
    Domain *domain = call_get_domain(call, args->dom, &driver, error);
    const DomainDef *def = domain ? domain_get_def(driver, domain, false, error) : NULL;

    if (def)
        ret->num = (int)def->max_vcpus;
    object_unref(domain);
    return def != NULL;
}

static bool domain_is_active_call(Call *call, const remote_domain_is_active_args *args,
                                  remote_domain_is_active_ret *ret, GError **error)
{
    Driver *driver;
    Domain *domain = call_get_domain(call, args->dom, &driver, error);

    if (!domain)
        return false;
    ret->active = domain_is_active(domain);
    object_unref(domain);
    return true;
}

static bool domain_is_persistent(Call *call, const remote_domain_is_persistent_args *args,
                                 remote_domain_is_persistent_ret *ret, GError **error)
{
    Driver *driver;
    Domain *domain = call_get_domain(call, args->dom, &driver, error);

    if (!domain)
        return false;
    ret->persistent = domain->is_persistent;
    object_unref(domain);
    return true;
}

static bool domain_is_updated(Call *call, const remote_domain_is_updated_args *args,
                              remote_domain_is_updated_ret *ret, GError **error)
{
    Driver *driver;
    Domain *domain = call_get_domain(call, args->dom, &driver, error);

    if (!domain)
        return false;
    ret->updated = domain->guest && domain->guest->is_updated;
    object_unref(domain);
    return true;
}

/* Nothing can be saved yet, so nothing is. */
static bool domain_has_managed_save_image(
    Call *call, const remote_domain_has_managed_save_image_args *args,
    remote_domain_has_managed_save_image_ret *ret, GError **error)
{
    Driver *driver;
    Domain *domain = NULL;

    if (call_check_flags("virDomainHasManagedSaveImage", args->flags, 0, error))
        domain = call_get_domain(call, args->dom, &driver, error);
    object_unref(domain);
    ret->result = 0;
    return domain != NULL;
}

static const Procedure procedures[] = {
    PROCEDURE(REMOTE_PROC_DOMAIN_GET_XML_DESC, domain_get_xml_desc,
              remote_domain_get_xml_desc_args, remote_domain_get_xml_desc_ret),
    PROCEDURE(REMOTE_PROC_DOMAIN_GET_INFO, domain_get_info, remote_domain_get_info_args,
              remote_domain_get_info_ret),
    PROCEDURE(REMOTE_PROC_DOMAIN_GET_STATE, domain_get_state, remote_domain_get_state_args,
              remote_domain_get_state_ret),
    PROCEDURE(REMOTE_PROC_DOMAIN_GET_OS_TYPE, domain_get_os_type, remote_domain_get_os_type_args,
              remote_domain_get_os_type_ret),
    PROCEDURE(REMOTE_PROC_DOMAIN_GET_MAX_MEMORY, domain_get_max_memory,
              remote_domain_get_max_memory_args, remote_domain_get_max_memory_ret),
    PROCEDURE(REMOTE_PROC_DOMAIN_GET_VCPUS_FLAGS, domain_get_vcpus_flags,
              remote_domain_get_vcpus_flags_args, remote_domain_get_vcpus_flags_ret),
    PROCEDURE(REMOTE_PROC_DOMAIN_GET_MAX_VCPUS, domain_get_max_vcpus,
              remote_domain_get_max_vcpus_args, remote_domain_get_max_vcpus_ret),
    PROCEDURE(REMOTE_PROC_DOMAIN_IS_ACTIVE, domain_is_active_call, remote_domain_is_active_args,
              remote_domain_is_active_ret),
    PROCEDURE(REMOTE_PROC_DOMAIN_IS_PERSISTENT, domain_is_persistent,
              remote_domain_is_persistent_args, remote_domain_is_persistent_ret),
    PROCEDURE(REMOTE_PROC_DOMAIN_IS_UPDATED, domain_is_updated, remote_domain_is_updated_args,
              remote_domain_is_updated_ret),
    PROCEDURE(REMOTE_PROC_DOMAIN_HAS_MANAGED_SAVE_IMAGE, domain_has_managed_save_image,
              remote_domain_has_managed_save_image_args,
              remote_domain_has_managed_save_image_ret),
};

const ProcedureTable domain_info_procedures = { REMOTE_PROGRAM, procedures,
                                                G_N_ELEMENTS(procedures) };
