/* Vital product data, as a device gives it: what is accepted makes XML that parses. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "virtnodedevd/vpd.h"
#include "xml/doc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(Vpd) vpd = vpd_parse(data, size);
    g_autoptr(XmlWriter) writer = xml_writer_new();
    g_autoptr(XmlDoc) doc = NULL;
    g_autofree char *xml = NULL;

    if (!vpd)
        return 0;
    vpd_format(vpd, writer);
    xml = xml_writer_finish(writer);
    doc = xml_parse_root(xml, "vpd", "capability", NULL);
    if (!doc)
        abort();
    return 0;
}
