/* Fuzzes the launcher's plan: whatever it is told, it reads only what it was told. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "virtqemud/launcher/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
    if (!truth)
        abort();
}

static void check_step(const LaunchStep *step)
{
    for (size_t i = 0; i < step->n_args; i++) {
        int from, to;

        require(step->args[i]);
        if (launch_descriptor_parse(step->args[i], &from, &to))
            require(from >= 0 && from < LAUNCH_PLAN_MAX_FD && to >= 0 && to < LAUNCH_PLAN_MAX_FD);
    }
    require(!step->args[step->n_args]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* On the heap and of the exact size: reading behind its end is found. */
    char *text = malloc(size + (size == 0));
    const char *reason = NULL;
    LaunchPlan plan;

    if (size > 0)
        memcpy(text, data, size);
    bool ok = launch_plan_parse(text, size, &plan, &reason);
    require(ok == !reason);
    for (size_t i = 0; i < plan.n_steps; i++)
        check_step(&plan.steps[i]);
    if (ok)
        require(plan.steps[plan.n_steps - 1].kind == LAUNCH_STEP_EXECUTE);
    launch_plan_clear(&plan);
    free(text);
    return 0;
}
