/* Character devices: <serial>, <console>, <channel>. A front end that the guest sees, and the
 * source behind it on the host. */
#pragma once

#include "virtqemud/model/device_info.h"

typedef enum ChardevKind { CHARDEV_SERIAL, CHARDEV_CONSOLE, CHARDEV_CHANNEL, N_CHARDEV_KINDS } ChardevKind;
typedef enum ChardevSourceType {
    CHARDEV_NULL, CHARDEV_PTY, CHARDEV_FILE, CHARDEV_UNIX, N_CHARDEV_SOURCE_TYPES
} ChardevSourceType;
/* Of all kinds together; which fit which kind is the parser's to know. */
typedef enum ChardevTarget {
    CHARDEV_TARGET_NONE, /* not chosen yet */
    CHARDEV_TARGET_ISA_SERIAL, CHARDEV_TARGET_USB_SERIAL, CHARDEV_TARGET_PCI_SERIAL,
    CHARDEV_TARGET_SERIAL,  /* of <console>: the same thing as a <serial> */
    CHARDEV_TARGET_VIRTIO,  /* of <console> and <channel> */
    CHARDEV_TARGET_ISA_DEBUG,
    N_CHARDEV_TARGETS
} ChardevTarget;
typedef enum ChardevModel {
    CHARDEV_MODEL_NONE, CHARDEV_MODEL_ISA_SERIAL, CHARDEV_MODEL_USB_SERIAL,
    CHARDEV_MODEL_PCI_SERIAL, CHARDEV_MODEL_ISA_DEBUGCON, N_CHARDEV_MODELS
} ChardevModel;
extern const char *const chardev_source_type_names[N_CHARDEV_SOURCE_TYPES];

typedef struct ChardevSource {
    ChardevSourceType type;
    char *path;               /* file, unix; pty of a running guest */
    XmlTristate append;       /* file */
    bool is_listening;        /* unix: mode='bind' */
    XmlTristate reconnect;    /* unix, connect mode: <reconnect enabled='' timeout=''/> */
    unsigned reconnect_timeout_s;
    char *log_file;           /* <log file='' append=''/>; NULL */
    XmlTristate log_append;
} ChardevSource;

typedef struct ChardevDef {
    DeviceInfo info;
    ChardevKind kind;
    ChardevSource source;
    ChardevTarget target;
    ChardevModel model;       /* of serial */
    int port;                 /* <target port=''>; -1: not chosen yet */
    char *channel_name;       /* <target name=''> of channel */
    /* <target state=''> of a running guest's channel: whether the guest has it open. */
    enum { CHANNEL_STATE_UNKNOWN, CHANNEL_STATE_DISCONNECTED, CHANNEL_STATE_CONNECTED } state;
    char *tty;                /* <console tty=''> of a running guest: as the source's path */
} ChardevDef;

ChardevDef *chardev_def_new(ChardevKind kind, ChardevSourceType source);
bool chardev_def_parse(const XmlNode *chardev, ChardevKind kind, DomainParseFlags flags,
                       ChardevDef **ret_chardev, GError **error);
void chardev_def_format(const ChardevDef *chardev, XmlWriter *writer, DomainFormatFlags flags);
void chardev_def_free(ChardevDef *chardev);
bool chardev_def_validate(const ChardevDef *chardev, GError **error);
/* Whether both have the same source, as a <console> that stands for a <serial>. */
bool chardev_source_equal(const ChardevSource *a, const ChardevSource *b);
void chardev_source_copy(const ChardevSource *source, ChardevSource *ret_copy);
void chardev_source_clear(ChardevSource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ChardevDef, chardev_def_free)
