/* UUIDs are read as loosely as they have always been, and written in one form only. */
#include "base/uuid.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/error.h"

bool uuid_parse(const char *text, Uuid *ret_uuid, GError **error)
{
    const char *p = text;
    Uuid uuid;

    while (g_ascii_isspace(*p))
        p++;
    for (size_t i = 0; i < UUID_LENGTH; i++) {
        /* Between bytes, never within one. */
        while (*p == '-' || *p == ' ')
            p++;
        if (!g_ascii_isxdigit(p[0]) || !g_ascii_isxdigit(p[1])) {
            error_set(error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG, "malformed UUID '%s'", text);
            return false;
        }
        uuid.bytes[i] = (uint8_t) (g_ascii_xdigit_value(p[0]) << 4 | g_ascii_xdigit_value(p[1]));
        p += 2;
    }
    while (g_ascii_isspace(*p))
        p++;
    if (*p != '\0') {
        error_set(error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG, "malformed UUID '%s'", text);
        return false;
    }
    *ret_uuid = uuid;
    return true;
}

const char *uuid_format(const Uuid *uuid, char text[static UUID_TEXT_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    char *p = text;

    for (size_t i = 0; i < UUID_LENGTH; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *p++ = '-';
        *p++ = digits[uuid->bytes[i] >> 4];
        *p++ = digits[uuid->bytes[i] & 0x0f];
    }
    *p = '\0';
    return text;
}

void uuid_generate(Uuid *ret_uuid)
{
    /* Up to 256 bytes come whole; a signal can only interrupt the wait at boot. */
    while (getrandom(ret_uuid->bytes, UUID_LENGTH, 0) != UUID_LENGTH) {
        if (errno != EINTR)
            g_error("no random numbers from the kernel: %s", g_strerror(errno));
    }
    /* Version 4, variant 1 (RFC 4122, 4.4). */
    ret_uuid->bytes[6] = (uint8_t) ((ret_uuid->bytes[6] & 0x0f) | 0x40);
    ret_uuid->bytes[8] = (uint8_t) ((ret_uuid->bytes[8] & 0x3f) | 0x80);
}

bool uuid_is_valid(const Uuid *uuid)
{
    /* Boards without an identity report one of these two. */
    uint8_t first = uuid->bytes[0];

    if (first != 0x00 && first != 0xff)
        return true;
    for (size_t i = 1; i < UUID_LENGTH; i++) {
        if (uuid->bytes[i] != first)
            return true;
    }
    return false;
}

guint uuid_hash(gconstpointer uuid)
{
    const uint8_t *bytes = ((const Uuid *) uuid)->bytes;
    uint32_t parts[UUID_LENGTH / 4];

    memcpy(parts, bytes, sizeof(parts));
    /* Clients choose UUIDs, so no part alone may decide. */
    return parts[0] * 31u + parts[1] * 1021u + parts[2] * 65521u + parts[3] * 2654435761u;
}

gboolean uuid_equal(gconstpointer a, gconstpointer b)
{
    return memcmp(a, b, UUID_LENGTH) == 0;
}
