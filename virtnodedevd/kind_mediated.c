/* What is made for guests: mediated devices (kernel: Documentation/driver-api/
 * vfio-mediated-device.rst), virtual data paths (Documentation/ABI/testing/sysfs-bus-vdpa), and
 * the nodes of graphics cards (drm-uapi.rst). */
#include <string.h>

#include "base/uuid.h"
#include "virtnodedevd/kind.h"
#include "wire/api_nodedev.h"

/* The device that it was made on: the folder above. */
static char *parent_address(const SysDevice *device)
{
    g_autofree char *above = g_path_get_dirname(device->path);

    return g_path_get_basename(above);
}

static bool mdev_identify(const SysDevice *device, GString *suffix)
{
    g_autofree char *parent = parent_address(device);
    Uuid uuid;

    g_string_append_printf(suffix, "%s_%s", device->name, parent);
    return uuid_parse(device->name, &uuid, NULL);
}

static void mdev_format(const SysDevice *device, XmlWriter *writer)
{
    g_autofree char *type = sys_link_name(device, "mdev_type");
    g_autofree char *group = sys_link_name(device, "iommu_group");
    g_autofree char *parent = parent_address(device);

    xml_writer_open(writer, "type");
    xml_writer_attr_string(writer, "id", type ? type : "");
    xml_writer_close(writer);
    xml_writer_element_string(writer, "uuid", device->name);
    xml_writer_element_string(writer, "parent_addr", parent);
    if (!group)
        return;
    xml_writer_open(writer, "iommuGroup");
    xml_writer_attr_string(writer, "number", group);
    xml_writer_close(writer);
}

/* The vhost device below, whose node guests' processes open; NULL while the path is the host's own.
 * To be freed. */
static char *vhost_name(const SysDevice *device)
{
    g_autoptr(GPtrArray) names = sys_list(device, "");

    for (guint i = 0; i < names->len; i++) {
        if (g_str_has_prefix(names->pdata[i], "vhost-vdpa-"))
            return g_strdup(names->pdata[i]);
    }
    return NULL;
}

/* The schema wants the node in any case. */
static bool vdpa_identify(const SysDevice *device, GString *suffix)
{
    g_autofree char *vhost = vhost_name(device);

    g_string_append(suffix, device->name);
    return vhost != NULL;
}

static void vdpa_format(const SysDevice *device, XmlWriter *writer)
{
    g_autofree char *vhost = vhost_name(device);

    if (vhost)
        xml_writer_element(writer, "chardev", "/dev/%s", vhost);
}

typedef struct DrmType {
    const char *prefix, *type;
} DrmType;

/* NULL when the node is of no type that is told. */
static const char *drm_type(const SysDevice *device)
{
    static const DrmType types[] = {
        { "card", "primary" }, { "controlD", "control" }, { "renderD", "render" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        if (g_str_has_prefix(device->name, types[i].prefix))
            return types[i].type;
    }
    return NULL;
}

static bool drm_identify(const SysDevice *device, GString *suffix)
{
    g_string_append(suffix, device->name);
    return drm_type(device) != NULL;
}

static void drm_format(const SysDevice *device, XmlWriter *writer)
{
    xml_writer_element_string(writer, "type", drm_type(device));
}

static const DeviceKind kinds[] = {
    {
        .subsystem = "mdev",
        .prefix = "mdev",
        .trait = VIR_CONNECT_LIST_NODE_DEVICES_CAP_MDEV,
        .identify = mdev_identify,
        .format = mdev_format,
    },
    {
        .subsystem = "vdpa",
        .prefix = "vdpa",
        .trait = VIR_CONNECT_LIST_NODE_DEVICES_CAP_VDPA,
        .identify = vdpa_identify,
        .format = vdpa_format,
    },
    {
        .subsystem = "drm",
        .devtype = "drm_minor",
        .prefix = "drm",
        .trait = VIR_CONNECT_LIST_NODE_DEVICES_CAP_DRM,
        .identify = drm_identify,
        .format = drm_format,
    },
};

const DeviceKind *const mdev_kind = &kinds[0];
const KindTable mediated_kinds = { kinds, G_N_ELEMENTS(kinds) };
