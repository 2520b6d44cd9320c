/* Fuzzes the heads of disk images: guests write them. */
#include <stdlib.h>

#include "virtqemud/host/image_info.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_auto(ImageInfo) info = { 0 };
    g_autoptr(GError) error = NULL;
    g_autofree char *path = NULL;

    if (image_info_parse(data, size, &info, &error) != !error)
        abort();
    if (info.backing_path && !g_utf8_validate(info.backing_path, -1, NULL))
        abort();
    if (info.backing_path)
        path = image_backing_path("/images/top", info.backing_path);
    if (path && *path != '/')
        abort();
    return 0;
}
