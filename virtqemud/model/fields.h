/* Attributes of an element as a table: name, kind, place in a struct. One table reads them and
 * writes them, in its order, which is the order that existing daemons write. A value that is
 * "none" (the first of an enum, 0, -1 for an index, NULL) is not written. */
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "virtqemud/model/format_flags.h"

typedef enum FieldKind {
    FIELD_ENUM,   /* int or enum; names[0] is "none" and NULL, or a name that may be given */
    FIELD_YES_NO, /* XmlTristate */
    FIELD_ON_OFF, /* XmlTristate */
    FIELD_UINT,   /* unsigned; 0 is none */
    FIELD_INDEX,  /* int, not negative; -1 is none */
    FIELD_NUMBER, /* the same, in any base */
    FIELD_HEX,    /* the same, in any base, written as 0x10 */
    FIELD_STRING, /* char *, freed when it is replaced */
} FieldKind;

typedef struct Field {
    const char *name;
    FieldKind kind;
    size_t offset;
    const char *const *names;
    size_t n_names;
} Field;

#define FIELD(attribute, field_kind, type, member)                                                 \
    { .name = (attribute), .kind = (field_kind), .offset = offsetof(type, member) }
#define FIELD_NAMED(attribute, type, member, name_table)                                           \
    { .name = (attribute), .kind = FIELD_ENUM, .offset = offsetof(type, member),                   \
      .names = (name_table), .n_names = G_N_ELEMENTS(name_table) }

/* Reads the attributes of @node into the struct @data; what is not given stays as it is.
 * Errors: XML_ERROR; @data then has what came before. */
bool fields_parse(const Field *fields, size_t n_fields, const XmlNode *node, void *data,
                  GError **error);
/* Adds the attributes to the element that has just been opened. */
void fields_format(const Field *fields, size_t n_fields, const void *data, XmlWriter *writer);
/* Whether there is one to write. */
bool fields_are_set(const Field *fields, size_t n_fields, const void *data);
/* An element with these attributes and nothing in it; nothing when there is none to write. */
void fields_format_element(const char *name, const Field *fields, size_t n_fields,
                           const void *data, XmlWriter *writer);
/* An element without attributes, when @is_wanted. */
void field_format_empty(const char *name, bool is_wanted, XmlWriter *writer);

/* Sets an error as error_set() does and returns false. Errors of the domain itself are
 * VIR_FROM_DOMAIN; what another hypervisor might take is VIR_FROM_QEMU, as existing clients see. */
bool model_fail_from(GError **error, ErrorFrom from, ErrorCode code, const char *format, ...)
    G_GNUC_PRINTF(4, 5);
#define model_fail(error, code, ...) model_fail_from((error), VIR_FROM_DOMAIN, (code), __VA_ARGS__)
#define model_fail_qemu(error, ...)                                                                \
    model_fail_from((error), VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, __VA_ARGS__)

/* Reads an attribute into an enum, by a table of names. */
#define FIELD_PARSE_ENUM(node, name, rules, names, ret, error)                                     \
    ({                                                                                             \
        int value_ = (int)*(ret);                                                                  \
        bool is_read_ = xml_attr_enum((node), (name), (rules), (names), G_N_ELEMENTS(names),       \
                                      value_, &value_, (error));                                   \
        if (is_read_)                                                                              \
            *(ret) = value_;                                                                       \
        is_read_;                                                                                  \
    })
