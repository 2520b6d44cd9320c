/* MAC addresses are written in one form; zeros in front may be missing when read. */
#include "base/mac.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/error.h"

bool mac_parse(const char *text, Mac *ret_mac, GError **error)
{
    const char *p = text;
    Mac mac;
    size_t i;

    for (i = 0; i < MAC_LENGTH && g_ascii_isxdigit(*p); i++) {
        int value = g_ascii_xdigit_value(*p++);

        if (g_ascii_isxdigit(*p))
            value = value << 4 | g_ascii_xdigit_value(*p++);
        mac.bytes[i] = (uint8_t) value;
        if (i + 1 < MAC_LENGTH && *p++ != ':')
            break;
    }
    /* Only a whole address may be followed by blanks. */
    if (i == MAC_LENGTH) {
        while (g_ascii_isspace(*p))
            p++;
    }
    if (i != MAC_LENGTH || *p != '\0') {
        error_set(error, VIR_FROM_NONE, VIR_ERR_INVALID_MAC, "unable to parse mac address '%s'",
                  text);
        return false;
    }
    *ret_mac = mac;
    return true;
}

const char *mac_format(const Mac *mac, char text[static MAC_TEXT_SIZE])
{
    const uint8_t *b = mac->bytes;

    g_snprintf(text, MAC_TEXT_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4],
               b[5]);
    return text;
}

void mac_generate(Mac *ret_mac)
{
    /* The prefix is locally administered and not a group; 24 bits are left to chance. */
    *ret_mac = (Mac){ .bytes = { 0x52, 0x54, 0x00 } };
    while (getrandom(ret_mac->bytes + 3, 3, 0) != 3) {
        if (errno != EINTR)
            g_error("no random numbers from the kernel: %s", g_strerror(errno));
    }
}

bool mac_is_multicast(const Mac *mac)
{
    /* The first bit on the wire (IEEE 802, 8.2). */
    return (mac->bytes[0] & 0x01) != 0;
}

int mac_compare(const Mac *a, const Mac *b)
{
    return memcmp(a->bytes, b->bytes, MAC_LENGTH);
}
