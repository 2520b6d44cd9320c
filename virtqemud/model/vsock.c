/* <vsock>: sockets between a guest and its host. */
#include "base/enum_names.h"
#include "virtqemud/model/fields.h"
#include "virtqemud/model/small_devices.h"

/* Below are the hypervisor, the loopback and the host: vsock(7). */
#define GUEST_CID_MIN 3

static const Field cid_fields[] = {
    FIELD("auto", FIELD_YES_NO, VsockDef, auto_cid),
    FIELD("address", FIELD_UINT, VsockDef, cid),
};

void vsock_def_free(VsockDef *vsock)
{
    if (!vsock)
        return;
    device_info_clear(&vsock->info);
    g_free(vsock);
}

/* Zero is not a number to give, but in the struct it is none given. */
static bool cid_parse(const XmlNode *cid, VsockDef *vsock, GError **error)
{
    if (!fields_parse(cid_fields, G_N_ELEMENTS(cid_fields), cid, vsock, error))
        return false;
    return !xml_node_attr(cid, "address") ||
           xml_attr_uint(cid, "address", XML_NONZERO, 0, &vsock->cid, error);
}

bool vsock_def_parse(const XmlNode *node, DomainParseFlags flags, VsockDef **ret, GError **error)
{
    g_autoptr(VsockDef) vsock = g_new0(VsockDef, 1);
    const XmlNode *cid = xml_node_first(node, "cid");

    if (!FIELD_PARSE_ENUM(node, "model", XML_OPTIONAL, virtio_model_names, &vsock->model, error) ||
        (cid && !cid_parse(cid, vsock, error)) ||
        !virtio_options_parse(xml_node_first(node, "driver"), &vsock->virtio, error) ||
        !device_info_parse(node, flags, &vsock->info, error))
        return false;
    if (!vsock->auto_cid)
        vsock->auto_cid = vsock->cid ? XML_TRISTATE_NO : XML_TRISTATE_YES;
    *ret = g_steal_pointer(&vsock);
    return true;
}

void vsock_def_format(const VsockDef *vsock, XmlWriter *writer, DomainFormatFlags flags)
{
    xml_writer_open(writer, "vsock");
    xml_writer_attr_string(writer, "model", virtio_model_names[vsock->model]);
    fields_format_element("cid", cid_fields, G_N_ELEMENTS(cid_fields), vsock, writer);
    device_info_format(&vsock->info, writer, flags);
    virtio_options_format(&vsock->virtio, writer);
    xml_writer_close(writer);
}

bool vsock_def_validate(const VsockDef *vsock, GError **error)
{
    return vsock->cid == 0 || vsock->cid >= GUEST_CID_MIN ||
           model_fail(error, VIR_ERR_CONFIG_UNSUPPORTED, "guest CIDs must be >= %d", GUEST_CID_MIN);
}
