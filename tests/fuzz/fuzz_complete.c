/* Domain XML from clients, on to a complete definition and its aliases. What is shown of a
 * complete definition can be defined again, and gains no controller by it. */
#include <stdlib.h>

#include "complete_fixture.h"
#include "virtqemud/qemu/alias.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(CONDITION)                                                                           \
    do {                                                                                           \
        if (!(CONDITION))                                                                          \
            abort();                                                                               \
    } while (0)

static DomainDef *complete(const char *text, GError **error)
{
    g_autoptr(DomainDef) def = domain_def_parse(text, DOMAIN_PARSE_INACTIVE, error);

    if (!def || !domain_def_complete(def, &complete_fixture, error) ||
        !domain_def_validate(def, error))
        return NULL;
    return g_steal_pointer(&def);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *) data, size);
    g_autoptr(GError) error = NULL;
    g_autoptr(DomainDef) def = complete(text, &error);
    g_autoptr(DomainDef) again = NULL;
    g_autofree char *shown = NULL;

    if (!def) {
        CHECK(error);
        return 0;
    }
    shown = domain_def_format(def, DOMAIN_FORMAT_INACTIVE | DOMAIN_FORMAT_SECURE);
    again = complete(shown, &error);
    CHECK(again);
    CHECK(again->controllers->len == def->controllers->len);
    domain_def_assign_aliases(def);
    return 0;
}
