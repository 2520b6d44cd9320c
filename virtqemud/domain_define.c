/* Defining, undefining and starting with the host: the calls that change what is on disk. */
#include "virtqemud/domain_prepare.h"
#include "virtqemud/domain_procedures.h"

#include "virtqemud/domain_call.h"
#include "virtqemud/domain_emit.h"
#include "virtqemud/guest/guest.h"
#include "wire/api_domain.h"
#include "wire/api_domain_event.h"
#include "wire/remote.h"
#include "wire/remote_domain.h"

#define UNDEFINE_FLAGS                                                                             \
    (VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA |                   \
     VIR_DOMAIN_UNDEFINE_NVRAM | VIR_DOMAIN_UNDEFINE_KEEP_NVRAM |                                  \
     VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA | VIR_DOMAIN_UNDEFINE_TPM |                          \
     VIR_DOMAIN_UNDEFINE_KEEP_TPM)

/* Changes of definitions are writes to a local disk; whoever is before us is soon done. */
#define LOCK_MS 30000

/* Takes @def. A domain that is new is in the store, so that nobody takes its name meanwhile. */
static bool define_locked(Driver *driver, Domain *domain, DomainDef *def, bool is_new,
                          GError **error)
{
    if (!object_is_in_store(&domain->object)) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED,
                  "domain '%s' was undefined meanwhile", domain->object.name);
        domain_def_free(def);
        return false;
    }
    if (!definitions_save(driver->definitions, domain, def, error))
        return false;
    domain_emit_lifecycle(driver, domain, VIR_DOMAIN_EVENT_DEFINED,
                          is_new ? VIR_DOMAIN_EVENT_DEFINED_ADDED
                                 : VIR_DOMAIN_EVENT_DEFINED_UPDATED);
    return true;
}

static bool define(Call *call, const char *xml, unsigned flags, const char *api,
                   remote_nonnull_domain *ret_wire, GError **error)
{
    Driver *driver = driver_of(call, error);
    g_autoptr(DomainDef) def = NULL;
    Domain *domain;
    bool is_new, is_defined;

    if (!driver || !call_check_flags(api, flags, VIR_DOMAIN_DEFINE_VALIDATE, error))
        return false;
    def = domain_prepare_definition(driver, xml, flags & VIR_DOMAIN_DEFINE_VALIDATE, error);
    domain = def ? domain_find_for(driver, def, &is_new, error) : NULL;
    if (!domain)
        return false;
    /* Name and uuid are taken before the file is written, which suspends. */
    if (is_new && !object_store_add(driver->domains, &domain->object, error)) {
        object_unref(domain);
        return false;
    }
    /* A transient guest that gets a definition is told as added, too: to lists of definitions it
     * is. */
    is_new = !domain->is_persistent;
    is_defined = fiber_mutex_lock(&domain->definition_lock, fiber_deadline_ms(LOCK_MS), error);
    if (is_defined) {
        is_defined = define_locked(driver, domain, g_steal_pointer(&def), is_new, error);
        driver_unlock_definition(driver, domain);
    }
    if (is_defined)
        domain_to_wire(domain, ret_wire);
    object_unref(domain);
    return is_defined;
}

static bool domain_define_xml(Call *call, const remote_domain_define_xml_args *args,
                              remote_domain_define_xml_ret *ret, GError **error)
{
    return define(call, args->xml, 0, "virDomainDefineXML", &ret->dom, error);
}

static bool domain_define_xml_flags(Call *call, const remote_domain_define_xml_flags_args *args,
                                    remote_domain_define_xml_flags_ret *ret, GError **error)
{
    return define(call, args->xml, args->flags, "virDomainDefineXMLFlags", &ret->dom, error);
}

/* A domain that runs goes on as a transient one. */
static bool undefine_locked(Driver *driver, Domain *domain, GError **error)
{
    if (!domain->is_persistent) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID,
                  "cannot undefine transient domain");
        return false;
    }
    if (!definitions_remove(driver->definitions, domain, error))
        return false;
    domain_emit_lifecycle(driver, domain, VIR_DOMAIN_EVENT_UNDEFINED,
                          VIR_DOMAIN_EVENT_UNDEFINED_REMOVED);
    return true;
}

static bool undefine(Call *call, remote_nonnull_domain wire, unsigned flags, GError **error)
{
    Driver *driver;
    Domain *domain;
    bool is_undefined;

    if (!call_check_flags("virDomainUndefineFlags", flags, UNDEFINE_FLAGS, error))
        return false;
    if ((flags & VIR_DOMAIN_UNDEFINE_NVRAM && flags & VIR_DOMAIN_UNDEFINE_KEEP_NVRAM) ||
        (flags & VIR_DOMAIN_UNDEFINE_TPM && flags & VIR_DOMAIN_UNDEFINE_KEEP_TPM)) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID,
                  "cannot both keep and delete %s",
                  flags & VIR_DOMAIN_UNDEFINE_NVRAM && flags & VIR_DOMAIN_UNDEFINE_KEEP_NVRAM
                      ? "nvram" : "TPM");
        return false;
    }
    domain = call_get_domain(call, wire, &driver, error);
    if (!domain)
        return false;
    is_undefined = fiber_mutex_lock(&domain->definition_lock, fiber_deadline_ms(LOCK_MS), error);
    if (is_undefined) {
        is_undefined = undefine_locked(driver, domain, error);
        driver_unlock_definition(driver, domain);
    }
    object_unref(domain);
    return is_undefined;
}

