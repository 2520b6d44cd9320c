#include "wire/procedure.h"

#include <string.h>

#include "wire/procedure_table.h"

const WireProgram *wire_program_find(uint32_t number)
{
    for (const WireProgram *program = wire_programs; program->number; program++) {
        if (program->number == number)
            return program;
    }
    return NULL;
}

const WireProcedure *wire_procedure_find(const WireProgram *program, int32_t number)
{
    if (number <= 0 || (uint32_t)number >= program->n_procedures ||
        program->procedures[number].number == 0)
        return NULL;
    return &program->procedures[number];
}

const WirePermission *wire_procedure_permissions(const WireProcedure *procedure)
{
    return &wire_permissions[procedure->acl];
}

bool wire_permission_applies(const WirePermission *permission, const void *args)
{
    uint32_t word;

    if (permission->condition == WIRE_IF_ALWAYS)
        return true;
    memcpy(&word, (const uint8_t *)args + permission->offset, sizeof(word));
    if (permission->condition == WIRE_IF_VALUE)
        return word == permission->flags;
    return ((word & permission->flags) != 0) == (permission->condition == WIRE_IF_ANY);
}

/* The permissions that a read-only connection has. */
static bool is_reading(const char *permission)
{
    return strcmp(permission, "getattr") == 0 || strcmp(permission, "read") == 0 ||
           g_str_has_prefix(permission, "search_");
}

bool wire_procedure_writes(const WireProcedure *procedure, const void *args)
{
    const WirePermission *rule = wire_procedure_permissions(procedure);

    if (procedure->is_write)
        return true;
    for (; *rule->object; rule++) {
        if (rule->condition != WIRE_IF_ALWAYS && !is_reading(rule->name) &&
            wire_permission_applies(rule, args))
            return true;
    }
    return false;
}

const char *wire_procedure_title(const WireProcedure *procedure)
{
    return *procedure->api ? procedure->api : procedure->name;
}
