/* The writer appends to one text. All that it must remember is which elements are open,
 * whether the innermost start tag still waits for its '>', and which element has text
 * and so takes its end tag on the same line. */
#include "xml/writer.h"

#include <stdio.h>
#include <string.h>

#include "xml/dump.h"

/* Room to begin with, for a small document. */
#define TEXT_SIZE 2048
/* Values are mostly numbers and words. */
#define VALUE_SIZE 128

/* Its name is looked up where it was written. */
typedef struct Element {
    gsize name_at;
    gsize name_length;
    bool has_text;
} Element;

struct XmlWriter {
    GString *text;
    GArray *open;      /* Elements, outermost first */
    bool is_tag_open;  /* the last start tag still takes attributes */
};

XmlWriter *xml_writer_new(void)
{
    XmlWriter *writer = g_new0(XmlWriter, 1);

    writer->text = g_string_sized_new(TEXT_SIZE);
    writer->open = g_array_new(FALSE, TRUE, sizeof(Element));
    return writer;
}

void xml_writer_free(XmlWriter *writer)
{
    if (!writer)
        return;
    g_string_free(writer->text, TRUE);
    g_array_unref(writer->open);
    g_free(writer);
}

static Element *innermost(XmlWriter *writer)
{
    if (writer->open->len == 0)
        return NULL;
    return &g_array_index(writer->open, Element, writer->open->len - 1);
}

static void indent(XmlWriter *writer)
{
    static const char blanks[] = "                ";
    gsize length = 2 * (gsize) writer->open->len;

    for (; length > sizeof(blanks) - 1; length -= sizeof(blanks) - 1)
        g_string_append_len(writer->text, blanks, sizeof(blanks) - 1);
    g_string_append_len(writer->text, blanks, (gssize) length);
}

/* The entity that stands for @c, or NULL when it stands for itself. */
static const char *entity(gunichar c, bool is_attribute)
{
    switch (c) {
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '&':
        return "&amp;";
    case '\'':
        return "&apos;";
    case '"':
        return "&quot;";
    case '\r':
        return "&#13;";
    case '\n':
        return is_attribute ? "&#10;" : NULL;
    case '\t':
        return is_attribute ? "&#9;" : NULL;
    default:
        return NULL;
    }
}

/* XML 1.0, section 2.2. */
static bool can_carry(gunichar c)
{
    return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c != 0xfffe && c != 0xffff);
}

/* Whether @c stands for itself everywhere; most do. */
static bool is_plain(char c)
{
    return c >= ' ' && c != '<' && c != '>' && c != '&' && c != '\'' && c != '"';
}

/* What XML cannot carry is left out: a document that nobody can read would be worse. */
static void append_escaped(GString *text, const char *value, bool is_attribute)
{
    const char *next = NULL;

    for (const char *at = value; *at; at = next) {
        gunichar c = 0;
        const char *instead = NULL;

        for (next = at; is_plain(*next); next++)
            ;
        if (next > at) {
            g_string_append_len(text, at, next - at);
            continue;
        }
        c = g_utf8_get_char_validated(at, -1);
        if (c == (gunichar)-1 || c == (gunichar)-2) {
            next = at + 1;
            continue;
        }
        next = g_utf8_next_char(at);
        instead = entity(c, is_attribute);
        if (instead)
            g_string_append(text, instead);
        else if (can_carry(c))
            g_string_append_len(text, at, next - at);
    }
}

/* Ends the start tag of the innermost element, for children on lines of their own. */
static void begin_children(XmlWriter *writer)
{
    if (writer->is_tag_open)
        g_string_append(writer->text, ">\n");
    writer->is_tag_open = false;
}

void xml_writer_open(XmlWriter *writer, const char *name)
{
    Element element = { .name_length = strlen(name) };

    begin_children(writer);
    indent(writer);
    g_string_append_c(writer->text, '<');
    element.name_at = writer->text->len;
    g_string_append_len(writer->text, name, (gssize) element.name_length);
    g_array_append_val(writer->open, element);
    writer->is_tag_open = true;
}

