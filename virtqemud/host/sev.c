#include "virtqemud/host/sev.h"

#include "base/error.h"

bool sev_check(const HostRoots *roots, GError **error)
{
    g_autofree char *text = NULL;

    /* The device belongs to the firmware; the module says whether KVM uses it. */
    if (host_file_exists(roots->dev, "sev") &&
        host_file_read(roots->sys, 16, &text, NULL, NULL, "module/kvm_amd/parameters/sev") &&
        (text[0] == 'Y' || text[0] == '1'))
        return true;
    error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_UNSUPPORTED,
              "QEMU does not support SEV guest");
    return false;
}
