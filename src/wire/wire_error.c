#include "wire/wire_error.h"

#include <stdbool.h>
#include <string.h>

#include "base/error.h"
#include "wire/codec.h"

#define TEXT_MAX (64 * 1024)
#define LEVEL_ERROR 2
/* What existing daemons send for the numbers that an error does not use. */
#define NO_NUMBER (-1)

static virNetMessageString new_text(const char *text)
{
    virNetMessageString holder = g_new0(virNetMessageNonnullString, 1);
    size_t length = strlen(text);

    if (length > TEXT_MAX) {
        length = TEXT_MAX;
        /* Not in the middle of a character. */
        while (length > 0 && (text[length] & 0xC0) == 0x80)
            length--;
    }
    *holder = g_strndup(text, length);
    return holder;
}

void wire_error_from_gerror(const GError *error, virNetMessageError *ret_wire)
{
    const char *detail = error_detail(error);
    ErrorFrom from = error_get_from(error);
    /* The codes of GLib's own errors mean nothing to clients. */
    bool is_ours = error->domain == error_quark(from) && error->code > 0;
    g_autoptr(GString) format = g_string_new(error->message);

    *ret_wire = (virNetMessageError){
        .code = is_ours ? error->code : VIR_ERR_INTERNAL_ERROR,
        .domain = from,
        .level = LEVEL_ERROR,
        .message = new_text(error->message),
        .int1 = NO_NUMBER,
        .int2 = NO_NUMBER,
    };
    /* The detail stands at the end of the message, or is all of it. */
    if (g_str_has_suffix(error->message, detail)) {
        g_string_truncate(format, format->len - strlen(detail));
        g_string_append(format, "%s");
    }
    ret_wire->str1 = new_text(format->str);
    ret_wire->str2 = new_text(detail);
}

GError *wire_error_to_gerror(const virNetMessageError *wire)
{
    int code = wire->code > 0 ? wire->code : VIR_ERR_INTERNAL_ERROR;
    /* Quarks are never freed: a peer must not be able to make up any number of them. */
    bool is_known = wire->domain >= VIR_FROM_NONE && wire->domain <= VIR_FROM_CH;
    ErrorFrom from = is_known ? (ErrorFrom)wire->domain : VIR_FROM_NONE;
    const char *message = wire->message && **wire->message ? *wire->message : error_prefix(code);

    return g_error_new_literal(error_quark(from), code, message);
}

void wire_error_clear(virNetMessageError *wire)
{
    codec_free(XDR_PROC(virNetMessageError), wire);
}
