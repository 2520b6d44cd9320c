/* The XML by which clients ask for a device to be made: a mediated one, or a virtual port of a
 * Fibre Channel host. Others cannot be made. */
#pragma once

#include "virtnodedevd/mdev_config.h"

typedef enum DeviceRequestKind {
    REQUEST_MDEV,
    REQUEST_VPORT,
    REQUEST_PLAIN_HOST, /* a SCSI host that is none of Fibre Channel: cannot be made */
    REQUEST_OTHER, /* any other capability: cannot be made either */
} DeviceRequestKind;

typedef struct DeviceRequest {
    DeviceRequestKind kind;
    /* Its parent: by name, or a host by its world wide names or its fabric's; NULL: not said. */
    char *parent, *parent_wwnn, *parent_wwpn, *parent_fabric;
    MdevConfig *mdev;     /* without its parent */
    char *wwnn, *wwpn;    /* of a virtual port; NULL: to be chosen */
} DeviceRequest;

/* @is_strict: what the schema does not know is an error.
 * Errors: what is wrong with the XML. */
DeviceRequest *device_request_parse(const char *xml, bool is_strict, GError **error);
void device_request_free(DeviceRequest *request);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DeviceRequest, device_request_free)
