/* Typed attributes. Texts of errors are part of the interface: clients and their tests
 * know them, and operators search for them. Quoted values are cut to a bearable length. */
#include <limits.h>

#include "base/enum_names.h"
#include "base/error.h"
#include "xml/number.h"
#include "xml/read.h"

/* "Invalid value for attribute 'queues' in element 'driver': 'zz'." and what is expected. */
static bool invalid_value(const XmlNode *node, const char *name, const char *expected,
                          GError **error)
{
    g_autofree char *value = g_utf8_make_valid(xml_node_attr(node, name), -1);

    error_set(error, VIR_FROM_XML, VIR_ERR_XML_ERROR,
              "Invalid value for attribute '%s' in element '%.128s': '%.1024s'.%s%s", name,
              xml_node_name(node), value, expected ? " " : "", expected ? expected : "");
    return false;
}

bool xml_attr_invalid(const XmlNode *node, const char *name, const char *expected, GError **error)
{
    return invalid_value(node, name, expected, error);
}

/* Sets @ret_value to NULL when the attribute is missing and may be. */
static bool find(const XmlNode *node, const char *name, XmlRule rules, const char **ret_value,
                 GError **error)
{
    const char *value = xml_node_attr(node, name);

    if (!value && (rules & XML_REQUIRED)) {
        error_set(error, VIR_FROM_XML, VIR_ERR_XML_ERROR,
                  "Missing required attribute '%s' in element '%.128s'", name,
                  xml_node_name(node));
        return false;
    }
    *ret_value = value;
    return true;
}

/* A text of its own, as existing clients know it. */
static bool zero(const XmlNode *node, const char *name, GError **error)
{
    error_set(error, VIR_FROM_XML, VIR_ERR_XML_ERROR,
              "Invalid value for attribute '%s' in element '%.128s': Zero is not permitted", name,
              xml_node_name(node));
    return false;
}

bool xml_attr_string(const XmlNode *node, const char *name, XmlRule rules, char **ret,
                     GError **error)
{
    const char *value = NULL;

    if (!find(node, name, rules, &value, error))
        return false;
    *ret = g_strdup(value);
    return true;
}

/* All widths come down to this, so that each rule is in one place; the caller's limits make
 * the narrowing safe. */
static bool attr_signed(const XmlNode *node, const char *name, XmlRule rules, int64_t min,
                        int64_t max, int64_t fallback, int64_t *ret, GError **error)
{
    const char *value = NULL;
    int64_t number = fallback;

    if (!find(node, name, rules, &value, error))
        return false;
    if (value && !xml_number_int(value, rules & XML_ANY_BASE, min, max, &number))
        return invalid_value(node, name, "Expected integer value", error);
    if (value && number == 0 && (rules & XML_NONZERO))
        return zero(node, name, error);
    *ret = number;
    return true;
}

static bool attr_unsigned(const XmlNode *node, const char *name, XmlRule rules, uint64_t max,
                          uint64_t fallback, uint64_t *ret, GError **error)
{
    const char *value = NULL;
    uint64_t number = fallback;

    if (!find(node, name, rules, &value, error))
        return false;
    if (value && !xml_number_uint(value, rules & XML_ANY_BASE, max, &number))
        return invalid_value(node, name, "Expected non-negative integer value", error);
    if (value && number == 0 && (rules & XML_NONZERO))
        return zero(node, name, error);
    *ret = number;
    return true;
}

bool xml_attr_int(const XmlNode *node, const char *name, XmlRule rules, int fallback, int *ret,
                  GError **error)
{
    int64_t number = 0;

    if (!attr_signed(node, name, rules, INT_MIN, INT_MAX, fallback, &number, error))
        return false;
    *ret = (int)number;
    return true;
}

bool xml_attr_uint(const XmlNode *node, const char *name, XmlRule rules, unsigned fallback,
                   unsigned *ret, GError **error)
{
    uint64_t number = 0;

    if (!attr_unsigned(node, name, rules, UINT_MAX, fallback, &number, error))
        return false;
    *ret = (unsigned)number;
    return true;
}

bool xml_attr_int64(const XmlNode *node, const char *name, XmlRule rules, int64_t fallback,
                    int64_t *ret, GError **error)
{
    return attr_signed(node, name, rules, INT64_MIN, INT64_MAX, fallback, ret, error);
}

bool xml_attr_uint64(const XmlNode *node, const char *name, XmlRule rules, uint64_t fallback,
                     uint64_t *ret, GError **error)
{
    return attr_unsigned(node, name, rules, UINT64_MAX, fallback, ret, error);
}

/* With XML_NONZERO the first name ("default", mostly) is one that can be in memory, but not in
 * a document. */
bool xml_attr_enum(const XmlNode *node, const char *name, XmlRule rules, const char *const *names,
                   size_t n_names, int fallback, int *ret, GError **error)
{
    const char *value = NULL;
    int number = 0;

    if (!find(node, name, rules, &value, error))
        return false;
    if (!value) {
        *ret = fallback;
        return true;
    }
    if (!enum_from_name(names, n_names, value, &number) ||
        (number == 0 && (rules & XML_NONZERO)))
        return invalid_value(node, name, NULL, error);
    *ret = number;
    return true;
}

static bool attr_tristate(const XmlNode *node, const char *name, XmlRule rules,
                          const char *const names[3], XmlTristate *ret, GError **error)
{
    int value = 0;

    if (!xml_attr_enum(node, name, rules, names, 3, XML_TRISTATE_ABSENT, &value, error))
        return false;
    *ret = (XmlTristate)value;
    return true;
}

bool xml_attr_yes_no(const XmlNode *node, const char *name, XmlRule rules, XmlTristate *ret,
                     GError **error)
{
    static const char *const names[] = { NULL, "yes", "no" };

    return attr_tristate(node, name, rules, names, ret, error);
}

bool xml_attr_on_off(const XmlNode *node, const char *name, XmlRule rules, XmlTristate *ret,
                     GError **error)
{
    static const char *const names[] = { NULL, "on", "off" };

    return attr_tristate(node, name, rules, names, ret, error);
}
