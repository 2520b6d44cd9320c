/* Clients' documents about devices, and mdevctl's list: what is accepted is told to mdevctl as
 * JSON, and comes back the same. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "virtnodedevd/device_xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_request(const char *text)
{
    g_autoptr(DeviceRequest) strict = device_request_parse(text, true, NULL);
    g_autoptr(DeviceRequest) request = device_request_parse(text, false, NULL);
    g_autoptr(GPtrArray) configs = NULL;
    g_autofree char *json = NULL;
    g_autofree char *list = NULL;

    if (strict && !request)
        abort();
    if (!request || !request->mdev)
        return;
    json = mdev_config_to_json(request->mdev);
    list = g_strdup_printf("[{\"p\":[{\"%s\":%s}]}]",
                           request->mdev->uuid ? request->mdev->uuid : "u", json);
    configs = mdev_configs_parse(list, NULL);
    if (!configs || configs->len != 1)
        abort();
    g_free(request->mdev->parent);
    request->mdev->parent = g_strdup("p");
    if (!request->mdev->uuid)
        request->mdev->uuid = g_strdup("u");
    if (!mdev_config_equal(request->mdev, configs->pdata[0]))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autoptr(GPtrArray) configs = mdev_configs_parse(text, NULL);

    for (guint i = 0; configs && i < configs->len; i++) {
        g_autofree char *xml = mdev_config_format(configs->pdata[i], "parent");

        device_request_free(device_request_parse(xml, true, NULL));
    }
    check_request(text);
    return 0;
}
