/* The kinds of devices there are (reference manual, "Node devices XML format"): which of the
 * kernel's devices belong to one, what they are called, and what their XML tells. A kind is one
 * line of a table in the file of its family. */
#pragma once

#include "virtnodedevd/sysfs.h"
#include "xml/writer.h"

typedef struct DeviceKind {
    const char *subsystem; /* of the kernel: "scsi" */
    const char *devtype;   /* NULL: any, also none */
    const char *prefix;    /* what its name begins with: "scsi_host" */
    unsigned trait;        /* VIR_CONNECT_LIST_NODE_DEVICES_CAP_… */
    /* What distinguishes it in its name, behind the prefix, appended to @suffix as it is.
     * False: no node device. NULL: the kernel's name for it. */
    bool (*identify)(const SysDevice *device, GString *suffix);
    /* Further traits: what it can do besides. NULL: none. */
    unsigned (*traits)(const SysDevice *device);
    /* What stands in its <capability>, which is open. */
    void (*format)(const SysDevice *device, XmlWriter *writer);

} DeviceKind;

/* The kinds of one family. */
typedef struct KindTable {
    const DeviceKind *kinds;
    size_t n_kinds;
} KindTable;

extern const KindTable pci_kinds;
extern const KindTable usb_kinds;
extern const KindTable net_kinds;
extern const KindTable scsi_kinds;
extern const KindTable storage_kinds;
extern const KindTable mediated_kinds;
extern const KindTable channel_kinds;

/* The computer itself: not one of the kernel's devices. */
extern const DeviceKind system_kind;
#define SYSTEM_NAME "computer"

/* NULL when devices like it are no node devices. */
const DeviceKind *kind_find(const SysDevice *device);
/* Whether devices of this subsystem can be node devices. */
bool kind_has_subsystem(const char *subsystem);
/* Whether mediated devices can be made on such a device. */
bool kind_can_have_mdevs(const DeviceKind *kind);
extern const DeviceKind *const mdev_kind;
/* Calls @visit for each place below the root where the kernel lists devices of a kind. */
void kind_for_each_place(void (*visit)(const char *place, void *data), void *data);

/* What is used in place of every character of a name that is neither letter nor digit. */
char *kind_make_name(const char *prefix, const char *suffix);

/* The names of capabilities, as lists and filters have them. */
const char *trait_name(unsigned trait);
/* 0 when no capability is called so. */
unsigned trait_from_name(const char *name);
