#include "xml/schema_types.h"

#include <string.h>

#include <glib.h>

#define SPACE " \t\r\n"
#define DIGITS "0123456789"
#define HEX_DIGITS DIGITS "abcdefABCDEF"

bool xml_is_empty(const char *text)
{
    return text[strspn(text, SPACE)] == '\0';
}

/* Length and start of what is between white space. */
static size_t trim(const char **text)
{
    size_t length;

    *text += strspn(*text, SPACE);
    length = strlen(*text);
    while (length > 0 && strchr(SPACE, (*text)[length - 1]))
        length--;
    return length;
}

/* @digits: so many, and nothing else. */
static bool digits_up_to(const char *digits, size_t length, uint64_t max)
{
    uint64_t value = 0;

    if (length == 0 || strspn(digits, DIGITS) < length)
        return false;
    for (size_t i = 0; i < length; i++) {
        unsigned digit = (unsigned)(digits[i] - '0');

        if (value > max / 10 || digit > max - value * 10)
            return false;
        value = value * 10 + digit;
    }
    return true;
}

bool xml_is_unsigned_int(const char *text)
{
    return digits_up_to(text, strlen(text), UINT32_MAX);
}

bool xml_is_unsigned_long(const char *text)
{
    return digits_up_to(text, strlen(text), UINT64_MAX);
}

bool xml_is_number_up_to(const char *text, uint64_t max)
{
    size_t length = trim(&text);

    if (length > 0 && (*text == '+' || *text == '-')) {
        max = *text == '-' ? 0 : max;
        text++;
        length--;
    }
    return digits_up_to(text, length, max);
}

bool xml_is_int(const char *text)
{
    size_t length = trim(&text);
    uint64_t max = INT32_MAX;

    if (length > 0 && (*text == '+' || *text == '-')) {
        max += *text == '-';
        text++;
        length--;
    }
    return digits_up_to(text, length, max);
}

bool xml_is_hexuint(const char *text)
{
    size_t length;

    text += g_str_has_prefix(text, "0x") ? 2 : 0;
    length = strlen(text);
    return length > 0 && strspn(text, DIGITS "abcdef") == length;
}

static bool is_hex(const char *text, size_t length)
{
    return strspn(text, HEX_DIGITS) >= length;
}

bool xml_is_uuid(const char *text)
{
    static const size_t groups[] = { 8, 4, 4, 4, 12 };

    if (strlen(text) == 32)
        return is_hex(text, 32);
    if (strlen(text) != 36)
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(groups); i++) {
        if (!is_hex(text, groups[i]) || (text[groups[i]] != '-' && text[groups[i]] != '\0'))
            return false;
        text += groups[i] + 1;
    }
    return true;
}

bool xml_is_hex_digits(const char *text, size_t min, size_t max)
{
    size_t length = strlen(text);

    return length >= min + 2 && length <= max + 2 && text[0] == '0' && text[1] == 'x' &&
           is_hex(text + 2, length - 2);
}

bool xml_is_wwn(const char *text)
{
    return (strlen(text) == 16 && is_hex(text, 16)) || xml_is_hex_digits(text, 16, 16);
}

bool xml_is_mac(const char *text)
{
    if (strlen(text) != 17)
        return false;
    for (size_t i = 0; i < 6; i++) {
        if (!is_hex(text + 3 * i, 2) || (i < 5 && text[3 * i + 2] != ':'))
            return false;
    }
    return true;
}
