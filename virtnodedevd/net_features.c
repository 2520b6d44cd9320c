#include "virtnodedevd/net_features.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "virtnodedevd/devlink.h"

/* An interface has some 60 features; more than that many blocks of 32 it cannot have. */
#define MAX_BLOCKS 8

typedef struct Question {
    int fd;
    const SysDevice *device;
} Question;

static bool ask(const Question *question, void *request)
{
    struct ifreq ifr = { .ifr_data = request };

    g_strlcpy(ifr.ifr_name, question->device->name, sizeof(ifr.ifr_name));
    return ioctl(question->fd, SIOCETHTOOL, &ifr) == 0;
}

static bool has_value(const Question *question, uint32_t command)
{
    struct ethtool_value value = { .cmd = command };

    return ask(question, &value) && value.data != 0;
}

static bool has_flag(const Question *question, uint32_t flag)
{
    struct ethtool_value value = { .cmd = ETHTOOL_GFLAGS };

    return ask(question, &value) && (value.data & flag);
}

static uint32_t count_features(const Question *question)
{
    /* One number follows, for the one set that is asked for. */
    g_autofree struct ethtool_sset_info *info = g_malloc0(sizeof(*info) + sizeof(info->data[0]));

    info->cmd = ETHTOOL_GSSET_INFO;
    info->sset_mask = 1ull << ETH_SS_FEATURES;
    if (!ask(question, info) || !(info->sset_mask & 1ull << ETH_SS_FEATURES))
        return 0;
    return MIN(info->data[0], MAX_BLOCKS * 32);
}

/* The number of the feature that the kernel calls @name; false when it knows none. */
static bool find_feature(const Question *question, const char *name, uint32_t *ret_number)
{
    uint32_t count = count_features(question);
    g_autofree struct ethtool_gstrings *strings =
        g_malloc0(sizeof(*strings) + (gsize)count * ETH_GSTRING_LEN);

    strings->cmd = ETHTOOL_GSTRINGS;
    strings->string_set = ETH_SS_FEATURES;
    strings->len = count;
    if (count == 0 || !ask(question, strings))
        return false;
    for (uint32_t i = 0; i < MIN(strings->len, count); i++) {
        if (strncmp((const char *)strings->data + (gsize)i * ETH_GSTRING_LEN, name,
                    ETH_GSTRING_LEN) == 0) {
            *ret_number = i;
            return true;
        }
    }
    return false;
}

static bool has_feature(const Question *question, const char *name)
{
    gsize size = sizeof(struct ethtool_gfeatures) +
                 MAX_BLOCKS * sizeof(struct ethtool_get_features_block);
    g_autofree struct ethtool_gfeatures *features = g_malloc0(size);
    uint32_t number;

    features->cmd = ETHTOOL_GFEATURES;
    features->size = MAX_BLOCKS;
    return find_feature(question, name, &number) && ask(question, features) &&
           (features->features[number / 32].active & 1u << number % 32);
}

/* An interface does remote memory access when its device shows the class for that. */
static bool has_rdma(const Question *question)
{
    return sys_has(question->device, "device/infiniband");
}

/* The switch, if any, is in the device that the interface is a port of. */
static bool has_switch(const Question *question)
{
    g_autofree char *bus = sys_link_name(question->device, "device/subsystem");
    g_autofree char *name = bus ? sys_link_name(question->device, "device") : NULL;
    int fd = name ? devlink_open() : -1;
    bool is_switchdev = fd >= 0 && devlink_is_switchdev(fd, bus, name);

    if (fd >= 0)
        close(fd);
    return is_switchdev;
}

typedef struct Feature {
    const char *name;
    /* One of these tells: */
    uint32_t command;        /* that asks for it alone */
    uint32_t flag;           /* in the answer to ETHTOOL_GFLAGS */
    const char *kernel_name; /* among the kernel's features */
    bool (*is_on)(const Question *question);
} Feature;

/* In the order of the manual. */
static const Feature features[] = {
    { "rx", .command = ETHTOOL_GRXCSUM },
    { "tx", .command = ETHTOOL_GTXCSUM },
    { "sg", .command = ETHTOOL_GSG },
    { "tso", .command = ETHTOOL_GTSO },
    { "ufo", .command = ETHTOOL_GUFO },
    { "gso", .command = ETHTOOL_GGSO },
    { "gro", .command = ETHTOOL_GGRO },
    { "lro", .flag = ETH_FLAG_LRO },
    { "rxvlan", .flag = ETH_FLAG_RXVLAN },
    { "txvlan", .flag = ETH_FLAG_TXVLAN },
    { "ntuple", .flag = ETH_FLAG_NTUPLE },
    { "rxhash", .flag = ETH_FLAG_RXHASH },
    { "rdma", .is_on = has_rdma },
    { "txudptnl", .kernel_name = "tx-udp_tnl-segmentation" },
    { "switchdev", .is_on = has_switch },
};

static bool is_on(const Question *question, const Feature *feature)
{
    if (feature->command)
        return has_value(question, feature->command);
    if (feature->flag)
        return has_flag(question, feature->flag);
    return feature->kernel_name ? has_feature(question, feature->kernel_name)
                                : feature->is_on(question);
}

void net_features_format(const SysDevice *device, XmlWriter *writer)
{
    Question question = {
        .fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0),
        .device = device,
    };

    for (size_t i = 0; question.fd >= 0 && i < G_N_ELEMENTS(features); i++) {
        if (!is_on(&question, &features[i]))
            continue;
        xml_writer_open(writer, "feature");
        xml_writer_attr_string(writer, "name", features[i].name);
        xml_writer_close(writer);
    }
    if (question.fd >= 0)
        close(question.fd);
}
