/* libxml2 compares every attribute of an element with every other, and looks for a
 * namespace among all that are in scope. A few megabytes made for that would keep it
 * busy for many minutes, so the numbers are bounded before it starts. The bounds are
 * far above what any real document has. */
#include "xml/precheck.h"

#include <string.h>

#include "base/error.h"
#include "xml/doc.h"

static bool refuse(const char *text, const char *at, const char *what, const char *reason,
                   GError **error)
{
    int line = 1;

    for (; text < at; text++)
        line += *text == '\n';
    error_set(error, VIR_FROM_XML, VIR_ERR_XML_DETAIL, "(%s):%d: %s", what, line, reason);
    return false;
}

static bool begins_value(const char *at)
{
    at += 1 + strspn(at + 1, " \t\r\n");
    return *at == '"' || *at == '\'';
}

/* A tag never holds a second '<', so what stands between two of them bounds the number
 * of attributes of one element, whatever state a parser is in. */
static const char *find_attribute_flood(const char *text)
{
    guint count = 0;

    for (const char *at = text + strcspn(text, "<="); *at; at += 1 + strcspn(at + 1, "<=")) {
        if (*at == '<')
            count = 0;
        else if (begins_value(at) && ++count > XML_ATTRIBUTES_MAX)
            return at;
    }
    return NULL;
}

static const char *find_namespace_flood(const char *text)
{
    guint count = 0;

    for (const char *at = strstr(text, "xmlns"); at; at = strstr(at + 5, "xmlns")) {
        if (++count > XML_NAMESPACES_MAX)
            return at;
    }
    return NULL;
}

bool xml_precheck(const char *text, const char *what, GError **error)
{
    gsize length = strnlen(text, XML_SIZE_MAX + 1);
    const char *bad = NULL;

    if (length > XML_SIZE_MAX)
        return refuse(text, text, what, "document is too large", error);
    if (!g_utf8_validate(text, (gssize)length, &bad))
        return refuse(text, bad, what, "Input is not proper UTF-8", error);
    bad = find_attribute_flood(text);
    if (bad)
        return refuse(text, bad, what, "too many attributes in one element", error);
    bad = find_namespace_flood(text);
    if (bad)
        return refuse(text, bad, what, "too many namespace declarations", error);
    return true;
}
