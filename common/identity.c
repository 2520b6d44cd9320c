/* Identities and their wire form, the typed parameters of SET_IDENTITY. Nothing is checked
 * against the user data base here: numbers are what access is decided by, names are for people
 * and for policies that name them. */
#include "common/identity.h"

#include "base/error.h"
#include "wire/api_host.h"
#include "wire/typed_params.h"

/* NULL: nothing is known of the peer, as over the network. */
Identity *identity_new_from_credentials(const NetCredentials *credentials)
{
    Identity *identity = g_new0(Identity, 1);

    if (!credentials)
        return identity;
    identity->has_user = identity->has_group = true;
    identity->uid = credentials->uid;
    identity->gid = credentials->gid;
    identity->has_process = credentials->has_pid;
    identity->pid = credentials->pid;
    identity->process_start_time = credentials->process_start_time;
    identity->selinux_context = g_strdup(credentials->selinux_label);
    return identity;
}

Identity *identity_copy(const Identity *identity)
{
    Identity *copy = g_new(Identity, 1);

    *copy = *identity;
    copy->user_name = g_strdup(identity->user_name);
    copy->group_name = g_strdup(identity->group_name);
    copy->sasl_user_name = g_strdup(identity->sasl_user_name);
    copy->x509_dname = g_strdup(identity->x509_dname);
    copy->selinux_context = g_strdup(identity->selinux_context);
    return copy;
}

void identity_free(Identity *identity)
{
    if (!identity)
        return;
    g_free(identity->user_name);
    g_free(identity->group_name);
    g_free(identity->sasl_user_name);
    g_free(identity->x509_dname);
    g_free(identity->selinux_context);
    g_free(identity);
}

static void add_string(TypedParams *params, const char *name, const char *value)
{
    if (value)
        typed_params_add_string(params, name, value);
}

/* What is not known is left out, which is different from 0: that would be root. */
void identity_to_params(const Identity *identity, TypedParams *params)
{
    add_string(params, VIR_CONNECT_IDENTITY_USER_NAME, identity->user_name);
    if (identity->has_user)
        typed_params_add_ullong(params, VIR_CONNECT_IDENTITY_UNIX_USER_ID, identity->uid);
    add_string(params, VIR_CONNECT_IDENTITY_GROUP_NAME, identity->group_name);
    if (identity->has_group)
        typed_params_add_ullong(params, VIR_CONNECT_IDENTITY_UNIX_GROUP_ID, identity->gid);
    if (identity->has_process) {
        typed_params_add_llong(params, VIR_CONNECT_IDENTITY_PROCESS_ID, identity->pid);
        typed_params_add_ullong(params, VIR_CONNECT_IDENTITY_PROCESS_TIME,
                                identity->process_start_time);
    }
    add_string(params, VIR_CONNECT_IDENTITY_SASL_USER_NAME, identity->sasl_user_name);
    add_string(params, VIR_CONNECT_IDENTITY_X509_DISTINGUISHED_NAME, identity->x509_dname);
    add_string(params, VIR_CONNECT_IDENTITY_SELINUX_CONTEXT, identity->selinux_context);
}

/* Each at most once, none required. */
static const TypedParamRule identity_rules[] = {
    { VIR_CONNECT_IDENTITY_USER_NAME, VIR_TYPED_PARAM_STRING, false, false },
    { VIR_CONNECT_IDENTITY_UNIX_USER_ID, VIR_TYPED_PARAM_ULLONG, false, false },
    { VIR_CONNECT_IDENTITY_GROUP_NAME, VIR_TYPED_PARAM_STRING, false, false },
    { VIR_CONNECT_IDENTITY_UNIX_GROUP_ID, VIR_TYPED_PARAM_ULLONG, false, false },
    { VIR_CONNECT_IDENTITY_PROCESS_ID, VIR_TYPED_PARAM_LLONG, false, false },
    { VIR_CONNECT_IDENTITY_PROCESS_TIME, VIR_TYPED_PARAM_ULLONG, false, false },
    { VIR_CONNECT_IDENTITY_SASL_USER_NAME, VIR_TYPED_PARAM_STRING, false, false },
    { VIR_CONNECT_IDENTITY_X509_DISTINGUISHED_NAME, VIR_TYPED_PARAM_STRING, false, false },
    { VIR_CONNECT_IDENTITY_SELINUX_CONTEXT, VIR_TYPED_PARAM_STRING, false, false },
    { IDENTITY_DRIVER, VIR_TYPED_PARAM_BOOLEAN, false, false },
    { NULL, 0, false, false },
};

static char *take_string(const remote_typed_param *params, unsigned n_params, const char *name)
{
    const char *value = NULL;

    typed_params_get_string(params, n_params, name, &value);
    return g_strdup(value);
}

/* The kernel's numbers of users and groups have 32 bits, of which the last value stands for
 * none: a larger one would become somebody else's, root's even. */
static bool check_id(const remote_typed_param *params, unsigned n_params, const char *name,
                     GError **error)
{
    uint64_t number = 0;

    if (!typed_params_get_ullong(params, n_params, name, &number) || number < UINT32_MAX)
        return true;
    error_set(error, VIR_FROM_IDENTITY, VIR_ERR_INVALID_ARG,
              "parameter '%s': %" G_GUINT64_FORMAT " is no user's or group's number", name, number);
    return false;
}

Identity *identity_new_from_params(const remote_typed_param *params, unsigned n_params,
                                   GError **error)
{
    Identity *identity;
    uint64_t number = 0;
    int64_t pid = 0;

    if (!typed_params_check(params, n_params, identity_rules, VIR_FROM_IDENTITY, error) ||
        !check_id(params, n_params, VIR_CONNECT_IDENTITY_UNIX_USER_ID, error) ||
        !check_id(params, n_params, VIR_CONNECT_IDENTITY_UNIX_GROUP_ID, error))
        return NULL;
    identity = g_new0(Identity, 1);
    identity->has_user = typed_params_get_ullong(params, n_params,
                                                 VIR_CONNECT_IDENTITY_UNIX_USER_ID, &number);
    identity->uid = (uid_t)number;
    identity->has_group = typed_params_get_ullong(params, n_params,
                                                  VIR_CONNECT_IDENTITY_UNIX_GROUP_ID, &number);
    identity->gid = (gid_t)number;
    identity->has_process = typed_params_get_llong(params, n_params,
                                                   VIR_CONNECT_IDENTITY_PROCESS_ID, &pid);
    identity->pid = (pid_t)pid;
    typed_params_get_ullong(params, n_params, VIR_CONNECT_IDENTITY_PROCESS_TIME,
                            &identity->process_start_time);
    typed_params_get_boolean(params, n_params, IDENTITY_DRIVER, &identity->is_driver);
    identity->user_name = take_string(params, n_params, VIR_CONNECT_IDENTITY_USER_NAME);
    identity->group_name = take_string(params, n_params, VIR_CONNECT_IDENTITY_GROUP_NAME);
    identity->sasl_user_name = take_string(params, n_params, VIR_CONNECT_IDENTITY_SASL_USER_NAME);
    identity->x509_dname = take_string(params, n_params,
                                       VIR_CONNECT_IDENTITY_X509_DISTINGUISHED_NAME);
    identity->selinux_context = take_string(params, n_params,
                                            VIR_CONNECT_IDENTITY_SELINUX_CONTEXT);
    return identity;
}
