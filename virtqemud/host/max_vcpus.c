#include "virtqemud/host/max_vcpus.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/error.h"

/* What existing clients are told for guests that QEMU emulates. */
#define EMULATED_MAX_VCPUS 16

/* What a kernel can do that does not say (kernel: Documentation/virt/kvm/api.rst,
 * KVM_CAP_NR_VCPUS). */
#define KVM_OLD_MAX_VCPUS 4

static guint ask_kvm(int fd)
{
    int max = ioctl(fd, KVM_CHECK_EXTENSION, (long) KVM_CAP_MAX_VCPUS);

    if (max <= 0)
        max = ioctl(fd, KVM_CHECK_EXTENSION, (long) KVM_CAP_NR_VCPUS);
    return max > 0 ? (guint) max : KVM_OLD_MAX_VCPUS;
}

/* The device is opened each time: modules come and go. */
bool max_vcpus_read(const HostRoots *roots, const char *type, guint *ret_max, GError **error)
{
    g_autofree char *path = g_build_filename(roots->dev, "kvm", NULL);
    int fd;

    if (type == NULL || g_ascii_strcasecmp(type, "qemu") == 0) {
        *ret_max = EMULATED_MAX_VCPUS;
        return true;
    }
    if (g_ascii_strcasecmp(type, "kvm") != 0) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG, "unknown type '%s'", type);
        return false;
    }
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        error_set_errno(error, VIR_FROM_NONE, errno, "Unable to open %s", path);
        return false;
    }
    *ret_max = ask_kvm(fd);
    close(fd);
    return true;
}
