#include "virtnodedevd/pci_config.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATUS 0x06
#define STATUS_HAS_CAPABILITIES 0x10
#define HEADER_TYPE 0x0e
#define FIRST_CAPABILITY 0x34
#define CAPABILITY_EXPRESS 0x10
#define FIRST_FREE 0x40
/* Of the express capability. */
#define EXPRESS_FLAGS 0x02
#define LINK_CAPABILITIES 0x0c
#define LINK_STATUS 0x12
/* Kinds of express devices that lie inside the root complex. */
#define TYPE_INTEGRATED_ENDPOINT 0x9
#define TYPE_EVENT_COLLECTOR 0xa

void pci_config_read(const SysDevice *device, PciConfig *ret_config)
{
    g_autofree char *path = g_build_filename(device->dir, "config", NULL);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat info;
    ssize_t got;

    memset(ret_config, 0, sizeof(*ret_config));
    if (fd < 0)
        return;
    if (fstat(fd, &info) == 0)
        ret_config->is_extended = info.st_size > (off_t)sizeof(ret_config->bytes);
    got = TEMP_FAILURE_RETRY(pread(fd, ret_config->bytes, sizeof(ret_config->bytes), 0));
    ret_config->size = got > 0 ? (size_t)got : 0;
    close(fd);
}

static unsigned byte_at(const PciConfig *config, unsigned offset)
{
    return offset < sizeof(config->bytes) ? config->bytes[offset] : 0;
}

static unsigned word_at(const PciConfig *config, unsigned offset)
{
    return byte_at(config, offset) | byte_at(config, offset + 1) << 8;
}

PciHeader pci_config_header(const PciConfig *config)
{
    return (PciHeader)(byte_at(config, HEADER_TYPE) & 0x7f);
}

/* A broken device may link its capabilities in a ring: there is room for 48 of them. */
unsigned pci_config_find(const PciConfig *config, uint8_t id)
{
    unsigned offset = byte_at(config, FIRST_CAPABILITY) & ~3u;

    if (!(word_at(config, STATUS) & STATUS_HAS_CAPABILITIES))
        return 0;
    for (unsigned i = 0; i < 48 && offset >= FIRST_FREE; i++) {
        if (byte_at(config, offset) == id)
            return offset;
        offset = byte_at(config, offset + 1) & ~3u;
    }
    return 0;
}

static const char *link_speed(unsigned code)
{
    static const char *const speeds[] = { NULL, "2.5", "5", "8", "16", "32", "64" };

    return code < G_N_ELEMENTS(speeds) ? speeds[code] : NULL;
}

/* Devices with an extended space are express devices even when their capability is hidden, as
 * hypervisors do with host bridges. */
bool pci_config_express(const PciConfig *config, PciExpress *ret_express)
{
    unsigned base = pci_config_find(config, CAPABILITY_EXPRESS);
    unsigned type;
    uint32_t capabilities;
    unsigned status;

    memset(ret_express, 0, sizeof(*ret_express));
    if (!base)
        return config->is_extended;
    type = word_at(config, base + EXPRESS_FLAGS) >> 4 & 0xf;
    if (type == TYPE_INTEGRATED_ENDPOINT || type == TYPE_EVENT_COLLECTOR)
        return true;
    capabilities = word_at(config, base + LINK_CAPABILITIES) |
                   (uint32_t)word_at(config, base + LINK_CAPABILITIES + 2) << 16;
    status = word_at(config, base + LINK_STATUS);
    ret_express->has_link = true;
    ret_express->port = capabilities >> 24;
    ret_express->capable = (PciLink){ link_speed(capabilities & 0xf), capabilities >> 4 & 0x3f };
    ret_express->actual = (PciLink){ link_speed(status & 0xf), status >> 4 & 0x3f };
    return true;
}
