/* One message of the kernel's socket, which any process may send to. */
#include <glib.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "virtnodedevd/uevent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *bytes = g_memdup2(data, size);
    Uevent event;

    if (uevent_parse(bytes, size, &event) && !g_str_has_prefix(event.path, "/devices/"))
        abort();
    return 0;
}
