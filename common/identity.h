/* Who a client is: what the kernel, TLS or SASL said of the peer, or, for a connection
 * that a trusted sibling opened on somebody's behalf, what that sibling said. */
#pragma once

#include <glib.h>

#include "net/credentials.h"
#include "wire/typed_params.h"

typedef struct Identity {
    bool has_user, has_group, has_process;
    uid_t uid;
    gid_t gid;
    pid_t pid;
    uint64_t process_start_time;
    /* A trusted peer's own driver asks, for itself and not for a client of it. Goes no further: it
     * is not among identity_to_params(). */
    bool is_driver;
    char *user_name, *group_name;
    char *sasl_user_name, *x509_dname, *selinux_context;
} Identity;

Identity *identity_new_from_credentials(const NetCredentials *credentials);
Identity *identity_copy(const Identity *identity);
void identity_free(Identity *identity);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Identity, identity_free)

/* Our own parameter, a boolean, beside the manual's: see is_driver. */
#define IDENTITY_DRIVER "splitvirt-driver"

/* The typed parameters of CONNECT_SET_IDENTITY (VIR_CONNECT_IDENTITY_* of the manual).
 * Errors: INVALID_ARG names the parameter that is unknown, repeated or of the wrong type. */
void identity_to_params(const Identity *identity, TypedParams *params);
Identity *identity_new_from_params(const remote_typed_param *params, unsigned n_params,
                                   GError **error);
