/* Title, description, and what applications keep with a domain; of the guest that runs, of the
 * definition, or both. */
#include "virtqemud/domain_procedures.h"

#include <string.h>

#include "virtqemud/domain_call.h"
#include "virtqemud/domain_emit.h"
#include "virtqemud/guest/guest.h"
#include "virtqemud/guest/status.h"
#include "wire/api_domain.h"
#include "wire/remote.h"
#include "wire/remote_domain.h"

#define AFFECT_FLAGS (VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG)
#define LOCK_MS 30000

/* A change of one of the three; NULL as @text removes it. */
typedef struct MetadataChange {
    int type;
    const char *text, *key, *uri;
} MetadataChange;

static const char *optional(const remote_string string)
{
    return string ? *string : NULL;
}

/* Clients' libraries check most of this before they send; others speak the protocol themselves. */
static bool check_change(const MetadataChange *change, GError **error)
{
    if (change->type < VIR_DOMAIN_METADATA_DESCRIPTION ||
        change->type > VIR_DOMAIN_METADATA_ELEMENT) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG, "unknown metadata type '%d'",
                  change->type);
        return false;
    }
    if (change->type == VIR_DOMAIN_METADATA_TITLE && change->text && strchr(change->text, '\n')) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG,
                  "metadata title can't contain newlines");
        return false;
    }
    if (change->type == VIR_DOMAIN_METADATA_ELEMENT && !change->uri) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG,
                  "uri in virDomainSetMetadata must not be NULL");
        return false;
    }
    if (change->type == VIR_DOMAIN_METADATA_ELEMENT && change->text && !change->key) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG,
                  "key in virDomainSetMetadata must not be NULL");
        return false;
    }
    return true;
}

/* An empty text takes the element away, as none does. */
static void replace_text(char **text, const char *value)
{
    g_free(*text);
    *text = value && *value ? g_strdup(value) : NULL;
}

static bool apply(DomainDef *def, const MetadataChange *change, GError **error)
{
    switch (change->type) {
    case VIR_DOMAIN_METADATA_DESCRIPTION:
        replace_text(&def->description, change->text);
        return true;
    case VIR_DOMAIN_METADATA_TITLE:
        replace_text(&def->title, change->text);
        return true;
    default:
        return domain_def_set_metadata(def, change->uri, change->key, change->text, error);
    }
}

/* The definition first: it may fail, the guest's copy in memory cannot after that. */
static bool change_config(Driver *driver, Domain *domain, const MetadataChange *change,
                          GError **error)
{
    const DomainDef *definition;
    g_autoptr(DomainDef) def = NULL;
    bool is_saved = false;

    if (!fiber_mutex_lock(&domain->definition_lock, fiber_deadline_ms(LOCK_MS), error))
        return false;
    definition = definitions_get(driver->definitions, domain, error);
    def = definition ? domain_def_copy(definition) : NULL;
    if (def && apply(def, change, error))
        is_saved = definitions_save(driver->definitions, domain, g_steal_pointer(&def), error);
    driver_unlock_definition(driver, domain);
    return is_saved;
}

static bool change_live(Domain *domain, const MetadataChange *change, GError **error)
{
    Guest *guest = guest_of(domain, error);

    if (!guest || !apply(guest->def, change, error))
        return false;
    guest->is_updated = true;
    /* A daemon that is started anew knows the guest by this file alone. */
    return guest_status_save(guest, error);
}

static bool set_metadata(Driver *driver, Domain *domain, const MetadataChange *change,
                         unsigned flags, GError **error)
{
    bool is_live, is_config;

    if (!check_change(change, error) ||
        !domain_resolve_affect(domain, flags, &is_live, &is_config, error) ||
        (is_config && !change_config(driver, domain, change, error)) ||
        (is_live && !change_live(domain, change, error)))
        return false;
    domain_emit_metadata(driver, domain, change->type,
                         change->type == VIR_DOMAIN_METADATA_ELEMENT ? change->uri : NULL);
    return true;
}

static bool domain_set_metadata(Call *call, const remote_domain_set_metadata_args *args, none *ret,
                                GError **error)
{
    MetadataChange change = { args->type, optional(args->metadata), optional(args->key),
                              optional(args->uri) };
    Driver *driver;
    Domain *domain = NULL;
    bool is_set;

    if (call_check_flags("virDomainSetMetadata", args->flags, AFFECT_FLAGS, error))
        domain = call_get_domain(call, args->dom, &driver, error);
    if (!domain)
        return false;
    /* With the job neither start nor end of the guest comes between its two copies. */
    is_set = job_begin(&domain->jobs, "virDomainSetMetadata", 0, error);
    if (is_set) {
        is_set = set_metadata(driver, domain, &change, args->flags, error);
        job_end(&domain->jobs);
    }
    object_unref(domain);
    return is_set;
}

/* To be freed. */
static char *find_metadata(const DomainDef *def, int type, const char *uri, GError **error)
{
    char *text = type == VIR_DOMAIN_METADATA_DESCRIPTION ? g_strdup(def->description)
                 : type == VIR_DOMAIN_METADATA_TITLE     ? g_strdup(def->title)
                                                         : domain_def_get_metadata(def, uri);

    if (!text)
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_NO_DOMAIN_METADATA,
                  "Requested metadata element is not present");
    return text;
}

static const DomainDef *choose_def(Driver *driver, Domain *domain, unsigned flags, GError **error)
{
    bool is_live, is_config;

    if (!domain_resolve_affect(domain, flags, &is_live, &is_config, error))
        return NULL;
    return is_live ? domain->guest->def : definitions_get(driver->definitions, domain, error);
}

static bool domain_get_metadata(Call *call, const remote_domain_get_metadata_args *args,
                                remote_domain_get_metadata_ret *ret, GError **error)
{
    MetadataChange wanted = { args->type, NULL, NULL, optional(args->uri) };
    Driver *driver;
    Domain *domain = NULL;
    const DomainDef *def = NULL;

    if ((args->flags & AFFECT_FLAGS) == AFFECT_FLAGS) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG,
                  "flags VIR_DOMAIN_AFFECT_LIVE and VIR_DOMAIN_AFFECT_CONFIG exclude each other");
        return false;
    }
    if (call_check_flags("virDomainGetMetadata", args->flags, AFFECT_FLAGS, error) &&
        check_change(&wanted, error))
        domain = call_get_domain(call, args->dom, &driver, error);
    if (domain)
        def = choose_def(driver, domain, args->flags, error);
    if (def)
        ret->metadata = find_metadata(def, args->type, wanted.uri, error);
    object_unref(domain);
    return ret->metadata != NULL;
}

static const Procedure procedures[] = {
    PROCEDURE(REMOTE_PROC_DOMAIN_SET_METADATA, domain_set_metadata,
              remote_domain_set_metadata_args, none),
    PROCEDURE(REMOTE_PROC_DOMAIN_GET_METADATA, domain_get_metadata,
              remote_domain_get_metadata_args, remote_domain_get_metadata_ret),
};

const ProcedureTable domain_metadata_procedures = { REMOTE_PROGRAM, procedures,
                                                    G_N_ELEMENTS(procedures) };
