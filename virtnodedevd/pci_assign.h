/* Giving PCI devices away to guests and taking them back: binding them to a driver that hands them
 * to processes, and resetting them (kernel: Documentation/driver-api/vfio.rst;
 * Documentation/ABI/testing/sysfs-bus-pci, driver_override). What is bound is the kernel's state:
 * it survives the daemon. */
#pragma once

#include "fiber/fiber.h"
#include "virtnodedevd/sysfs.h"

/* @path: the device's, below the root of sysfs. @driver: "vfio-pci", or one that can do the same.
 * Errors: OPERATION_INVALID when it has no IOMMU group, so that nothing would keep it from the
 * host's memory; OPERATION_FAILED when the kernel refuses, or it does not bind: then it has the
 * driver again that it had before, and its driver_override too. */
SUSPENDS bool pci_detach(const SysRoots *roots, const char *path, const char *driver,
                         GError **error);
/* Gives it back to the host's driver; one that is not detached stays as it is.
 * Errors: OPERATION_INVALID, naming the process, while one has its IOMMU group open, or a
 * device of that by its own node (/dev/vfio/devices). */
SUSPENDS bool pci_reattach(const SysRoots *roots, const char *path, GError **error);
/* Errors: INTERNAL_ERROR when it cannot be reset alone; OPERATION_INVALID while the host uses it,
 * or a process its group. */
SUSPENDS bool pci_reset(const SysRoots *roots, const char *path, GError **error);

/* Whether this host can give devices away at all: it has IOMMU groups. */
bool pci_can_assign(const SysRoots *roots);
/* Whether @driver hands devices to processes. */
bool pci_driver_is_vfio(const char *driver);
