#include "virtqemud/host/image_info.h"

#include <string.h>

#include "base/error.h"

#define QCOW2_MAGIC 0x514649fbu
#define QCOW2_V2_HEADER_BYTES 72
#define QCOW2_V3_HEADER_BYTES 104
#define QCOW2_INCOMPATIBLE_DATA_FILE (1u << 2)
#define QCOW2_EXTENSION_END 0u
#define QCOW2_EXTENSION_BACKING_FORMAT 0xe2792acau
#define QCOW2_MAX_BACKING_NAME 1023
#define QCOW2_MAX_FORMAT_NAME 15
#define MAX_EXTENSIONS 100

/* The head of an image; all reads are checked against its length. */
typedef struct Head {
    const uint8_t *data;
    size_t length;
} Head;

static uint32_t head_get_u32(const Head *head, size_t offset)
{
    uint32_t number = 0;

    for (size_t i = 0; i < 4; i++)
        number = number << 8 | (offset + i < head->length ? head->data[offset + i] : 0);
    return number;
}

static uint64_t head_get_u64(const Head *head, size_t offset)
{
    return (uint64_t)head_get_u32(head, offset) << 32 | head_get_u32(head, offset + 4);
}

static bool fail(GError **error, const char *reason)
{
    error_set(error, VIR_FROM_STORAGE, VIR_ERR_OPERATION_FAILED, "%s", reason);
    return false;
}

/* Text without a terminator, which has to be text. NULL for what is none. */
static char *head_get_text(const Head *head, uint64_t offset, uint32_t length)
{
    if (length == 0 || offset > head->length || length > head->length - offset)
        return NULL;
    const char *text = (const char *)head->data + offset;
    if (memchr(text, '\0', length) || !g_utf8_validate(text, length, NULL))
        return NULL;
    return g_strndup(text, length);
}

/* The extensions follow the header, each padded to eight bytes. */
static bool read_extensions(const Head *head, size_t offset, ImageInfo *info, GError **error)
{
    for (int i = 0; i < MAX_EXTENSIONS && offset + 8 <= head->length; i++) {
        uint32_t type = head_get_u32(head, offset);
        uint32_t length = head_get_u32(head, offset + 4);

        offset += 8;
        if (type == QCOW2_EXTENSION_END)
            return true;
        if (length > head->length - offset)
            return fail(error, "an extension of its qcow2 header is too long");
        if (type == QCOW2_EXTENSION_BACKING_FORMAT) {
            g_free(info->backing_format);
            info->backing_format =
                length <= QCOW2_MAX_FORMAT_NAME ? head_get_text(head, offset, length) : NULL;
            if (!info->backing_format)
                return fail(error, "the format of its backing file is no name");
        }
        offset += (length + 7u) & ~(size_t)7;
    }
    return true;
}

static bool read_backing_name(const Head *head, ImageInfo *info, GError **error)
{
    uint64_t offset = head_get_u64(head, 8);
    uint32_t length = head_get_u32(head, 16);

    if (offset == 0)
        return true;
    if (length > QCOW2_MAX_BACKING_NAME)
        return fail(error, "the name of its backing file is too long");
    info->backing_path = head_get_text(head, offset, length);
    return info->backing_path || fail(error, "the name of its backing file is no text");
}

static bool read_all(const Head *head, ImageInfo *info, GError **error)
{
    uint32_t version = head_get_u32(head, 4);
    size_t header_length = QCOW2_V2_HEADER_BYTES;

    if (head->length < QCOW2_V2_HEADER_BYTES || head_get_u32(head, 0) != QCOW2_MAGIC)
        return fail(error, "it is not in the format qcow2");
    if (version != 2 && version != 3)
        return fail(error, "it is in an unknown version of qcow2");
    info->size_bytes = head_get_u64(head, 24);
    info->is_encrypted = head_get_u32(head, 32) != 0;
    if (version == 3) {
        header_length = head_get_u32(head, 100);
        if (head->length < QCOW2_V3_HEADER_BYTES || header_length < QCOW2_V3_HEADER_BYTES ||
            header_length > head->length)
            return fail(error, "its qcow2 header is cut short");
        info->has_data_file = head_get_u64(head, 72) & QCOW2_INCOMPATIBLE_DATA_FILE;
    }
    return read_backing_name(head, info, error) &&
           read_extensions(head, header_length, info, error);
}

bool image_info_parse(const uint8_t *data, size_t length, ImageInfo *ret_info, GError **error)
{
    const Head head = { data, length };
    g_auto(ImageInfo) info = { 0 };

    if (!read_all(&head, &info, error))
        return false;
    *ret_info = info;
    info = (ImageInfo){ 0 };
    return true;
}

void image_info_clear(ImageInfo *info)
{
    g_clear_pointer(&info->backing_path, g_free);
    g_clear_pointer(&info->backing_format, g_free);
}

char *image_backing_path(const char *path, const char *name)
{
    const char *colon = strchr(name, ':');
    const char *slash = strchr(name, '/');

    if (g_str_has_prefix(name, "file:"))
        return g_str_has_prefix(name, "file://") ? NULL
                                                 : image_backing_path(path, name + strlen("file:"));
    if (!*name || (colon && (!slash || colon < slash)))
        return NULL;
    if (*name == '/')
        return g_strdup(name);
    g_autofree char *folder = g_path_get_dirname(path);
    return g_build_filename(folder, name, NULL);
}
