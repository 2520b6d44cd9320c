/* virtlogd's state file, which a disk or a person may have damaged: it is refused or used in
 * part, and what was used is written and read again as it is. */
#include <stdint.h>
#include <string.h>

#include "virtlogd/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(const GPtrArray *states)
{
    g_autofree char *text = log_states_format(states);
    g_autofree char *problem = NULL;
    g_autofree char *second = NULL;
    g_autoptr(GPtrArray) again = log_states_parse(text, strlen(text), &problem, NULL);

    if (!again || problem)
        g_error("cannot read again what was written:\n%s", text);
    second = log_states_format(again);
    if (strcmp(text, second) != 0)
        g_error("it is another state:\n%s\n%s", text, second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *problem = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) states = log_states_parse((const char *)data, size, &problem, &error);

    if (!states && !error)
        g_error("a failure without an error");
    if (states)
        check_again(states);
    return 0;
}
