/* A domain as data: everything that its XML says, and nothing about QEMU. Text in, this struct,
 * the same text out. Who has one owns it; copies are made by writing and reading. What the
 * element families mean is in the header of each. Source of all rules: the manual's "Domain XML
 * format", and what existing daemons print. */
#pragma once

#include "base/uuid.h"
#include "virtqemud/model/chardev.h"
#include "virtqemud/model/clock.h"
#include "virtqemud/model/controller.h"
#include "virtqemud/model/cpu.h"
#include "virtqemud/model/disk.h"
#include "virtqemud/model/graphics.h"
#include "virtqemud/model/hub.h"
#include "virtqemud/model/input.h"
#include "virtqemud/model/interface.h"
#include "virtqemud/model/lease.h"
#include "virtqemud/model/os.h"
#include "virtqemud/model/seclabel.h"
#include "virtqemud/model/small_devices.h"

/* The others belong to other hypervisors: no emulator supports them, and they are refused when a
 * definition is completed, with the emulator's name. */
typedef enum VirtType { VIRT_QEMU, VIRT_KVM, N_VIRT_TYPES = 17 } VirtType;
extern const char *const virt_type_names[N_VIRT_TYPES];

/* What is to be done when a guest ends in some way. */
typedef enum LifecycleAction {
    ACTION_DESTROY, ACTION_RESTART, ACTION_RENAME_RESTART, ACTION_PRESERVE,
    ACTION_COREDUMP_DESTROY, ACTION_COREDUMP_RESTART, N_LIFECYCLE_ACTIONS
} LifecycleAction;
extern const char *const lifecycle_action_names[N_LIFECYCLE_ACTIONS];

/* What is to be done when a running guest loses its locks. */
typedef enum LockFailureAction {
    LOCK_FAILURE_DEFAULT, LOCK_FAILURE_POWEROFF, LOCK_FAILURE_RESTART, LOCK_FAILURE_PAUSE,
    LOCK_FAILURE_IGNORE, N_LOCK_FAILURE_ACTIONS
} LockFailureAction;
extern const char *const lock_failure_action_names[N_LOCK_FAILURE_ACTIONS];

typedef struct DomainDef {
    VirtType virt_type;
    int id;               /* -1 unless running; written without DOMAIN_FORMAT_INACTIVE */
    char *name;
    Uuid uuid;
    char *title, *description; /* NULL */
    GPtrArray *metadata;  /* of MetadataItem, in order; NULL: no <metadata> */
    uint64_t memory_kib;  /* the most that it may have; 0 is an error */
    uint64_t current_memory_kib;
    XmlTristate dump_core; /* <memory dumpCore=''>, on/off */
    unsigned max_vcpus, vcpus; /* <vcpu current='vcpus'>max</vcpu> */
    bool is_vcpu_placement_auto;
    char *vcpu_cpuset;    /* as text, NULL */
    char *partition;      /* <resource><partition>; NULL: the host's default */
    DomainOs os;
    DomainFeatures features;
    CpuDef *cpu;          /* NULL */
    ClockDef clock;
    LifecycleAction on_poweroff, on_reboot, on_crash;
    LockFailureAction on_lockfailure;
    XmlTristate pm_mem, pm_disk; /* <pm><suspend-to-mem enabled=''> */
    char *emulator;       /* NULL until completed */
    GPtrArray *disks, *controllers, *interfaces; /* never NULL; each owns its items */
    GPtrArray *serials, *consoles, *channels, *inputs, *graphics, *audios, *videos;
    GPtrArray *hubs, *rngs, *panics, *watchdogs, *leases;
    BalloonDef *balloon;  /* NULL until completed */
    VsockDef *vsock;      /* NULL */
    GPtrArray *seclabels; /* of SeclabelDef, of a running guest; never NULL */
} DomainDef;

/* One element of <metadata>: application data, kept as it was given. */
typedef struct MetadataItem {
    char *uri;   /* its namespace */
    char *xml;   /* as xml_node_serialize() gives it */
} MetadataItem;

/* Reads a <domain>. Errors: XML_DETAIL, XML_ERROR, CONFIG_UNSUPPORTED, naming element, attribute
 * and value. Elements that are not known yet are left out with a debug message (an error with
 * DOMAIN_PARSE_VALIDATE). The uuid is chosen when there is none. */
DomainDef *domain_def_parse(const char *xml, DomainParseFlags flags, GError **error);
/* The same from an element of a document (a state file has one inside). */
DomainDef *domain_def_parse_node(const XmlNode *domain, DomainParseFlags flags, GError **error);
/* An empty one, with empty arrays. */
DomainDef *domain_def_new(void);
void domain_def_free(DomainDef *def);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DomainDef, domain_def_free)
/* A whole <domain>, to be freed. */
char *domain_def_format(const DomainDef *def, DomainFormatFlags flags);
void domain_def_format_to(const DomainDef *def, XmlWriter *writer, DomainFormatFlags flags);
DomainDef *domain_def_copy(const DomainDef *def);
/* Rules that do not depend on an emulator, of the whole and of each part. Called after
 * completion. Errors: XML_ERROR, CONFIG_UNSUPPORTED. */
bool domain_def_validate(const DomainDef *def, GError **error);
/* Calls @func for the DeviceInfo of every device, in the order in which they are written.
 * @what is the element's name. Stops at, and returns, the first false. */
typedef bool (*DeviceInfoFunc)(DeviceInfo *info, const char *what, void *device, void *data);
bool domain_def_each_device(DomainDef *def, DeviceInfoFunc func, void *data);
/* The metadata of @uri without its prefix, to be freed; NULL when there is none. */
char *domain_def_get_metadata(const DomainDef *def, const char *uri);
/* @key is the prefix that the element gets. @xml NULL removes it. Errors: XML_DETAIL when @xml
 * does not parse, INVALID_ARG. */
bool domain_def_set_metadata(DomainDef *def, const char *uri, const char *key, const char *xml,
                             GError **error);
/* NULL or "" takes the title away. Errors: INVALID_ARG for one of several lines. */
bool domain_def_set_title(DomainDef *def, const char *title, GError **error);
void domain_def_set_description(DomainDef *def, const char *description);
