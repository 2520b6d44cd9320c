/* Writes a plan for the launcher (plan.h has the format): the daemon's side, piece by piece. A step
 * is begun with the number of its arguments, which follow. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include <glib.h>

#include "virtqemud/launcher/plan.h"

/* One that has no step yet. */
GByteArray *plan_writer_new(void);
void plan_begin(GByteArray *plan, LaunchStepKind kind, size_t n_args);

/* Arguments. */
void plan_add(GByteArray *plan, const char *text);
void plan_add_number(GByteArray *plan, int64_t number);
/* NULL: none. */
void plan_add_strings(GByteArray *plan, const char *const *strings);
/* The program's descriptor @to is the launcher's @from. */
void plan_add_move(GByteArray *plan, int from, int to);

/* Whole steps. @text NULL: none. */
void plan_step_text(GByteArray *plan, LaunchStepKind kind, const char *text);
void plan_step_number(GByteArray *plan, LaunchStepKind kind, int64_t number);
/* Supplementary groups, group and user, which take the right to change them: the last steps that
 * need any. */
void plan_steps_user(GByteArray *plan, uid_t uid, gid_t gid, const gid_t *groups,
                     size_t n_groups);
/* The environment. NULL: empty. */
void plan_step_environment(GByteArray *plan, const char *const *envp);
/* The last step. @path NULL: argv[0]. */
void plan_step_execute(GByteArray *plan, const char *path, const char *const *argv);

/* A file in memory with the plan, close-on-exec; or -errno. */
int plan_writer_open(const GByteArray *plan);
