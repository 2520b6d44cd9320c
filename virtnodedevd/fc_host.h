/* The Fibre Channel side of a SCSI host: its world wide names, and the virtual ports that it can
 * have (kernel: Documentation/scsi/scsi_fc_transport.rst). */
#pragma once

#include "virtnodedevd/sysfs.h"
#include "xml/writer.h"

bool fc_host_exists(const SysDevice *host);
bool fc_host_has_vports(const SysDevice *host);
/* Its names, without "0x"; false when it has none. Both to be freed. */
bool fc_host_names(const SysDevice *host, char **ret_wwnn, char **ret_wwpn);
/* The name of the fabric that it is in; NULL when none is known. To be freed. */
char *fc_host_fabric(const SysDevice *host);
/* An attribute of the folder that has those for virtual ports ("vport_create"): its path. To be
 * freed. NULL when the host has no virtual ports. */
char *fc_host_vport_file(const SysDevice *host, const char *name);

/* The <capability> elements for it; nothing for other hosts. */
void fc_host_format(const SysDevice *host, XmlWriter *writer);
/* The <capability> of a target that is a remote port. */
void fc_remote_port_format(const SysDevice *target, XmlWriter *writer);
