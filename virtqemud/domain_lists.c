/* Listing domains and finding one: the procedures that only look. None of them waits after
 * driver_of(), so that what they see is of one moment. */
#include "virtqemud/domain_procedures.h"

#include <string.h>

#include "common/access.h"
#include "virtqemud/domain.h"
#include "virtqemud/driver.h"
#include "wire/api_domain.h"
#include "wire/remote.h"
#include "wire/remote_domain.h"

/* Those that match and that the client may see, in order of creation, at most @max; an array of
 * borrowed Domain: no waiting while it is used. */
static GPtrArray *domains_select(Call *call, const Driver *driver, unsigned flags,
                                 guint max)
{
    GPtrArray *domains = g_ptr_array_new();

    for (GList *link = object_store_first(driver->domains); link && domains->len < max;
         link = link->next) {
        if (domain_matches(link->data, flags) &&
            access_may_list(call_get_client(call), call_get_wire(call)))
            g_ptr_array_add(domains, link->data);
    }
    return domains;
}

/* What cannot be listed is not counted either. */
static int domains_count(Call *call, const Driver *driver, unsigned flags)
{
    g_autoptr(GPtrArray) domains = domains_select(call, driver, flags, G_MAXUINT);

    return (int)domains->len;
}

/* The room of the older lists. Errors: RPC. */
static bool check_list_room(const char *what, int max, GError **error)
{
    if (max >= 0 && max <= REMOTE_DOMAIN_LIST_MAX)
        return true;
    g_set_error(error, error_quark(VIR_FROM_RPC), VIR_ERR_RPC,
                max < 0 ? "%s must be non-negative" : "%s > REMOTE_DOMAIN_LIST_MAX", what);
    return false;
}

/* No limit here: the codec refuses to encode a list that is longer than the protocol's. */
static bool connect_list_all_domains(Call *call, const remote_connect_list_all_domains_args *args,
                                     remote_connect_list_all_domains_ret *ret, GError **error)
{
    Driver *driver = driver_of(call, error);
    g_autoptr(GPtrArray) domains = NULL;

    if (!driver ||
        !call_check_flags("virConnectListAllDomains", args->flags, domain_filter_flags, error))
        return false;
    domains = domains_select(call, driver, args->flags, G_MAXUINT);
    ret->ret = domains->len;
    if (!args->need_results)
        return true;
    ret->domains.domains_len = domains->len;
    ret->domains.domains_val = g_new0(remote_nonnull_domain, domains->len);
    for (guint i = 0; i < domains->len; i++)
        domain_to_wire(domains->pdata[i], &ret->domains.domains_val[i]);
    return true;
}

static bool connect_num_of_domains(Call *call, const none *args,
                                   remote_connect_num_of_domains_ret *ret, GError **error)
{
    Driver *driver = driver_of(call, error);

    if (!driver)
        return false;
    ret->num = domains_count(call, driver, VIR_CONNECT_LIST_DOMAINS_ACTIVE);
    return true;
}

static bool connect_num_of_defined_domains(Call *call, const none *args,
                                           remote_connect_num_of_defined_domains_ret *ret,
                                           GError **error)
{
    Driver *driver = driver_of(call, error);

    if (!driver)
        return false;
    ret->num = domains_count(call, driver, VIR_CONNECT_LIST_DOMAINS_INACTIVE);
    return true;
}

/* The oldest form: ids of active domains, as many as the caller has room for. */
static bool connect_list_domains(Call *call, const remote_connect_list_domains_args *args,
                                 remote_connect_list_domains_ret *ret, GError **error)
{
    Driver *driver = driver_of(call, error);
    g_autoptr(GPtrArray) domains = NULL;

    if (!driver || !check_list_room("maxids", args->maxids, error))
        return false;
    domains = domains_select(call, driver, VIR_CONNECT_LIST_DOMAINS_ACTIVE, (guint)args->maxids);
    ret->ids.ids_len = domains->len;
    ret->ids.ids_val = g_new0(int, domains->len);
    for (guint i = 0; i < domains->len; i++)
        ret->ids.ids_val[i] = ((const Domain *)domains->pdata[i])->id;
    return true;
}

