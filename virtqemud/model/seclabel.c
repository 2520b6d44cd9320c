/* Written as it was read: what a label means is the security module's to know. */
#include "virtqemud/model/seclabel.h"

#include "virtqemud/model/tristate.h"

static const char *const type_names[N_SECLABEL_TYPES] = {
    [SECLABEL_NONE] = "none",
    [SECLABEL_DYNAMIC] = "dynamic",
    [SECLABEL_STATIC] = "static",
};

bool seclabel_def_parse(const XmlNode *node, SeclabelDef **ret_seclabel, GError **error)
{
    g_autoptr(SeclabelDef) seclabel = g_new0(SeclabelDef, 1);
    int type = SECLABEL_DYNAMIC;

    if (!xml_attr_enum(node, "type", XML_OPTIONAL, type_names, N_SECLABEL_TYPES, SECLABEL_DYNAMIC,
                       &type, error) ||
        !xml_attr_string(node, "model", XML_OPTIONAL, &seclabel->model, error) ||
        !xml_attr_yes_no(node, "relabel", XML_OPTIONAL, &seclabel->relabel, error) ||
        !xml_child_string(node, "label", XML_OPTIONAL, &seclabel->label, error) ||
        !xml_child_string(node, "imagelabel", XML_OPTIONAL, &seclabel->image_label, error))
        return false;
    seclabel->type = (SeclabelType) type;
    *ret_seclabel = g_steal_pointer(&seclabel);
    return true;
}

void seclabel_def_format(const SeclabelDef *seclabel, XmlWriter *writer)
{
    xml_writer_open(writer, "seclabel");
    xml_writer_attr_string(writer, "type", type_names[seclabel->type]);
    xml_writer_attr_string(writer, "model", seclabel->model);
    xml_writer_attr_string(writer, "relabel", tristate_yes_no(seclabel->relabel));
    xml_writer_element_string(writer, "label", seclabel->label);
    xml_writer_element_string(writer, "imagelabel", seclabel->image_label);
    xml_writer_close(writer);
}

void seclabel_def_free(SeclabelDef *seclabel)
{
    if (!seclabel)
        return;
    g_free(seclabel->model);
    g_free(seclabel->label);
    g_free(seclabel->image_label);
    g_free(seclabel);
}
