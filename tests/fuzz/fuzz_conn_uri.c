/* Connection URIs of the command line: parsed or refused, and what was parsed is whole. */
#include <stdint.h>

#include "common/splitvirt/conn_uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autoptr(GError) error = NULL;
    g_autoptr(ConnUri) uri = conn_uri_parse(text, &error);

    g_assert((uri != NULL) == (error == NULL));
    if (uri)
        g_assert(uri->scheme && uri->transport && uri->path && uri->name);
    return 0;
}
