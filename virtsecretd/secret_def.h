/* A secret as data: what its XML says (manual: "Secret XML format"). No value, no files. */
#pragma once

#include <stdbool.h>

#include <glib.h>

#include "base/uuid.h"

typedef struct SecretDef {
    Uuid uuid;
    bool is_ephemeral; /* its value is in memory alone */
    bool is_private;   /* its value goes to no client */
    int usage_type;    /* virSecretUsageType */
    char *usage_id;    /* what it is for: NULL for VIR_SECRET_USAGE_TYPE_NONE alone */
    char *description; /* NULL when there is none */
} SecretDef;

/* Parses a <secret>. @is_strict: what the schema does not know is an error
 * (VIR_SECRET_DEFINE_VALIDATE). A uuid is chosen when there is none.
 * Errors: what is wrong with the XML; XML_ERROR, CONFIG_UNSUPPORTED and INTERNAL_ERROR in the
 * words that clients know; XML_INVALID_SCHEMA. */
SecretDef *secret_def_parse(const char *xml, bool is_strict, GError **error);
/* Whether the schema has all that is in the document, for secret_def_parse(). */
struct XmlDoc;
bool secret_schema_validate(const struct XmlDoc *doc, GError **error);

/* The XML; to be freed. */
char *secret_def_format(const SecretDef *def);
void secret_def_free(SecretDef *def);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SecretDef, secret_def_free)

/* Reads the XML if it is laid out to the byte as secret_def_format() does it, without libxml2:
 * an idle daemon is smaller without it. NULL, without an error, for any other. */
SecretDef *secret_def_scan(const char *xml);
