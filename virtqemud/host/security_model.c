#include "virtqemud/host/security_model.h"

#include "base/error.h"

static bool is_selinux_active(const HostRoots *roots)
{
    return host_file_exists(roots->sys, "fs/selinux/enforce");
}

/* The module can be built in and switched off at boot. */
static bool is_apparmor_active(const HostRoots *roots)
{
    g_autofree char *text = NULL;

    return host_file_read(roots->sys, 16, &text, NULL, NULL,
                          "module/apparmor/parameters/enabled") &&
           text[0] == 'Y';
}

typedef struct Candidate {
    const char *name;
    bool (*is_active)(const HostRoots *roots);
} Candidate;

/* The first that is active is taken. */
static const Candidate candidates[] = {
    { "selinux", is_selinux_active },
    { "apparmor", is_apparmor_active },
    { "none", NULL },
};

bool security_model_choose(const HostRoots *roots, const char *driver, SecurityModel *ret_model,
                           GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(candidates); i++) {
        const Candidate *candidate = &candidates[i];

        if (driver != NULL && !g_str_equal(driver, candidate->name))
            continue;
        if (candidate->is_active == NULL || candidate->is_active(roots)) {
            *ret_model = (SecurityModel) { candidate->name, "0" };
            return true;
        }
    }
    error_set(error, VIR_FROM_SECURITY, VIR_ERR_CONFIG_UNSUPPORTED,
              "security driver '%s' is not active on this host", driver);
    return false;
}
