/* Listing secrets, finding one, showing it: the procedures that only look. None of them waits
 * after driver_of(), so that what they see is of one moment. */
#include "virtsecretd/procedures.h"

#include <string.h>

#include "base/error.h"
#include "common/access.h"
#include "virtsecretd/driver.h"
#include "wire/remote.h"

/* Those that match and that the client may see, in order of creation, at most @max; an array of
 * borrowed Secret: no waiting while it is used. */
static GPtrArray *secrets_select(Call *call, const Driver *driver, unsigned flags, guint max)
{
    GPtrArray *secrets = g_ptr_array_new();

    for (GList *link = secret_store_first(driver->secrets); link && secrets->len < max;
         link = link->next) {
        if (secret_matches(link->data, flags) &&
            access_may_list(call_get_client(call), call_get_wire(call)))
            g_ptr_array_add(secrets, link->data);
    }
    return secrets;
}

/* What cannot be listed is not counted either. */
static bool connect_num_of_secrets(Call *call, const none *args,
                                   remote_connect_num_of_secrets_ret *ret, GError **error)
{
    const Driver *driver = driver_of(call, error);
    g_autoptr(GPtrArray) secrets = NULL;

    if (!driver)
        return false;
    secrets = secrets_select(call, driver, 0, G_MAXUINT);
    ret->num = (int)secrets->len;
    return true;
}

/* The older form: uuids alone, as many as the caller has room for. */
static bool connect_list_secrets(Call *call, const remote_connect_list_secrets_args *args,
                                 remote_connect_list_secrets_ret *ret, GError **error)
{
    const Driver *driver = driver_of(call, error);
    g_autoptr(GPtrArray) secrets = NULL;

    if (!driver)
        return false;
    if (args->maxuuids < 0 || args->maxuuids > REMOTE_SECRET_LIST_MAX) {
        g_set_error(error, error_quark(VIR_FROM_RPC), VIR_ERR_RPC, "%s",
                    args->maxuuids < 0 ? "maxuuids must be non-negative"
                                       : "maxuuids > REMOTE_SECRET_LIST_MAX");
        return false;
    }
    secrets = secrets_select(call, driver, 0, (guint)args->maxuuids);
    ret->uuids.uuids_len = secrets->len;
    ret->uuids.uuids_val = g_new0(remote_nonnull_string, secrets->len);
    for (guint i = 0; i < secrets->len; i++)
        ret->uuids.uuids_val[i] = g_strdup(((const Secret *)secrets->pdata[i])->object.name);
    return true;
}

/* No limit here: the codec refuses to encode a list that is longer than the protocol's. */
static bool connect_list_all_secrets(Call *call, const remote_connect_list_all_secrets_args *args,
                                     remote_connect_list_all_secrets_ret *ret, GError **error)
{
    const Driver *driver = driver_of(call, error);
    g_autoptr(GPtrArray) secrets = NULL;

    if (!driver || !secret_check_flags("secretConnectListAllSecrets", args->flags,
                                     secret_filter_flags, error))
        return false;
    secrets = secrets_select(call, driver, args->flags, G_MAXUINT);
    ret->ret = secrets->len;
    if (!args->need_results)
        return true;
    ret->secrets.secrets_len = secrets->len;
    ret->secrets.secrets_val = g_new0(remote_nonnull_secret, secrets->len);
    for (guint i = 0; i < secrets->len; i++)
        secret_to_wire(secrets->pdata[i], &ret->secrets.secrets_val[i]);
    return true;
}

static bool secret_lookup_by_uuid(Call *call, const remote_secret_lookup_by_uuid_args *args,
                                  remote_secret_lookup_by_uuid_ret *ret, GError **error)
{
    const Driver *driver = driver_of(call, error);
    Secret *secret;
    Uuid uuid;

    memcpy(uuid.bytes, args->uuid, UUID_LENGTH);
    secret = driver ? secret_store_get(driver->secrets, &uuid, error) : NULL;
    if (!secret)
        return false;
    secret_to_wire(secret, &ret->secret);
    object_unref(secret);
    return true;
}

static bool secret_lookup_by_usage(Call *call, const remote_secret_lookup_by_usage_args *args,
                                   remote_secret_lookup_by_usage_ret *ret, GError **error)
{
    const Driver *driver = driver_of(call, error);
    Secret *secret = driver ? secret_store_get_usage(driver->secrets, args->usageType,
                                                     args->usageID, error)
                            : NULL;

    if (!secret)
        return false;
    secret_to_wire(secret, &ret->secret);
    object_unref(secret);
    return true;
}

/* There is nothing secret in a definition, so no flag asks for more of it. */
static bool secret_get_xml_desc(Call *call, const remote_secret_get_xml_desc_args *args,
                                remote_secret_get_xml_desc_ret *ret, GError **error)
{
    Driver *driver;
    Secret *secret;

    if (!secret_check_flags("secretGetXMLDesc", args->flags, 0, error))
        return false;
    secret = call_get_secret(call, &args->secret, &driver, error);
    if (!secret)
        return false;
    ret->xml = secret_def_format(secret->def);
    object_unref(secret);
    return true;
}

static const Procedure procedures[] = {
    PROCEDURE(REMOTE_PROC_CONNECT_NUM_OF_SECRETS, connect_num_of_secrets, none,
              remote_connect_num_of_secrets_ret),
    PROCEDURE(REMOTE_PROC_CONNECT_LIST_SECRETS, connect_list_secrets,
              remote_connect_list_secrets_args, remote_connect_list_secrets_ret),
    PROCEDURE(REMOTE_PROC_CONNECT_LIST_ALL_SECRETS, connect_list_all_secrets,
              remote_connect_list_all_secrets_args, remote_connect_list_all_secrets_ret),
    PROCEDURE(REMOTE_PROC_SECRET_LOOKUP_BY_UUID, secret_lookup_by_uuid,
              remote_secret_lookup_by_uuid_args, remote_secret_lookup_by_uuid_ret),
    PROCEDURE(REMOTE_PROC_SECRET_LOOKUP_BY_USAGE, secret_lookup_by_usage,
              remote_secret_lookup_by_usage_args, remote_secret_lookup_by_usage_ret),
    PROCEDURE(REMOTE_PROC_SECRET_GET_XML_DESC, secret_get_xml_desc,
              remote_secret_get_xml_desc_args, remote_secret_get_xml_desc_ret),
};

const ProcedureTable secret_list_procedures = { REMOTE_PROGRAM, procedures,
                                                G_N_ELEMENTS(procedures) };
