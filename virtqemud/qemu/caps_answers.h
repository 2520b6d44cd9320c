/* The questions to an emulator, and what its answers mean: the part of a probe that starts
 * nothing. */
#pragma once

#include "json/value.h"
#include "virtqemud/qemu/qmp.h"

typedef struct QmpQuestion {
    const char *command;
    const char *member, *value; /* an argument; NULL: none */
    bool is_about_types;        /* qom-list-types: the plain ones that implement @value */
    bool is_optional;           /* not every emulator has an answer */
} QmpQuestion;

/* Sends all, then collects the answers (NULL where an optional one failed). @values has room
 * for @count; on failure it holds those that came. */
SUSPENDS bool qmp_questions_ask(QmpSession *session, const QmpQuestion *questions, guint count,
                                JsonValue **values, uint64_t deadline_us, GError **error);

/* On architectures with a single CPU there is no such command. */
#define CPU_QUESTION { .command = "query-cpu-definitions", .is_optional = true }

/* All that is asked. */
typedef struct CapsAnswers {
    QmpQuestion *questions;
    JsonValue **values;
    guint count;
} CapsAnswers;

CapsAnswers *caps_answers_new(void);
void caps_answers_free(CapsAnswers *answers);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CapsAnswers, caps_answers_free)

/* The facts (caps_facts.h). *@ret_has_kvm: KVM was in use, the CPU models of TCG are missing.
 * Errors: INTERNAL_ERROR, naming what is wrong with which answer. */
JsonValue *caps_answers_to_facts(const CapsAnswers *answers, bool *ret_has_kvm, GError **error);
/* Puts what query-cpu-definitions answered (NULL: no answer) as @member of @facts. */
bool caps_answers_put_cpus(JsonValue *facts, const char *member, const JsonValue *answer,
                           GError **error);