static bool domain_undefine(Call *call, const remote_domain_undefine_args *args, none *ret,
                            GError **error)
{
    return undefine(call, args->dom, 0, error);
}

static bool domain_undefine_flags(Call *call, const remote_domain_undefine_flags_args *args,
                                  none *ret, GError **error)
{
    return undefine(call, args->dom, args->flags, error);
}

static bool domain_get_autostart(Call *call, const remote_domain_get_autostart_args *args,
                                 remote_domain_get_autostart_ret *ret, GError **error)
{
    Driver *driver;
    Domain *domain = call_get_domain(call, args->dom, &driver, error);

    if (!domain)
        return false;
    ret->autostart = domain->is_autostarted;
    object_unref(domain);
    return true;
}

static bool domain_get_autostart_once(Call *call, const remote_domain_get_autostart_once_args *args,
                                      remote_domain_get_autostart_once_ret *ret, GError **error)
{
    Driver *driver;
    Domain *domain = call_get_domain(call, args->dom, &driver, error);

    if (!domain)
        return false;
    ret->autostart = domain->is_autostarted_once;
    object_unref(domain);
    return true;
}

static bool set_autostart_locked(Driver *driver, Domain *domain, AutostartKind kind,
                                 bool is_autostarted, GError **error)
{
    if (!domain->is_persistent) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID,
                  "cannot set autostart for transient domain");
        return false;
    }
    /* A link that is there is not made again: that would be two syncs for nothing. */
    return definitions_get_autostart(domain, kind) == is_autostarted ||
           definitions_set_autostart(driver->definitions, domain, kind, is_autostarted, error);
}

static bool set_autostart(Call *call, remote_nonnull_domain wire, AutostartKind kind,
                          bool is_autostarted, GError **error)
{
    Driver *driver;
    Domain *domain = call_get_domain(call, wire, &driver, error);
    bool is_set;

    if (!domain)
        return false;
    is_set = fiber_mutex_lock(&domain->definition_lock, fiber_deadline_ms(LOCK_MS), error);
    if (is_set) {
        is_set = set_autostart_locked(driver, domain, kind, is_autostarted, error);
        driver_unlock_definition(driver, domain);
    }
    object_unref(domain);
    return is_set;
}

static bool domain_set_autostart(Call *call, const remote_domain_set_autostart_args *args,
                                 none *ret, GError **error)
{
    return set_autostart(call, args->dom, AUTOSTART_ALWAYS, args->autostart != 0, error);
}

static bool domain_set_autostart_once(Call *call, const remote_domain_set_autostart_once_args *args,
                                      none *ret, GError **error)
{
    return set_autostart(call, args->dom, AUTOSTART_ONCE, args->autostart != 0, error);
}

static const Procedure procedures[] = {
    PROCEDURE(REMOTE_PROC_DOMAIN_DEFINE_XML, domain_define_xml, remote_domain_define_xml_args,
              remote_domain_define_xml_ret),
    PROCEDURE(REMOTE_PROC_DOMAIN_DEFINE_XML_FLAGS, domain_define_xml_flags,
              remote_domain_define_xml_flags_args, remote_domain_define_xml_flags_ret),
    PROCEDURE(REMOTE_PROC_DOMAIN_UNDEFINE, domain_undefine, remote_domain_undefine_args, none),
    PROCEDURE(REMOTE_PROC_DOMAIN_UNDEFINE_FLAGS, domain_undefine_flags,
              remote_domain_undefine_flags_args, none),
    PROCEDURE(REMOTE_PROC_DOMAIN_GET_AUTOSTART, domain_get_autostart,
              remote_domain_get_autostart_args, remote_domain_get_autostart_ret),
    PROCEDURE(REMOTE_PROC_DOMAIN_SET_AUTOSTART, domain_set_autostart,
              remote_domain_set_autostart_args, none),
    PROCEDURE(REMOTE_PROC_DOMAIN_GET_AUTOSTART_ONCE, domain_get_autostart_once,
              remote_domain_get_autostart_once_args, remote_domain_get_autostart_once_ret),
    PROCEDURE(REMOTE_PROC_DOMAIN_SET_AUTOSTART_ONCE, domain_set_autostart_once,
              remote_domain_set_autostart_once_args, none),
};

const ProcedureTable domain_define_procedures = { REMOTE_PROGRAM, procedures,
                                                  G_N_ELEMENTS(procedures) };
