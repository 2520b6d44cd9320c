/* Status files of running guests: written by us, but also found where another daemon, or a disk
 * with faults, has left them. */
#include <stdint.h>
#include <string.h>

#include "virtqemud/guest/status.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was read can be written, and read again. */
static void check_again(const GuestStatus *status)
{
    g_autofree char *text =
        domain_def_format(status->def, DOMAIN_FORMAT_STATUS | DOMAIN_FORMAT_SECURE);
    g_autoptr(DomainDef) again = domain_def_parse(text, DOMAIN_PARSE_STATUS, NULL);

    if (!again)
        g_error("cannot read again what was written:\n%s", text);
    if (strcmp(again->name, status->def->name) || again->id != status->def->id)
        g_error("it is another domain:\n%s", text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_auto(GuestStatus) status = { 0 };
    g_autoptr(GError) error = NULL;

    if (!guest_status_parse(text, &status, &error)) {
        if (!error)
            g_error("a failure without an error");
        return 0;
    }
    check_again(&status);
    return 0;
}
