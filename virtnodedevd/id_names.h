/* Names of makers and products by number, from the lists that Debian's packages pci.ids and
 * usb.ids keep (lines of "1234  Vendor", below each "<TAB>5678  Product"). The file is looked
 * through each time: it is asked for seldom, and too large to keep. */
#pragma once

#include "virtnodedevd/sysfs.h"

/* @file: "pci.ids". What is not known stays NULL. */
void id_names_find(const SysRoots *roots, const char *file, unsigned vendor, unsigned product,
                   char **ret_vendor, char **ret_product);
