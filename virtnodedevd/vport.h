/* Virtual ports of Fibre Channel hosts (NPIV; kernel: Documentation/scsi/scsi_fc_transport.rst):
 * SCSI hosts that another one makes. */
#pragma once

#include "virtnodedevd/device_xml.h"
#include "virtnodedevd/driver.h"

/* Makes one on the host that @request names, else on the first that can. Sets @ret_name to what
 * the new host is called. Errors: INTERNAL_ERROR when no host can; SYSTEM_ERROR when the kernel
 * refuses; OPERATION_TIMEOUT when it does not come. */
SUSPENDS bool vport_create(Driver *driver, const DeviceRequest *request, char **ret_name,
                           GError **error);
/* Errors: CONFIG_UNSUPPORTED when it is none; SYSTEM_ERROR when the kernel refuses. */
SUSPENDS bool vport_delete(Driver *driver, const Device *host, GError **error);
