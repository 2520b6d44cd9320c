/* Attributes of block devices in sysfs. */
#include "virtqemud/lock/block_id.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <glib.h>

/* UUIDs of LVM have 32 characters, shown in groups. */
#define LVM_UUID_LENGTH 32
static const size_t lvm_groups[] = { 6, 4, 4, 4, 4, 4, 6 };

/* Of the block device at @path, which is below /dev and cannot hang. */
static char *read_attribute(const char *path, const char *name)
{
    g_autofree char *file = NULL;
    struct stat info;
    char *text = NULL;

    if (stat(path, &info) < 0 || !S_ISBLK(info.st_mode))
        return NULL;
    file = g_strdup_printf("/sys/dev/block/%u:%u/%s", major(info.st_rdev), minor(info.st_rdev),
                           name);
    return g_file_get_contents(file, &text, NULL, NULL) ? g_strstrip(text) : NULL;
}

/* "LVM-", the group's UUID, the volume's. */
char *block_id_parse_lvm(const char *dm_uuid)
{
    GString *uuid;

    if (!g_str_has_prefix(dm_uuid, "LVM-") ||
        strlen(dm_uuid) != strlen("LVM-") + 2 * LVM_UUID_LENGTH)
        return NULL;
    dm_uuid += strlen("LVM-") + LVM_UUID_LENGTH;
    uuid = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(lvm_groups); i++) {
        if (i > 0)
            g_string_append_c(uuid, '-');
        g_string_append_len(uuid, dm_uuid, (gssize)lvm_groups[i]);
        dm_uuid += lvm_groups[i];
    }
    return g_string_free(uuid, FALSE);
}

char *block_id_parse_scsi(const char *wwid)
{
    const char *digits = wwid + strlen("naa.");

    if (!g_str_has_prefix(wwid, "naa.") || !*digits ||
        digits[strspn(digits, "0123456789abcdefABCDEF")])
        return NULL;
    return g_strconcat("3", digits, NULL);
}

char *block_id_lvm(const char *path)
{
    g_autofree char *text = read_attribute(path, "dm/uuid");

    return text ? block_id_parse_lvm(text) : NULL;
}

char *block_id_scsi(const char *path)
{
    g_autofree char *text = read_attribute(path, "device/wwid");

    return text ? block_id_parse_scsi(text) : NULL;
}
