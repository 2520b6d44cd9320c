#include "virtnodedevd/vpd.h"

#include <string.h>

/* Tags of resources (I.1): the large ones are followed by a length of two bytes. */
#define TAG_LARGE 0x80
#define TAG_NAME 0x82
#define TAG_READ_ONLY 0x90
#define TAG_READ_WRITE 0x91
#define TAG_END 0x0f /* of the small ones, without its length of three bits */

/* The rest of what a parser has not seen yet. */
typedef struct Bytes {
    const uint8_t *at;
    size_t left;
} Bytes;

static bool bytes_take(Bytes *bytes, size_t size, const uint8_t **ret)
{
    if (bytes->left < size)
        return false;
    *ret = bytes->at;
    bytes->at += size;
    bytes->left -= size;
    return true;
}

/* What may stand in names and values (reference manual, "vpd capability"). */
static bool is_text(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (!g_ascii_isalnum((char)bytes[i]) && (!bytes[i] || !strchr(" -_,.:;=", bytes[i])))
            return false;
    }
    return true;
}

static void field_clear(void *data)
{
    g_free(((VpdField *)data)->value);
}

/* The values of RV and RW are no text: a check sum, and what is free. */
static bool is_binary(const char *keyword)
{
    return g_str_equal(keyword, "RV") || g_str_equal(keyword, "RW");
}

/* The sum of all bytes from the first to the one behind RV is zero (I.3.1). */
static bool sum_is_right(const uint8_t *first, const uint8_t *last)
{
    uint8_t sum = 0;

    for (; first <= last; first++)
        sum = (uint8_t)(sum + *first);
    return sum == 0;
}

/* Each field is a keyword of two letters, a length, and the value. A value of other characters
 * is left out: its field alone is worthless. */
static bool parse_fields(Bytes part, const uint8_t *start, GArray **ret_fields)
{
    g_autoptr(GArray) fields = g_array_new(FALSE, TRUE, sizeof(VpdField));
    const uint8_t *head, *value;

    g_array_set_clear_func(fields, field_clear);
    while (part.left > 0) {
        VpdField field = { "", NULL };

        if (!bytes_take(&part, 3, &head) || !bytes_take(&part, head[2], &value))
            return false;
        memcpy(field.keyword, head, 2);
        if (g_str_equal(field.keyword, "RV")) {
            if (head[2] == 0 || !sum_is_right(start, value))
                return false;
            break;
        }
        if (is_binary(field.keyword) || !is_text(value, head[2]))
            continue;
        field.value = g_strstrip(g_strndup((const char *)value, head[2]));
        g_array_append_val(fields, field);
    }
    g_clear_pointer(ret_fields, g_array_unref);
    *ret_fields = g_steal_pointer(&fields);
    return true;
}

static bool parse_resource(Vpd *vpd, uint8_t tag, Bytes part, const uint8_t *start)
{
    switch (tag) {
    case TAG_NAME:
        if (!is_text(part.at, part.left))
            return false;
        g_free(vpd->name);
        vpd->name = g_strstrip(g_strndup((const char *)part.at, part.left));
        return true;
    case TAG_READ_ONLY:
        return parse_fields(part, start, &vpd->read_only);
    case TAG_READ_WRITE:
        return parse_fields(part, start, &vpd->read_write);
    default:
        return true;
    }
}

Vpd *vpd_parse(const uint8_t *bytes, size_t size)
{
    g_autoptr(Vpd) vpd = g_new0(Vpd, 1);
    Bytes rest = { bytes, size };
    const uint8_t *tag, *length, *content;

    while (bytes_take(&rest, 1, &tag)) {
        size_t part_size = *tag & 7;

        if (!(*tag & TAG_LARGE) && *tag >> 3 == TAG_END)
            return vpd->name ? g_steal_pointer(&vpd) : NULL;
        if (*tag & TAG_LARGE) {
            if (!bytes_take(&rest, 2, &length))
                return NULL;
            part_size = (size_t)length[0] | (size_t)length[1] << 8;
        }
        if (!bytes_take(&rest, part_size, &content) ||
            !parse_resource(vpd, *tag, (Bytes){ content, part_size }, bytes))
            return NULL;
    }
    return NULL;
}

void vpd_free(Vpd *vpd)
{
    if (!vpd)
        return;
    g_free(vpd->name);
    g_clear_pointer(&vpd->read_only, g_array_unref);
    g_clear_pointer(&vpd->read_write, g_array_unref);
    g_free(vpd);
}

typedef struct KnownField {
    const char *keyword, *element;
} KnownField;

/* In the order of the schema. */
static const KnownField read_only_fields[] = {
    { "EC", "change_level" }, { "MN", "manufacture_id" },
    { "PN", "part_number" },  { "SN", "serial_number" },
};
static const KnownField read_write_fields[] = { { "YA", "asset_tag" } };

static void write_known(const GArray *fields, const KnownField *known, size_t n_known,
                        XmlWriter *writer)
{
    for (size_t k = 0; k < n_known; k++) {
        for (guint i = 0; i < fields->len; i++) {
            const VpdField *field = &g_array_index(fields, VpdField, i);

            if (g_str_equal(field->keyword, known[k].keyword)) {
                xml_writer_element_string(writer, known[k].element, field->value);
                break;
            }
        }
    }
}

/* Fields of a maker's or a system's own: a letter, and an index of one more. */
static void write_indexed(const GArray *fields, char letter, const char *element,
                          XmlWriter *writer)
{
    for (guint i = 0; i < fields->len; i++) {
        const VpdField *field = &g_array_index(fields, VpdField, i);
        char index = field->keyword[1];

        if (field->keyword[0] != letter || (!g_ascii_isdigit(index) && !g_ascii_isupper(index)) ||
            g_str_equal(field->keyword, "YA"))
            continue;
        xml_writer_open(writer, element);
        xml_writer_attr(writer, "index", "%c", index);
        xml_writer_text(writer, field->value);
        xml_writer_close(writer);
    }
}

void vpd_format(const Vpd *vpd, XmlWriter *writer)
{
    xml_writer_open(writer, "capability");
    xml_writer_attr_string(writer, "type", "vpd");
    xml_writer_element_string(writer, "name", vpd->name);
    if (vpd->read_only) {
        xml_writer_open(writer, "fields");
        xml_writer_attr_string(writer, "access", "readonly");
        write_known(vpd->read_only, read_only_fields, G_N_ELEMENTS(read_only_fields), writer);
        write_indexed(vpd->read_only, 'V', "vendor_field", writer);
        xml_writer_close(writer);
    }
    if (vpd->read_write) {
        xml_writer_open(writer, "fields");
        xml_writer_attr_string(writer, "access", "readwrite");
        write_known(vpd->read_write, read_write_fields, G_N_ELEMENTS(read_write_fields), writer);
        write_indexed(vpd->read_write, 'V', "vendor_field", writer);
        write_indexed(vpd->read_write, 'Y', "system_field", writer);
        xml_writer_close(writer);
    }
    xml_writer_close(writer);
}
