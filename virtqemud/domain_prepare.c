/* The way of every definition into the daemon. */
#include "virtqemud/domain_prepare.h"

#include <string.h>

#include "virtqemud/qemu/complete.h"

/* The emulator that a definition names, or the host's own. */
static bool get_emulator(void *data, const char *path, const char *arch, EmulatorCaps **ret_caps,
                         GError **error)
{
    EmulatorStore *store = data;

    return path ? emulator_store_get(store, path, ret_caps, error)
                : emulator_store_default_for_arch(store, arch, ret_caps, error);
}

DomainDef *domain_prepare_definition(Driver *driver, const char *xml, bool is_validated,
                                     GError **error)
{
    DomainParseFlags flags = DOMAIN_PARSE_INACTIVE | (is_validated ? DOMAIN_PARSE_VALIDATE : 0);
    const CompleteContext context = { emulator_host_arch(), get_emulator, driver->emulators };
    g_autoptr(DomainDef) def = domain_def_parse(xml, flags, error);

    if (!def || !state_name_check(def->name, error) ||
        !domain_def_complete(def, &context, error) ||
        !domain_def_validate(def, error))
        return NULL;
    return g_steal_pointer(&def);
}

Domain *domain_find_for(Driver *driver, const DomainDef *def, bool *ret_is_new, GError **error)
{
    Domain *domain = object_store_find_uuid(driver->domains, &def->uuid);
    char uuid[UUID_TEXT_SIZE];

    *ret_is_new = !domain;
    if (domain && strcmp(domain->object.name, def->name)) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED,
                  "domain '%s' is already defined with uuid %s", domain->object.name,
                  uuid_format(&def->uuid, uuid));
        object_unref(domain);
        return NULL;
    }
    if (domain)
        return domain;
    domain = object_store_find_name(driver->domains, def->name);
    if (!domain)
        return domain_new(def->name, &def->uuid);
    error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED,
              "domain '%s' already exists with uuid %s", def->name,
              uuid_format(&domain->object.uuid, uuid));
    object_unref(domain);
    return NULL;
}
