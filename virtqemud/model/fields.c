#include "virtqemud/model/fields.h"

static const char *const yes_no[] = { NULL, "yes", "no" };
static const char *const on_off[] = { NULL, "on", "off" };

/* -1 stands for none and so cannot be given. */
static bool index_parse(const Field *field, const XmlNode *node, int *index, GError **error)
{
    XmlRule rules = field->kind == FIELD_INDEX ? XML_OPTIONAL : XML_ANY_BASE;
    int value = *index;

    if (!xml_attr_int(node, field->name, rules, value, &value, error))
        return false;
    if (value < 0 && xml_node_attr(node, field->name))
        return xml_attr_invalid(node, field->name, "Expected non-negative value", error);
    *index = value;
    return true;
}

static bool string_parse(const Field *field, const XmlNode *node, char **text)
{
    const char *value = xml_node_attr(node, field->name);

    if (value) {
        g_free(*text);
        *text = g_strdup(value);
    }
    return true;
}

static bool field_parse(const Field *field, const XmlNode *node, void *place, GError **error)
{
    int *number = place;

    switch (field->kind) {
    case FIELD_ENUM:
        return xml_attr_enum(node, field->name, XML_OPTIONAL, field->names, field->n_names, *number,
                             number, error);
    case FIELD_YES_NO:
        return xml_attr_enum(node, field->name, XML_OPTIONAL, yes_no, G_N_ELEMENTS(yes_no), *number,
                             number, error);
    case FIELD_ON_OFF:
        return xml_attr_enum(node, field->name, XML_OPTIONAL, on_off, G_N_ELEMENTS(on_off), *number,
                             number, error);
    case FIELD_UINT:
        return xml_attr_uint(node, field->name, XML_OPTIONAL, *(unsigned *)place, place, error);
    case FIELD_INDEX:
    case FIELD_NUMBER:
    case FIELD_HEX:
        return index_parse(field, node, number, error);
    case FIELD_STRING:
        return string_parse(field, node, place);
    }
    return true;
}

bool fields_parse(const Field *fields, size_t n_fields, const XmlNode *node, void *data,
                  GError **error)
{
    for (size_t i = 0; i < n_fields; i++)
        if (!field_parse(&fields[i], node, (char *)data + fields[i].offset, error))
            return false;
    return true;
}

/* The text of a value whose kind has names; NULL for none. */
static const char *field_name(const Field *field, const void *place)
{
    int value = *(const int *)place;

    switch (field->kind) {
    case FIELD_ENUM:
        return field->names[value];
    case FIELD_YES_NO:
        return yes_no[value];
    case FIELD_ON_OFF:
        return on_off[value];
    default:
        return NULL;
    }
}

/* Numbers have their own notion of none; names are none when the table says so. */
static void field_format(const Field *field, const void *place, XmlWriter *writer)
{
    switch (field->kind) {
    case FIELD_UINT:
        if (*(const unsigned *)place != 0)
            xml_writer_attr(writer, field->name, "%u", *(const unsigned *)place);
        break;
    case FIELD_INDEX:
    case FIELD_NUMBER:
        if (*(const int *)place >= 0)
            xml_writer_attr(writer, field->name, "%d", *(const int *)place);
        break;
    case FIELD_HEX:
        if (*(const int *)place >= 0)
            xml_writer_attr(writer, field->name, "0x%x", *(const unsigned *)place);
        break;
    case FIELD_STRING:
        xml_writer_attr_string(writer, field->name, *(char *const *)place);
        break;
    default:
        xml_writer_attr_string(writer, field->name, field_name(field, place));
        break;
    }
}

void fields_format(const Field *fields, size_t n_fields, const void *data, XmlWriter *writer)
{
    for (size_t i = 0; i < n_fields; i++)
        field_format(&fields[i], (const char *)data + fields[i].offset, writer);
}

static bool field_is_set(const Field *field, const void *place)
{
    switch (field->kind) {
    case FIELD_UINT:
        return *(const unsigned *)place != 0;
    case FIELD_INDEX:
    case FIELD_NUMBER:
    case FIELD_HEX:
        return *(const int *)place >= 0;
    case FIELD_STRING:
        return *(char *const *)place != NULL;
    default:
        return field_name(field, place) != NULL;
    }
}

bool fields_are_set(const Field *fields, size_t n_fields, const void *data)
{
    for (size_t i = 0; i < n_fields; i++)
        if (field_is_set(&fields[i], (const char *)data + fields[i].offset))
            return true;
    return false;
}

void fields_format_element(const char *name, const Field *fields, size_t n_fields, const void *data,
                           XmlWriter *writer)
{
    if (!fields_are_set(fields, n_fields, data))
        return;
    xml_writer_open(writer, name);
    fields_format(fields, n_fields, data, writer);
    xml_writer_close(writer);
}

void field_format_empty(const char *name, bool is_wanted, XmlWriter *writer)
{
    if (!is_wanted)
        return;
    xml_writer_open(writer, name);
    xml_writer_close(writer);
}

bool model_fail_from(GError **error, ErrorFrom from, ErrorCode code, const char *format, ...)
{
    g_autofree char *text = NULL;
    g_autofree char *valid = NULL;
    va_list args;

    if (!format) {
        error_set(error, from, code, NULL);
        return false;
    }
    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    /* Values are cut to a bearable length, and may be in the middle of a character. */
    valid = g_utf8_make_valid(text, -1);
    error_set(error, from, code, "%s", valid);
    return false;
}
