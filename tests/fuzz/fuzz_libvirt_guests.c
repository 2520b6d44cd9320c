/* What an administrator, or a broken disk, puts into the files that libvirt-guests reads. */
#include <stddef.h>
#include <stdint.h>

#include "virtqemud/libvirt_guests/record.h"
#include "virtqemud/libvirt_guests/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autoptr(GPtrArray) guests = guests_record_find(text, "default");
    g_autoptr(GString) again = g_string_new(NULL);

    guests_settings_free(guests_settings_parse("FILE", text, NULL));
    guests_record_append(again, "default", guests);
    return 0;
}
