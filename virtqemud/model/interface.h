/* Network interfaces: <interface>. Type user now; others come with their drivers. */
#pragma once

#include "base/mac.h"
#include "virtqemud/model/device_info.h"
#include "virtqemud/model/virtio.h"

typedef enum InterfaceType { INTERFACE_USER, N_INTERFACE_TYPES } InterfaceType;
typedef enum LinkState { LINK_DEFAULT, LINK_UP, LINK_DOWN, N_LINK_STATES } LinkState;

/* <ip address='' family='' prefix=''/> of type user. */
typedef struct InterfaceIp {
    char *address, *family, *peer; /* family: NULL, "ipv4", "ipv6" */
    unsigned prefix;               /* 0: none given */
} InterfaceIp;

typedef struct InterfaceDef {
    DeviceInfo info;
    InterfaceType type;
    Mac mac;               /* chosen at parsing when none is given */
    bool is_mac_generated;
    char *model;           /* "virtio", "e1000", "rtl8139" …; NULL until completed */
    char *guest_name;      /* <guest dev=''> */
    char *target;          /* <target dev=''>; NULL */
    LinkState link;
    unsigned mtu;          /* <mtu size=''>; 0: none */
    /* <driver>, of virtio cards only */
    enum { INTERFACE_DRIVER_DEFAULT, INTERFACE_DRIVER_QEMU, INTERFACE_DRIVER_VHOST } driver;
    enum { TX_MODE_DEFAULT, TX_MODE_IOTHREAD, TX_MODE_TIMER } tx_mode;
    XmlTristate io_event_fd, event_idx;            /* on/off */
    unsigned queues, rx_queue_size, tx_queue_size; /* 0: default */
    VirtioOptions virtio;
    XmlTristate trust_guest_rx_filters;            /* yes/no */
    enum { MAC_TYPE_DEFAULT, MAC_TYPE_GENERATED, MAC_TYPE_STATIC } mac_type;
    XmlTristate mac_check;                         /* yes/no */
    GPtrArray *ips;        /* of InterfaceIp; may be NULL */
} InterfaceDef;

bool interface_def_parse(const XmlNode *interface, DomainParseFlags flags,
                         InterfaceDef **ret_interface, GError **error);
void interface_def_format(const InterfaceDef *interface, XmlWriter *writer,
                          DomainFormatFlags flags);
void interface_def_free(InterfaceDef *interface);
bool interface_def_validate(const InterfaceDef *interface, GError **error);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(InterfaceDef, interface_def_free)
