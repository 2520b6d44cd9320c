/* What a block device is called on every host that has it, as the kernel tells below /sys. NULL
 * when it is none of its kind; to be freed. */
#pragma once

/* The UUID of a logical volume, as LVM's own tools print it. */
char *block_id_lvm(const char *path);
/* The identifier of a SCSI device, as scsi_id(8) prints it: the NAA identifier behind a 3. */
char *block_id_scsi(const char *path);

/* The same of what the kernel says: dm/uuid, and device/wwid. */
char *block_id_parse_lvm(const char *dm_uuid);
char *block_id_parse_scsi(const char *wwid);
