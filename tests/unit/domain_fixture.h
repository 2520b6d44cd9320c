/* Small domain documents to try one part of the format with. */
#pragma once

#include "base/error.h"
#include "virtqemud/model/domain_def.h"

#define DOMAIN_UUID "c44c686b-28e3-4eac-a42f-2b64ac117ae0"
#define DOMAIN_OS "<os><type arch='x86_64' machine='pc'>hvm</type></os>"

/* A domain with @body among its elements and @devices among its devices. */
static inline char *domain_text(const char *body, const char *devices)
{
    return g_strdup_printf("<domain type='qemu'><name>t</name><uuid>" DOMAIN_UUID "</uuid>%s"
                           "<memory>65536</memory>%s<devices>%s</devices></domain>",
                           body, strstr(body, "<os>") ? "" : DOMAIN_OS, devices);
}

static inline DomainDef *domain_of(const char *body, const char *devices)
{
    g_autofree char *text = domain_text(body, devices);
    g_autoptr(GError) error = NULL;
    DomainDef *def = domain_def_parse(text, DOMAIN_PARSE_INACTIVE, &error);

    g_assert_no_error(error);
    return def;
}

/* The beginning of @message is its code's. */
static inline void assert_parse_fails(const char *text, DomainParseFlags flags,
                                      const char *message)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DomainDef) def = domain_def_parse(text, flags, &error);

    g_assert_null(def);
    g_assert_nonnull(error);
    g_assert_cmpstr(error->message, ==, message);
}

/* That @def is written with @line in it. */
static inline void assert_writes(const DomainDef *def, const char *line)
{
    g_autofree char *text = domain_def_format(def, DOMAIN_FORMAT_INACTIVE);

    if (!strstr(text, line))
        g_error("%s is not in %s", line, text);
}
