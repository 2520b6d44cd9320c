/* Fuzzes everything in base that reads text: the first byte chooses the reader. What is
 * accepted must survive being written and read again. */
#include <stdlib.h>
#include <string.h>

#include "base/bitmap.h"
#include "base/log.h"
#include "base/log_output.h"
#include "base/log_rules.h"
#include "base/mac.h"
#include "base/units.h"
#include "base/uuid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
    if (!truth)
        abort();
}

static void fuzz_uuid(const char *text)
{
    char formatted[UUID_TEXT_SIZE];
    Uuid uuid;
    Uuid again;

    if (uuid_parse(text, &uuid, NULL))
        require(uuid_parse(uuid_format(&uuid, formatted), &again, NULL) &&
                uuid_equal(&uuid, &again));
}

static void fuzz_mac(const char *text)
{
    char formatted[MAC_TEXT_SIZE];
    Mac mac;
    Mac again;

    if (mac_parse(text, &mac, NULL))
        require(mac_parse(mac_format(&mac, formatted), &again, NULL) &&
                mac_compare(&mac, &again) == 0);
}

static void fuzz_bitmap(const char *text)
{
    g_autoptr(Bitmap) bitmap = bitmap_parse(text, BITMAP_CPUSET_MAX, NULL);
    g_autoptr(Bitmap) again = NULL;
    g_autofree char *formatted = NULL;

    if (bitmap == NULL || bitmap_count(bitmap) == 0)
        return;
    require(bitmap_last_set(bitmap) < BITMAP_CPUSET_MAX);
    formatted = bitmap_format(bitmap);
    again = bitmap_parse(formatted, BITMAP_CPUSET_MAX, NULL);
    require(again != NULL && bitmap_equal(bitmap, again));
}

static void fuzz_filters(const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) filters = log_filters_parse(text, &error);
    g_autoptr(GArray) again = NULL;
    g_autofree char *formatted = NULL;

    require((filters == NULL) == (error != NULL));
    if (filters == NULL)
        return;
    formatted = log_filters_format(filters);
    again = log_filters_parse(formatted, NULL);
    require(again != NULL && again->len == filters->len);
}

static void fuzz_numbers(const char *text)
{
    uint64_t natural;
    int32_t whole;

    parse_uint64(text, 10, &natural, NULL);
    parse_uint64(text, 16, &natural, NULL);
    parse_int32(text, 8, &whole, NULL);
    if (parse_bytes(text, 1024, 1 << 20, &natural, NULL))
        require(natural <= 1 << 20);
}

static void fuzz_output(const char *text)
{
    g_autoptr(LogOutput) output = log_output_parse(text, NULL);
    g_autoptr(GString) formatted = g_string_new(NULL);

    if (output != NULL)
        log_output_format(output, formatted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const readers[])(const char *text) = { fuzz_uuid,    fuzz_mac,     fuzz_bitmap,
                                                         fuzz_filters, fuzz_numbers, fuzz_output };
    g_autofree char *text = NULL;

    if (size == 0)
        return 0;
    text = g_strndup((const char *) data + 1, size - 1);
    readers[data[0] % G_N_ELEMENTS(readers)](text);
    return 0;
}
