/* What the launcher is told to do before it becomes another program: a list of steps, done
 * in their order. The daemon writes it to a descriptor that the launcher inherits; the
 * launcher takes all of it or, when anything is wrong, does nothing at all. Knows libc only.
 *
 * The format: strings, each ended by a zero byte. The first is LAUNCH_PLAN_MAGIC. Then, step
 * by step: the name of the step, the number of its arguments in decimal digits, the
 * arguments. The last step is "execute", and nothing follows it. The steps:
 *
 *   session                          a new session, without a terminal
 *   umask OCTAL
 *   limit NAME VALUE require|try     soft and hard; core, nofile, memlock, nproc; "unlimited";
 *                                    with "try" as high as we are allowed to
 *   nice NUMBER                      -20 to 19
 *   oom-score NUMBER                 -1000 to 1000
 *   affinity LIST                    processors: 0-3,8
 *   pid-file PATH                    written with our number, without a line end, mode 0644
 *   groups GID...                    exactly these supplementary groups
 *   gid GID                          real, effective and saved
 *   uid UID                          real, effective and saved
 *   no-new-capabilities              the bounding set is emptied, as far as we may
 *   no-capabilities                  none are left
 *   no-new-privileges
 *   directory PATH
 *   environment NAME=VALUE...        exactly these
 *   descriptors FROM:TO...           the program's descriptor TO is our FROM; FROM may come
 *                                    several times; no others are open in the program.
 *                                    Comes before a limit of nofile
 *   connect FD PATH                  our descriptor FD, a unix socket, to the one at PATH, whose
 *                                    owner sees it as ours; comes before descriptors
 *   wait                             says "ready", goes on when it has read "go"
 *   execute PATH ARGUMENT0...        */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define LAUNCH_PLAN_MAGIC "splitvirt-launch-1"
/* More than execve(2) would take. */
#define LAUNCH_PLAN_MAX_BYTES (4 * 1024 * 1024)
#define LAUNCH_PLAN_MAX_STEPS 256
#define LAUNCH_PLAN_MAX_ARGS 65536
/* Numbers of the program's descriptors are below this. */
#define LAUNCH_PLAN_MAX_FD 1024

/* The launcher's own descriptors; those that it was given follow. */
#define LAUNCH_FD_PLAN 3
#define LAUNCH_FD_STATUS 4 /* a socket that keeps messages apart */
#define LAUNCH_FD_FIRST 5

/* Messages on the status socket. A step that failed says so in three strings, each ended by
 * a zero byte: the step's name, errno in digits, what it was about (may be empty). The end
 * of the stream without one is success: the program runs. */
#define LAUNCH_READY "ready"
#define LAUNCH_GO "go"
#define LAUNCH_STATUS_MAX_BYTES 1024

typedef enum LaunchStepKind {
    LAUNCH_STEP_SESSION,
    LAUNCH_STEP_UMASK,
    LAUNCH_STEP_LIMIT,
    LAUNCH_STEP_NICE,
    LAUNCH_STEP_OOM_SCORE,
    LAUNCH_STEP_AFFINITY,
    LAUNCH_STEP_PID_FILE,
    LAUNCH_STEP_GROUPS,
    LAUNCH_STEP_GID,
    LAUNCH_STEP_UID,
    LAUNCH_STEP_NO_NEW_CAPABILITIES,
    LAUNCH_STEP_NO_CAPABILITIES,
    LAUNCH_STEP_NO_NEW_PRIVILEGES,
    LAUNCH_STEP_DIRECTORY,
    LAUNCH_STEP_ENVIRONMENT,
    LAUNCH_STEP_CONNECT,
    LAUNCH_STEP_DESCRIPTORS,
    LAUNCH_STEP_WAIT,
    LAUNCH_STEP_EXECUTE,
    LAUNCH_N_STEPS,
} LaunchStepKind;

typedef struct LaunchStep {
    LaunchStepKind kind;
    char **args; /* NULL-terminated; the strings are the caller's text */
    size_t n_args;
} LaunchStep;

typedef struct LaunchPlan {
    LaunchStep steps[LAUNCH_PLAN_MAX_STEPS];
    size_t n_steps;
    char **strings; /* what all args point into */
} LaunchPlan;

/* The name of a step in a plan and in messages. */
const char *launch_step_name(LaunchStepKind kind);

/* Reads @length bytes at @text, which must live as long as the plan and end in a zero byte.
 * On failure @ret_plan is empty and *@ret_reason a constant text. */
bool launch_plan_parse(char *text, size_t length, LaunchPlan *ret_plan, const char **ret_reason);
void launch_plan_clear(LaunchPlan *plan);

/* Strict decimal digits, "-" before them if @min is below 0. */
bool launch_number_parse(const char *text, long long min, long long max, long long *ret_number);
/* "FROM:TO" of descriptors. */
bool launch_descriptor_parse(const char *text, int *ret_from, int *ret_to);