static bool connect_list_defined_domains(Call *call,
                                         const remote_connect_list_defined_domains_args *args,
                                         remote_connect_list_defined_domains_ret *ret,
                                         GError **error)
{
    Driver *driver = driver_of(call, error);
    g_autoptr(GPtrArray) domains = NULL;

    if (!driver || !check_list_room("maxnames", args->maxnames, error))
        return false;
    domains = domains_select(call, driver, VIR_CONNECT_LIST_DOMAINS_INACTIVE, (guint)args->maxnames);
    ret->names.names_len = domains->len;
    ret->names.names_val = g_new0(remote_nonnull_string, domains->len);
    for (guint i = 0; i < domains->len; i++)
        ret->names.names_val[i] = g_strdup(((const Domain *)domains->pdata[i])->object.name);
    return true;
}

/* The reference is given back at once: the answer has copies. */
static bool domain_lookup_by_name(Call *call, const remote_domain_lookup_by_name_args *args,
                                  remote_domain_lookup_by_name_ret *ret, GError **error)
{
    Driver *driver = driver_of(call, error);
    Domain *domain = driver ? object_store_get_name(driver->domains, args->name, error) : NULL;

    if (!domain)
        return false;
    domain_to_wire(domain, &ret->dom);
    object_unref(domain);
    return true;
}

static bool domain_lookup_by_uuid(Call *call, const remote_domain_lookup_by_uuid_args *args,
                                  remote_domain_lookup_by_uuid_ret *ret, GError **error)
{
    Driver *driver = driver_of(call, error);
    Domain *domain;
    Uuid uuid;

    memcpy(uuid.bytes, args->uuid, sizeof(uuid.bytes));
    domain = driver ? object_store_get_uuid(driver->domains, &uuid, NULL, error) : NULL;
    if (!domain)
        return false;
    domain_to_wire(domain, &ret->dom);
    object_unref(domain);
    return true;
}

/* Ids belong to active domains and change with every start. */
static bool domain_lookup_by_id(Call *call, const remote_domain_lookup_by_id_args *args,
                                remote_domain_lookup_by_id_ret *ret, GError **error)
{
    Driver *driver = driver_of(call, error);
    const Domain *domain;

    if (!driver)
        return false;
    if (args->id < 0) {
        g_set_error(error, error_quark(VIR_FROM_DOMAIN), VIR_ERR_INVALID_ARG,
                    "id in virDomainLookupByID must be zero or greater");
        return false;
    }
    domain = g_hash_table_lookup(driver->active, GINT_TO_POINTER(args->id));
    if (!domain) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_NO_DOMAIN, "no domain with matching id %d",
                  args->id);
        return false;
    }
    domain_to_wire(domain, &ret->dom);
    return true;
}

static const Procedure procedures[] = {
    PROCEDURE(REMOTE_PROC_CONNECT_LIST_ALL_DOMAINS, connect_list_all_domains,
              remote_connect_list_all_domains_args, remote_connect_list_all_domains_ret),
    PROCEDURE(REMOTE_PROC_CONNECT_NUM_OF_DOMAINS, connect_num_of_domains, none,
              remote_connect_num_of_domains_ret),
    PROCEDURE(REMOTE_PROC_CONNECT_NUM_OF_DEFINED_DOMAINS, connect_num_of_defined_domains, none,
              remote_connect_num_of_defined_domains_ret),
    PROCEDURE(REMOTE_PROC_CONNECT_LIST_DOMAINS, connect_list_domains,
              remote_connect_list_domains_args, remote_connect_list_domains_ret),
    PROCEDURE(REMOTE_PROC_CONNECT_LIST_DEFINED_DOMAINS, connect_list_defined_domains,
              remote_connect_list_defined_domains_args, remote_connect_list_defined_domains_ret),
    PROCEDURE(REMOTE_PROC_DOMAIN_LOOKUP_BY_NAME, domain_lookup_by_name,
              remote_domain_lookup_by_name_args, remote_domain_lookup_by_name_ret),
    PROCEDURE(REMOTE_PROC_DOMAIN_LOOKUP_BY_UUID, domain_lookup_by_uuid,
              remote_domain_lookup_by_uuid_args, remote_domain_lookup_by_uuid_ret),
    PROCEDURE(REMOTE_PROC_DOMAIN_LOOKUP_BY_ID, domain_lookup_by_id,
              remote_domain_lookup_by_id_args, remote_domain_lookup_by_id_ret),
};

const ProcedureTable domain_list_procedures = { REMOTE_PROGRAM, procedures,
                                                G_N_ELEMENTS(procedures) };
