/* A daemon's procedures: one line for each. What else is known of a procedure (its name,
 * the public API's, its priority and the permissions it needs) are facts of the wire and
 * come from wire/procedure.h, by number. */
#pragma once

#include <glib.h>
#include "wire/codec.h"

#include "wire/procedure.h"

typedef struct Call Call;

/* Runs in a fiber of its own. @args are decoded and checked; @ret is zeroed, is encoded
 * when true is returned and freed by its codec in any case: what is put there must be
 * allocated by malloc (g_malloc is the same). False with @error set sends the error. */
typedef bool (*ProcedureHandler)(Call *call, const void *args, void *ret, GError **error);

typedef struct Procedure {
    int32_t number;
    ProcedureHandler handler;
    xdrproc_t args_codec, ret_codec;
    size_t args_size, ret_size;
} Procedure;

/* For procedures without arguments or without result: PROCEDURE(N, handler, none, none). */
typedef struct none {
    char unused;
} none;
#define xdr_none xdr_void

/* The handler's type is checked: bool handler(Call *, const ARGS *, RET *, GError **). */
#define PROCEDURE(NUMBER, HANDLER, ARGS, RET)                                                      \
    {                                                                                              \
        .number = (NUMBER),                                                                        \
        .handler = (ProcedureHandler)(1 ? (HANDLER)                                                \
                                        : (bool (*)(Call *, const ARGS *, RET *, GError **))NULL), \
        .args_codec = (xdrproc_t)xdr_##ARGS, .args_size = sizeof(ARGS),                            \
        .ret_codec = (xdrproc_t)xdr_##RET, .ret_size = sizeof(RET),                                \
    }

typedef struct ProcedureTable {
    uint32_t program;
    const Procedure *procedures;
    size_t n_procedures;
} ProcedureTable;

/* A program as one server offers it: tables merged, looked up by number. */
typedef struct Program Program;
Program *program_new(uint32_t number);
void program_free(Program *program);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Program, program_free)
/* @table must be of the same program; a number twice is a programming error. */
void program_add_table(Program *program, const ProcedureTable *table);
const WireProgram *program_get_wire(const Program *program);
/* NULL when nobody handles it here. */
const Procedure *program_find(const Program *program, int32_t number);
