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

/* How fields are told: those of a keyword, and those of a letter and an index of one more. */
typedef struct FieldName {
    const char *keyword; /* "PN", or the letter alone */
    const char *element;
} FieldName;

/* In the order of the schema. */
static const FieldName read_only_names[] = {
    { "EC", "change_level" },  { "MN", "manufacture_id" }, { "PN", "part_number" },
    { "SN", "serial_number" }, { "V", "vendor_field" },    { NULL, NULL },
};
static const FieldName read_write_names[] = {
    { "YA", "asset_tag" }, { "V", "vendor_field" }, { "Y", "system_field" }, { NULL, NULL },
};

/* The first name that fits, or NULL. */
static const FieldName *find_name(const VpdField *field, const FieldName *names)
{
    char index = field->keyword[1];

    for (const FieldName *name = names; name->keyword; name++) {
        if (g_str_equal(field->keyword, name->keyword))
            return name;
        if (name->keyword[1] == '\0' && field->keyword[0] == name->keyword[0] &&
            (g_ascii_isdigit(index) || g_ascii_isupper(index)))
            return name;
    }
    return NULL;
}

/* Text ends at its first NUL, has no white space around it, and is of ASCII. NULL when it is none;
 * to be freed. */
static char *take_text(const uint8_t *bytes, size_t size)
{
    g_autofree char *text = g_strstrip(g_strndup((const char *)bytes, size));

    for (const char *c = text; *c; c++) {
        if (!g_ascii_isprint(*c))
            return NULL;
    }
    return g_steal_pointer(&text);
}

static void field_clear(void *data)
{
    g_free(((VpdField *)data)->value);
}

static GArray *fields_new(void)
{
    GArray *fields = g_array_new(FALSE, TRUE, sizeof(VpdField));

    g_array_set_clear_func(fields, field_clear);
    return fields;
}

/* Takes @value. Of a keyword that comes again the last value counts, in the first place. */
static void put_field(GArray *fields, const char *keyword, char *value)
{
    VpdField field = { "", value };

    for (guint i = 0; i < fields->len; i++) {
        VpdField *former = &g_array_index(fields, VpdField, i);

        if (g_str_equal(former->keyword, keyword)) {
            g_free(former->value);
            former->value = value;
            return;
        }
    }
    g_strlcpy(field.keyword, keyword, sizeof(field.keyword));
    g_array_append_val(fields, field);
}

/* The sum of all bytes from the first to the one behind RV is zero (I.3.1). */
static bool sum_is_right(const uint8_t *first, const uint8_t *last)
{
    uint8_t sum = 0;

    for (; first <= last; first++)
        sum = (uint8_t)(sum + *first);
    return sum == 0;
}

/* A keyword of two letters, a length, and the value. */
static bool take_field(Bytes *part, char keyword[static 3], Bytes *ret_value)
{
    const uint8_t *head, *value;

    if (!bytes_take(part, 3, &head) || !bytes_take(part, head[2], &value))
        return false;
    memcpy(keyword, head, 2);
    keyword[2] = '\0';
    *ret_value = (Bytes){ value, head[2] };
    return true;
}

/* The last field is what is left: RV with the check sum, behind which nothing counts, or RW, behind
 * which nothing is. Fields that are not text, or that nobody is told of, are left out. */
static bool parse_fields(Bytes part, const uint8_t *start, const FieldName *names, GArray *fields)
{
    while (part.left > 0) {
        VpdField field = { "", NULL };
        Bytes value;

        if (!take_field(&part, field.keyword, &value))
            return false;
        if (g_str_equal(field.keyword, "RV"))
            return value.left > 0 && sum_is_right(start, value.at);
        if (g_str_equal(field.keyword, "RW"))
            return part.left == 0;
        field.value = find_name(&field, names) ? take_text(value.at, value.left) : NULL;
        if (field.value)
            put_field(fields, field.keyword, field.value);
    }
    return names != read_only_names;
}

static bool parse_resource(Vpd *vpd, uint8_t tag, Bytes part, const uint8_t *start)
{
    switch (tag) {
    case TAG_NAME:
        g_free(vpd->name);
        vpd->name = take_text(part.at, part.left);
        return vpd->name != NULL;
    case TAG_READ_ONLY:
        vpd->read_only = vpd->read_only ? vpd->read_only : fields_new();
        return parse_fields(part, start, read_only_names, vpd->read_only);
    case TAG_READ_WRITE:
        vpd->read_write = vpd->read_write ? vpd->read_write : fields_new();
        return parse_fields(part, start, read_write_names, vpd->read_write);
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
            return vpd->name && vpd->read_only ? g_steal_pointer(&vpd) : NULL;
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

static void write_fields(const GArray *fields, const FieldName *names, const FieldName *wanted,
                         XmlWriter *writer)
{
    for (guint i = 0; i < fields->len; i++) {
        const VpdField *field = &g_array_index(fields, VpdField, i);

        if (find_name(field, names) != wanted)
            continue;
        xml_writer_open(writer, wanted->element);
        if (wanted->keyword[1] == '\0')
            xml_writer_attr(writer, "index", "%c", field->keyword[1]);
        xml_writer_text(writer, field->value);
        xml_writer_close(writer);
    }
}

static void write_part(const GArray *fields, const char *access, const FieldName *names,
                       XmlWriter *writer)
{
    if (!fields || fields->len == 0)
        return;
    xml_writer_open(writer, "fields");
    xml_writer_attr_string(writer, "access", access);
    for (const FieldName *name = names; name->keyword; name++)
        write_fields(fields, names, name, writer);
    xml_writer_close(writer);
}

void vpd_format(const Vpd *vpd, XmlWriter *writer)
{
    xml_writer_open(writer, "capability");
    xml_writer_attr_string(writer, "type", "vpd");
    xml_writer_element_string(writer, "name", vpd->name);
    write_part(vpd->read_only, "readonly", read_only_names, writer);
    write_part(vpd->read_write, "readwrite", read_write_names, writer);
    xml_writer_close(writer);
}
