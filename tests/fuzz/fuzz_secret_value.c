/* Files with values, plain and encrypted: the first byte says which; the key and the uuid are
 * fixed. Whatever is in them, reading gives a value within the limit or an error that names the
 * secret; and a value that was read is the same after it was written. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "virtsecretd/value_files.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(CONDITION)                                                                           \
    do {                                                                                           \
        if (!(CONDITION))                                                                          \
            abort();                                                                               \
    } while (0)

static const char uuid[] = "d1fe0013-0000-4000-8000-000000000001";

/* A folder of this process, on memory where there is such a place. */
static char *folder_make(void)
{
    char *folder = g_strdup("/dev/shm/fuzz-secret-XXXXXX");
    g_autofree char *key = NULL;

    if (!g_mkdtemp(folder)) {
        g_free(folder);
        folder = g_dir_make_tmp("fuzz-secret-XXXXXX", NULL);
    }
    CHECK(folder);
    key = g_build_filename(folder, "key", NULL);
    CHECK(file_replace_atomic(key, "0123456789abcdef0123456789abcdef", 32, 0600, FILE_KEEP_UID,
                              FILE_KEEP_GID, NULL));
    return folder;
}

static void folder_remove(const char *folder)
{
    g_autoptr(GPtrArray) names = NULL;

    CHECK(dir_list(folder, NULL, &names, NULL));
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *path = g_build_filename(folder, names->pdata[i], NULL);

        unlink(path);
    }
    rmdir(folder);
}

static void check_place(const ValuePlace *place)
{
    g_autoptr(SecretBytes) value = NULL;
    g_autoptr(SecretBytes) again = NULL;
    g_autoptr(GError) error = NULL;

    if (!value_read(place, &value, &error)) {
        CHECK(error && g_utf8_validate(error->message, -1, NULL));
        return;
    }
    CHECK(value && value->length <= VALUE_MAX_BYTES);
    CHECK(value_write(place, value, NULL) && value_read(place, &again, NULL));
    CHECK(again->length == value->length && memcmp(again->data, value->data, value->length) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *folder = NULL;
    g_autofree char *path = NULL;
    KeySource key = { 0 };
    ValuePlace place = { .key = &key };
    bool is_plain;

    if (size < 1)
        return 0;
    folder = folder_make();
    is_plain = data[0] & 1;
    path = g_strconcat(folder, "/", uuid, is_plain ? VALUE_PLAIN_SUFFIX : VALUE_SEALED_SUFFIX, NULL);
    key.path = g_build_filename(folder, "key", NULL);
    place.folder = folder;
    CHECK(uuid_parse(uuid, &place.uuid, NULL));
    CHECK(file_replace_volatile(path, data + 1, size - 1, 0600, NULL));
    check_place(&place);
    folder_remove(folder);
    g_free(key.path);
    return 0;
}
