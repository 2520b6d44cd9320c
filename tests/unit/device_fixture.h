/* One device element read and written, for tests of what flags do. */
#pragma once

#include <string.h>

#include "base/error.h"
#include "virtqemud/model/domain_devices.h"

static inline const DeviceFamily *device_family(const char *element)
{
    for (size_t i = 0; i < N_DEVICE_FAMILIES; i++)
        if (strcmp(device_families[i].name, element) == 0)
            return &device_families[i];
    g_error("no family <%s>", element);
}

/* The parsed device of @xml, to be freed by its family. */
static inline void *device_read(const char *xml, DomainParseFlags flags)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(XmlDoc) doc = xml_parse(xml, "device", &error);
    const XmlNode *root = NULL;
    void *device = NULL;

    g_assert_no_error(error);
    root = xml_doc_root(doc);
    device_family(xml_node_name(root))->parse(root, flags, &device, &error);
    g_assert_no_error(error);
    return device;
}

/* @xml read with one set of flags and written with another. */
static inline char *device_again(const char *xml, DomainParseFlags parse, DomainFormatFlags format)
{
    g_autoptr(XmlWriter) writer = xml_writer_new();
    g_autofree char *name = g_strndup(xml + 1, strcspn(xml + 1, " >/"));
    const DeviceFamily *family = device_family(name);
    void *device = device_read(xml, parse);

    family->format(device, writer, format);
    family->free(device);
    return g_strchomp(xml_writer_finish(writer));
}

static inline void assert_again(const char *xml, DomainParseFlags parse, DomainFormatFlags format,
                                const char *expected)
{
    g_autofree char *text = device_again(xml, parse, format);

    g_assert_cmpstr(text, ==, expected);
}

static inline void assert_refused(const char *xml, const char *message)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(XmlDoc) doc = xml_parse(xml, "device", &error);
    const XmlNode *root = NULL;
    void *device = NULL;

    g_assert_no_error(error);
    root = xml_doc_root(doc);
    g_assert_false(
        device_family(xml_node_name(root))->parse(root, DOMAIN_PARSE_INACTIVE, &device, &error));
    g_assert_cmpstr(error->message, ==, message);
}