/* Without a value there is no attribute: callers need not ask. */
void xml_writer_attr_string(XmlWriter *writer, const char *name, const char *value)
{
    g_return_if_fail(writer->is_tag_open);
    if (!value)
        return;
    g_string_append_c(writer->text, ' ');
    g_string_append(writer->text, name);
    g_string_append_len(writer->text, "='", 2);
    append_escaped(writer->text, value, true);
    g_string_append_c(writer->text, '\'');
}

void xml_writer_attr(XmlWriter *writer, const char *name, const char *format, ...)
{
    char value[VALUE_SIZE];
    g_autofree char *long_value = NULL;
    va_list args;
    int length = 0;

    va_start(args, format);
    length = vsnprintf(value, sizeof(value), format, args);
    va_end(args);
    if (length >= (int) sizeof(value)) {
        va_start(args, format);
        long_value = g_strdup_vprintf(format, args);
        va_end(args);
    }
    xml_writer_attr_string(writer, name, long_value ? long_value : value);
}

void xml_writer_text(XmlWriter *writer, const char *text)
{
    Element *element = innermost(writer);

    g_return_if_fail(element && (writer->is_tag_open || element->has_text));
    if (writer->is_tag_open)
        g_string_append_c(writer->text, '>');
    writer->is_tag_open = false;
    element->has_text = true;
    append_escaped(writer->text, text, false);
}

/* Without any content the element is one tag. */
void xml_writer_close(XmlWriter *writer)
{
    const Element *last = innermost(writer);
    Element element;

    g_return_if_fail(last);
    element = *last;
    g_array_set_size(writer->open, writer->open->len - 1);
    if (writer->is_tag_open) {
        g_string_append_len(writer->text, "/>\n", 3);
        writer->is_tag_open = false;
        return;
    }
    if (!element.has_text)
        indent(writer);
    g_string_append_len(writer->text, "</", 2);
    /* Out of itself: the text may move while it grows. */
    g_string_set_size(writer->text, writer->text->len + element.name_length);
    memcpy(writer->text->str + writer->text->len - element.name_length,
           writer->text->str + element.name_at, element.name_length);
    g_string_append_len(writer->text, ">\n", 2);
}

void xml_writer_element_string(XmlWriter *writer, const char *name, const char *text)
{
    if (!text)
        return;
    xml_writer_open(writer, name);
    xml_writer_text(writer, text);
    xml_writer_close(writer);
}

void xml_writer_element(XmlWriter *writer, const char *name, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    xml_writer_element_string(writer, name, text);
}

void xml_writer_break(XmlWriter *writer)
{
    begin_children(writer);
}

void xml_writer_blank_line(XmlWriter *writer)
{
    begin_children(writer);
    g_string_append_c(writer->text, '\n');
}

/* Two hyphens in a row would end it (section 2.5): they are kept apart. */
void xml_writer_comment(XmlWriter *writer, const char *text)
{
    begin_children(writer);
    indent(writer);
    g_string_append(writer->text, "<!--");
    for (const char *at = text; *at; at++) {
        g_string_append_c(writer->text, *at);
        if (*at == '-' && (at[1] == '-' || at[1] == '\0'))
            g_string_append_c(writer->text, ' ');
    }
    g_string_append(writer->text, "-->\n");
}

void xml_writer_node(XmlWriter *writer, const XmlNode *node)
{
    g_autofree char *text = xml_dump(node, (int)writer->open->len);

    begin_children(writer);
    indent(writer);
    g_string_append(writer->text, text);
    g_string_append_c(writer->text, '\n');
}

/* Parsed, so that it cannot close an element that is not its own. */
bool xml_writer_verbatim(XmlWriter *writer, const char *xml, GError **error)
{
    g_autoptr(XmlDoc) doc = xml_parse(xml, "verbatim", error);

    if (!doc)
        return false;
    xml_writer_node(writer, xml_doc_root(doc));
    return true;
}

char *xml_writer_finish(XmlWriter *writer)
{
    char *text = NULL;

    g_return_val_if_fail(writer->open->len == 0, NULL);
    text = g_string_free(writer->text, FALSE);
    writer->text = g_string_new(NULL);
    return text;
}
