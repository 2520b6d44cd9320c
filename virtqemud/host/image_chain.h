/* The chain of images below a disk's image: found out before QEMU is told of it, so that QEMU is
 * given exactly these files, and never a name that a guest has written. */
#pragma once

#include "virtqemud/host/file_worker.h"
#include "virtqemud/model/disk.h"

/* More images than this in a chain are taken for a loop. */
#define IMAGE_CHAIN_MAX 200

/* Makes the chain below @top (which has a path) complete: images that the definition gives are
 * taken as they are, from the last of them on their heads are read, until the end, which is
 * marked (is_chain_end). A source without a format is raw. @user is for messages: the heads are
 * read by the daemon. On failure what was found stays.
 *
 * A backing file's format must be recorded in the image above it. Where it is not, it is raw,
 * or qcow2 if it has a qcow2 header that names no other file; anything else is refused.
 * Errors: SYSTEM_ERROR "Cannot access …", OPERATION_FAILED for heads that are wrong,
 * OPERATION_INVALID for a format that is not recorded, CONFIG_UNSUPPORTED for what this version
 * cannot do, and those of file_workers_call(). */
SUSPENDS bool image_chain_complete(FileWorkers *workers, DiskSource *top, const QemuUser *user,
                                   uint64_t deadline_us, GError **error);
