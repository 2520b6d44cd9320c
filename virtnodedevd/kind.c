#include "virtnodedevd/kind.h"

#include <string.h>

#include "wire/api_nodedev.h"

static const KindTable *const tables[] = {
    &pci_kinds,     &usb_kinds,      &net_kinds,     &scsi_kinds,
    &storage_kinds, &mediated_kinds, &channel_kinds,
};

const DeviceKind *kind_find(const SysDevice *device)
{
    for (size_t t = 0; t < G_N_ELEMENTS(tables); t++) {
        for (size_t i = 0; i < tables[t]->n_kinds; i++) {
            const DeviceKind *kind = &tables[t]->kinds[i];

            if (g_str_equal(kind->subsystem, device->subsystem) &&
                (!kind->devtype || g_strcmp0(kind->devtype, device->devtype) == 0))
                return kind;
        }
    }
    return NULL;
}

bool kind_has_subsystem(const char *subsystem)
{
    for (size_t t = 0; t < G_N_ELEMENTS(tables); t++) {
        for (size_t i = 0; i < tables[t]->n_kinds; i++) {
            if (g_str_equal(tables[t]->kinds[i].subsystem, subsystem))
                return true;
        }
    }
    return false;
}

bool kind_can_have_mdevs(const DeviceKind *kind)
{
    return kind->trait & (VIR_CONNECT_LIST_NODE_DEVICES_CAP_PCI_DEV |
                          VIR_CONNECT_LIST_NODE_DEVICES_CAP_CSS_DEV |
                          VIR_CONNECT_LIST_NODE_DEVICES_CAP_AP_MATRIX);
}

/* A subsystem is a bus or a class (kernel: Documentation/admin-guide/sysfs-rules.rst). */
void kind_for_each_place(void (*visit)(const char *place, void *data), void *data)
{
    for (size_t t = 0; t < G_N_ELEMENTS(tables); t++) {
        for (size_t i = 0; i < tables[t]->n_kinds; i++) {
            const char *subsystem = tables[t]->kinds[i].subsystem;
            g_autofree char *bus = g_strdup_printf("/bus/%s/devices", subsystem);
            g_autofree char *class = g_strdup_printf("/class/%s", subsystem);

            if (i > 0 && g_str_equal(subsystem, tables[t]->kinds[i - 1].subsystem))
                continue;
            visit(bus, data);
            visit(class, data);
        }
    }
}

char *kind_make_name(const char *prefix, const char *suffix)
{
    char *name = g_strdup_printf("%s_%s", prefix, suffix);

    for (char *c = name; *c; c++) {
        if (!g_ascii_isalnum(*c))
            *c = '_';
    }
    return name;
}

typedef struct TraitName {
    unsigned trait;
    const char *name;
} TraitName;

static const TraitName trait_names[] = {
    { VIR_CONNECT_LIST_NODE_DEVICES_CAP_SYSTEM, "system" },
    { VIR_CONNECT_LIST_NODE_DEVICES_CAP_PCI_DEV, "pci" },
    { VIR_CONNECT_LIST_NODE_DEVICES_CAP_USB_DEV, "usb_device" },
    { VIR_CONNECT_LIST_NODE_DEVICES_CAP_USB_INTERFACE, "usb" },
    { VIR_CONNECT_LIST_NODE_DEVICES_CAP_NET, "net" },
    { VIR_CONNECT_LIST_NODE_DEVICES_CAP_SCSI_HOST, "scsi_host" },
    { VIR_CONNECT_LIST_NODE_DEVICES_CAP_SCSI_TARGET, "scsi_target" },
    { VIR_CONNECT_LIST_NODE_DEVICES_CAP_SCSI, "scsi" },
    { VIR_CONNECT_LIST_NODE_DEVICES_CAP_STORAGE, "storage" },
    { VIR_CONNECT_LIST_NODE_DEVICES_CAP_FC_HOST, "fc_host" },
    { VIR_CONNECT_LIST_NODE_DEVICES_CAP_VPORTS, "vports" },
    { VIR_CONNECT_LIST_NODE_DEVICES_CAP_SCSI_GENERIC, "scsi_generic" },
    { VIR_CONNECT_LIST_NODE_DEVICES_CAP_DRM, "drm" },
    { VIR_CONNECT_LIST_NODE_DEVICES_CAP_MDEV_TYPES, "mdev_types" },
    { VIR_CONNECT_LIST_NODE_DEVICES_CAP_MDEV, "mdev" },
    { VIR_CONNECT_LIST_NODE_DEVICES_CAP_CCW_DEV, "ccw" },
    { VIR_CONNECT_LIST_NODE_DEVICES_CAP_CSS_DEV, "css" },
    { VIR_CONNECT_LIST_NODE_DEVICES_CAP_VDPA, "vdpa" },
    { VIR_CONNECT_LIST_NODE_DEVICES_CAP_AP_CARD, "ap_card" },
    { VIR_CONNECT_LIST_NODE_DEVICES_CAP_AP_QUEUE, "ap_queue" },
    { VIR_CONNECT_LIST_NODE_DEVICES_CAP_AP_MATRIX, "ap_matrix" },
    { VIR_CONNECT_LIST_NODE_DEVICES_CAP_VPD, "vpd" },
    { VIR_CONNECT_LIST_NODE_DEVICES_CAP_CCWGROUP_DEV, "ccwgroup" },
    { VIR_CONNECT_LIST_NODE_DEVICES_CAP_CCWGROUP_MEMBER, "ccwgroup_member" },
};

const char *trait_name(unsigned trait)
{
    for (size_t i = 0; i < G_N_ELEMENTS(trait_names); i++) {
        if (trait_names[i].trait == trait)
            return trait_names[i].name;
    }
    return NULL;
}

unsigned trait_from_name(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(trait_names); i++) {
        if (g_str_equal(trait_names[i].name, name))
            return trait_names[i].trait;
    }
    return 0;
}
