/* Parsing is done before the first step: a plan that is cut short or garbled must not leave a
 * half-prepared process. Strings stay where they are; only the arrays are allocated. */
#include "virtqemud/launcher/plan.h"

#include <stdlib.h>
#include <string.h>

typedef struct StepRule {
    const char *name;
    size_t min_args, max_args;
} StepRule;

static const StepRule rules[LAUNCH_N_STEPS] = {
    [LAUNCH_STEP_SESSION] = { "session", 0, 0 },
    [LAUNCH_STEP_UMASK] = { "umask", 1, 1 },
    [LAUNCH_STEP_LIMIT] = { "limit", 3, 3 },
    [LAUNCH_STEP_NICE] = { "nice", 1, 1 },
    [LAUNCH_STEP_OOM_SCORE] = { "oom-score", 1, 1 },
    [LAUNCH_STEP_AFFINITY] = { "affinity", 1, 1 },
    [LAUNCH_STEP_PID_FILE] = { "pid-file", 1, 1 },
    [LAUNCH_STEP_GROUPS] = { "groups", 0, LAUNCH_PLAN_MAX_ARGS },
    [LAUNCH_STEP_GID] = { "gid", 1, 1 },
    [LAUNCH_STEP_UID] = { "uid", 1, 1 },
    [LAUNCH_STEP_NO_NEW_CAPABILITIES] = { "no-new-capabilities", 0, 0 },
    [LAUNCH_STEP_NO_CAPABILITIES] = { "no-capabilities", 0, 0 },
    [LAUNCH_STEP_NO_NEW_PRIVILEGES] = { "no-new-privileges", 0, 0 },
    [LAUNCH_STEP_DIRECTORY] = { "directory", 1, 1 },
    [LAUNCH_STEP_ENVIRONMENT] = { "environment", 0, LAUNCH_PLAN_MAX_ARGS },
    [LAUNCH_STEP_CONNECT] = { "connect", 2, 2 },
    [LAUNCH_STEP_DESCRIPTORS] = { "descriptors", 0, LAUNCH_PLAN_MAX_FD },
    [LAUNCH_STEP_WAIT] = { "wait", 0, 0 },
    [LAUNCH_STEP_EXECUTE] = { "execute", 2, LAUNCH_PLAN_MAX_ARGS },
};

/* Where in the text the next string begins. */
typedef struct Reader {
    char *at, *end;
} Reader;

const char *launch_step_name(LaunchStepKind kind)
{
    return rules[kind].name;
}

bool launch_number_parse(const char *text, long long min, long long max, long long *ret_number)
{
    const char *digits = min < 0 && *text == '-' ? text + 1 : text;
    size_t length = strspn(digits, "0123456789");

    /* 18 digits fit without overflow. */
    if (length == 0 || length > 18 || digits[length])
        return false;
    long long number = strtoll(text, NULL, 10);
    if (number < min || number > max)
        return false;
    *ret_number = number;
    return true;
}

bool launch_descriptor_parse(const char *text, int *ret_from, int *ret_to)
{
    char from_text[8] = { 0 };
    const char *colon = strchr(text, ':');
    long long from, to;

    if (!colon || (size_t)(colon - text) >= sizeof(from_text))
        return false;
    memcpy(from_text, text, (size_t)(colon - text));
    if (!launch_number_parse(from_text, 0, LAUNCH_PLAN_MAX_FD - 1, &from) ||
        !launch_number_parse(colon + 1, 0, LAUNCH_PLAN_MAX_FD - 1, &to))
        return false;
    *ret_from = (int)from;
    *ret_to = (int)to;
    return true;
}

/* The text ends in a zero byte: every string that begins in it ends in it. */
static char *reader_next(Reader *reader)
{
    char *string = reader->at;

    if (reader->at >= reader->end)
        return NULL;
    reader->at += strlen(string) + 1;
    return string;
}

static bool step_kind_find(const char *name, LaunchStepKind *ret_kind)
{
    for (int i = 0; i < LAUNCH_N_STEPS; i++) {
        if (strcmp(rules[i].name, name) == 0) {
            *ret_kind = (LaunchStepKind)i;
            return true;
        }
    }
    return false;
}

/* Reads one step; its arguments are put at @args. A constant text when it is wrong. */
static const char *step_read(Reader *reader, char **args, LaunchStep *ret_step)
{
    const char *name = reader_next(reader);
    const char *count = reader_next(reader);
    long long n_args;

    if (!name || !count)
        return "it ends before its last step";
    if (!step_kind_find(name, &ret_step->kind))
        return "it has an unknown step";
    const StepRule *rule = &rules[ret_step->kind];
    if (!launch_number_parse(count, (long long)rule->min_args, (long long)rule->max_args, &n_args))
        return "a step has the wrong number of arguments";
    ret_step->args = args;
    ret_step->n_args = (size_t)n_args;
    for (size_t i = 0; i < ret_step->n_args; i++) {
        args[i] = reader_next(reader);
        if (!args[i])
            return "it ends within a step";
    }
    args[ret_step->n_args] = NULL;
    return NULL;
}

static const char *plan_read(Reader *reader, LaunchPlan *plan)
{
    char **args = plan->strings;
    const char *magic = reader_next(reader);

    if (!magic || strcmp(magic, LAUNCH_PLAN_MAGIC) != 0)
        return "it is no plan, or one of another version";
    while (plan->n_steps < LAUNCH_PLAN_MAX_STEPS) {
        LaunchStep *step = &plan->steps[plan->n_steps];
        const char *reason = step_read(reader, args, step);
        if (reason)
            return reason;
        args += step->n_args + 1;
        plan->n_steps++;
        if (step->kind == LAUNCH_STEP_EXECUTE)
            return reader->at < reader->end ? "something follows its last step" : NULL;
    }
    return "it has too many steps";
}

/* Every string but the magic may be an argument, and each step needs one place for its NULL
 * but has two strings of its own. */
static char **strings_new(const char *text, size_t length)
{
    size_t n = 0;

    for (size_t i = 0; i < length; i++)
        n += text[i] == '\0';
    return calloc(n + 1, sizeof(char *));
}

bool launch_plan_parse(char *text, size_t length, LaunchPlan *ret_plan, const char **ret_reason)
{
    Reader reader = { .at = text, .end = text + length };

    memset(ret_plan, 0, sizeof(*ret_plan));
    if (length == 0 || length > LAUNCH_PLAN_MAX_BYTES || text[length - 1]) {
        *ret_reason = "it is empty, too long or cut short";
        return false;
    }
    ret_plan->strings = strings_new(text, length);
    *ret_reason = ret_plan->strings ? plan_read(&reader, ret_plan) : "there is no memory";
    if (*ret_reason)
        launch_plan_clear(ret_plan);
    return !*ret_reason;
}

void launch_plan_clear(LaunchPlan *plan)
{
    free(plan->strings);
    memset(plan, 0, sizeof(*plan));
}
