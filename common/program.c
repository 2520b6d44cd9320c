/* A program as one server offers it: the tables of the kit and of the driver merged into one
 * array by procedure number, which is dense enough for an array. */
#include "common/procedure.h"

struct Program {
    const WireProgram *wire;
    GPtrArray *procedures; /* of const Procedure, by number */
};

Program *program_new(uint32_t number)
{
    Program *program = g_new0(Program, 1);

    program->wire = wire_program_find(number);
    g_assert(program->wire);
    program->procedures = g_ptr_array_new();
    return program;
}

void program_free(Program *program)
{
    if (!program)
        return;
    g_ptr_array_unref(program->procedures);
    g_free(program);
}

void program_add_table(Program *program, const ProcedureTable *table)
{
    g_assert(table->program == program->wire->number);
    for (size_t i = 0; i < table->n_procedures; i++) {
        const Procedure *procedure = &table->procedures[i];
        guint number = (guint)procedure->number;

        /* Mistakes in tables are found by any test that starts the daemon. */
        g_assert(wire_procedure_find(program->wire, procedure->number));
        if (program->procedures->len <= number)
            g_ptr_array_set_size(program->procedures, (gint)number + 1);
        g_assert(!g_ptr_array_index(program->procedures, number));
        g_ptr_array_index(program->procedures, number) = (gpointer)procedure;
    }
}

const WireProgram *program_get_wire(const Program *program)
{
    return program->wire;
}

const Procedure *program_find(const Program *program, int32_t number)
{
    if (number < 0 || (guint)number >= program->procedures->len)
        return NULL;
    return g_ptr_array_index(program->procedures, (guint)number);
}
