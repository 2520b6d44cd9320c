/* How a guest is confined, and what an operator should know of it. */
#include "virtqemud/domain_procedures.h"

#include <string.h>

#include "virtqemud/domain_call.h"
#include "virtqemud/guest/guest.h"
#include "wire/api_domain.h"
#include "wire/remote.h"
#include "wire/remote_domain.h"


/* A text of the wire's form: its terminator counts. */
static void set_label(remote_domain_get_security_label_ret *ret, const char *label)
{
    ret->label.label_val = g_strdup(label ? label : "");
    ret->label.label_len = (u_int)strlen(ret->label.label_val) + 1;
    ret->enforcing = 0;
}

/* Of the kernel's security model: no driver for one yet, so nothing is enforced. */
static bool domain_get_security_label(Call *call, const remote_domain_get_security_label_args *args,
                                      remote_domain_get_security_label_ret *ret, GError **error)
{
    Driver *driver;
    Domain *domain = call_get_domain(call, args->dom, &driver, error);

    if (!domain)
        return false;
    set_label(ret, "");
    object_unref(domain);
    return true;
}

/* The kernel's model, then that of users and groups, which a session has not. */
static bool domain_get_security_label_list(Call *call,
                                           const remote_domain_get_security_label_list_args *args,
                                           remote_domain_get_security_label_list_ret *ret,
                                           GError **error)
{
    Driver *driver;
    Domain *domain = call_get_domain(call, args->dom, &driver, error);
    const GPtrArray *labels = domain && domain->guest ? domain->guest->def->seclabels : NULL;

    if (!domain)
        return false;
    ret->labels.labels_val = g_new0(remote_domain_get_security_label_ret, 1 + (labels ? labels->len : 0));
    set_label(&ret->labels.labels_val[ret->labels.labels_len++], "");
    for (guint i = 0; labels && i < labels->len; i++) {
        const SeclabelDef *seclabel = labels->pdata[i];

        set_label(&ret->labels.labels_val[ret->labels.labels_len++], seclabel->label);
    }
    ret->ret = (int)ret->labels.labels_len;
    object_unref(domain);
    return true;
}

/* @ret_texts has room for all of them. */
static u_int list_taints(const Guest *guest, char **ret_texts)
{
    u_int n = 0;

    for (int i = 0; i < N_TAINTS; i++) {
        if (guest->taints[i])
            ret_texts[n++] = g_strdup(taint_message((GuestTaint)i));
    }
    return n;
}

/* Only what this guest is tainted by is known. */
static bool domain_get_messages(Call *call, const remote_domain_get_messages_args *args,
                                remote_domain_get_messages_ret *ret, GError **error)
{
    Driver *driver;
    Domain *domain = NULL;

    if (call_check_flags("virDomainGetMessages", args->flags,
                         VIR_DOMAIN_MESSAGE_DEPRECATION | VIR_DOMAIN_MESSAGE_TAINTING |
                             VIR_DOMAIN_MESSAGE_IOERRORS, error))
        domain = call_get_domain(call, args->dom, &driver, error);
    if (!domain)
        return false;
    if (domain->guest && (!args->flags || args->flags & VIR_DOMAIN_MESSAGE_TAINTING)) {
        ret->msgs.msgs_val = g_new0(remote_nonnull_string, N_TAINTS);
        ret->msgs.msgs_len = list_taints(domain->guest, ret->msgs.msgs_val);
    }
    object_unref(domain);
    return true;
}

static const Procedure procedures[] = {
    PROCEDURE(REMOTE_PROC_DOMAIN_GET_SECURITY_LABEL, domain_get_security_label,
              remote_domain_get_security_label_args, remote_domain_get_security_label_ret),
    PROCEDURE(REMOTE_PROC_DOMAIN_GET_SECURITY_LABEL_LIST, domain_get_security_label_list,
              remote_domain_get_security_label_list_args,
              remote_domain_get_security_label_list_ret),
    PROCEDURE(REMOTE_PROC_DOMAIN_GET_MESSAGES, domain_get_messages, remote_domain_get_messages_args,
              remote_domain_get_messages_ret),
};

const ProcedureTable domain_security_procedures = { REMOTE_PROGRAM, procedures,
                                                    G_N_ELEMENTS(procedures) };
