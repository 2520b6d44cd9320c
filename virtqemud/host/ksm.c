#include "virtqemud/host/ksm.h"

#include <errno.h>

#include "base/error.h"

#define KSM_FOLDER "kernel/mm/ksm/"
#define NAME_PREFIX "shm_"

/* Read-only ones are counters of the kernel. */
typedef struct Tunable {
    const char *name; /* as on the wire; the file has the name without NAME_PREFIX */
    KsmType type;
    bool is_settable;
} Tunable;

static const Tunable tunables[KSM_MAX_PARAMETERS] = {
    { "shm_pages_to_scan", KSM_UINT, true },
    { "shm_sleep_millisecs", KSM_UINT, true },
    { "shm_pages_shared", KSM_ULLONG, false },
    { "shm_pages_sharing", KSM_ULLONG, false },
    { "shm_pages_unshared", KSM_ULLONG, false },
    { "shm_pages_volatile", KSM_ULLONG, false },
    { "shm_full_scans", KSM_ULLONG, false },
    { "shm_merge_across_nodes", KSM_UINT, true },
};

/* The name in the kernel of the parameter @name of the wire. */
static const char *file_of(const char *name)
{
    return name + sizeof(NAME_PREFIX) - 1;
}

bool ksm_read(const HostRoots *roots, KsmParameter ret_parameters[KSM_MAX_PARAMETERS],
              guint *ret_count, GError **error)
{
    guint count = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(tunables); i++) {
        const Tunable *tunable = &tunables[i];
        guint64 value;

        /* Kernels without NUMA have no merge_across_nodes, for one. */
        if (!host_file_exists(roots->sys, KSM_FOLDER "%s", file_of(tunable->name)))
            continue;
        if (!host_file_read_number(roots->sys, &value, error, KSM_FOLDER "%s",
                                   file_of(tunable->name)))
            return false;
        ret_parameters[count++] = (KsmParameter) { tunable->name, tunable->type, value };
    }
    *ret_count = count;
    return true;
}

/* The words for the wire's types. */
static const char *type_name(int type)
{
    static const char *const names[] = { "unknown", "int", "uint", "llong", "ullong",
                                         "double", "boolean", "string" };

    return names[type > 0 && type < (int) G_N_ELEMENTS(names) ? type : 0];
}

static const Tunable *find_settable(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(tunables); i++) {
        if (tunables[i].is_settable && g_str_equal(tunables[i].name, name))
            return &tunables[i];
    }
    return NULL;
}

/* Whether the wish could be granted by any kernel, and is the first of its name. */
static bool check_wish(const KsmParameter *wishes, guint index, GError **error)
{
    const KsmParameter *wish = &wishes[index];
    const Tunable *tunable = find_settable(wish->name);

    if (tunable == NULL) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_ARGUMENT_UNSUPPORTED,
                  "parameter '%s' not supported", wish->name);
        return false;
    }
    if (wish->type != (int) tunable->type) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG,
                  "invalid type '%s' for parameter '%s', expected '%s'", type_name(wish->type),
                  wish->name, type_name(tunable->type));
        return false;
    }
    for (guint i = 0; i < index; i++) {
        if (g_str_equal(wishes[i].name, wish->name)) {
            error_set(error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG,
                      "parameter '%s' occurs multiple times", wish->name);
            return false;
        }
    }
    return true;
}

static bool check_kernel(const HostRoots *roots, const char *name, GError **error)
{
    if (host_file_exists(roots->sys, KSM_FOLDER "%s", file_of(name)))
        return true;
    error_set(error, VIR_FROM_NONE, VIR_ERR_OPERATION_INVALID,
              "Parameter '%s' is not supported by this kernel", name);
    return false;
}

static bool set_one(const HostRoots *roots, const KsmParameter *wish, GError **error)
{
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, wish->value);

    if (host_file_write(roots->sys, text, NULL, KSM_FOLDER "%s", file_of(wish->name)))
        return true;
    error_set_errno(error, VIR_FROM_NONE, errno, "failed to set %s", wish->name);
    return false;
}

/* Three passes: a wish that is wrong must not leave others granted. */
bool ksm_set(const HostRoots *roots, const KsmParameter *wishes, guint n_wishes, GError **error)
{
    for (guint i = 0; i < n_wishes; i++) {
        if (!check_wish(wishes, i, error))
            return false;
    }
    for (guint i = 0; i < n_wishes; i++) {
        if (!check_kernel(roots, wishes[i].name, error))
            return false;
    }
    for (guint i = 0; i < n_wishes; i++) {
        if (!set_one(roots, &wishes[i], error))
            return false;
    }
    return true;
}
