/* Definitions of secrets from clients and files: what is accepted is written, read and written to
 * the same again, and what the scanner of files takes, the parser takes and understands alike. */
#include <stdlib.h>
#include <string.h>

#include "virtsecretd/secret_def.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(CONDITION)                                                                           \
    do {                                                                                           \
        if (!(CONDITION))                                                                          \
            abort();                                                                               \
    } while (0)

/* The uuid is another each time when there is none. */
static void check_parsed(const char *text, bool is_strict)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SecretDef) def = secret_def_parse(text, is_strict, &error);
    g_autoptr(SecretDef) again = NULL;
    g_autofree char *first = NULL;
    g_autofree char *second = NULL;

    if (!def) {
        CHECK(error && g_utf8_validate(error->message, -1, NULL));
        return;
    }
    first = secret_def_format(def);
    again = secret_def_parse(first, false, NULL);
    CHECK(again);
    second = secret_def_format(again);
    CHECK(strcmp(first, second) == 0);
}

static void check_scanned(const char *text)
{
    g_autoptr(SecretDef) scanned = secret_def_scan(text);
    g_autoptr(SecretDef) parsed = NULL;
    g_autofree char *first = NULL;
    g_autofree char *second = NULL;

    if (!scanned)
        return;
    parsed = secret_def_parse(text, false, NULL);
    CHECK(parsed);
    first = secret_def_format(scanned);
    second = secret_def_format(parsed);
    CHECK(strcmp(first, second) == 0 && strcmp(first, text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);

    check_scanned(text);
    check_parsed(text, false);
    check_parsed(text, true);
    return 0;
}
