/* The table of configuration keys: every key that a daemon's file may have, what it
 * takes, where it counts, and what the manual says about it. The manual pages and the
 * example files are printed from it, so a key has one description. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The daemons, as bits: a key belongs to a set of them. */
typedef enum ConfigDaemon {
    CONFIG_VIRTQEMUD = 1 << 0,
    CONFIG_VIRTNETWORKD = 1 << 1,
    CONFIG_VIRTSTORAGED = 1 << 2,
    CONFIG_VIRTNODEDEVD = 1 << 3,
    CONFIG_VIRTSECRETD = 1 << 4,
    CONFIG_VIRTPROXYD = 1 << 5,
    CONFIG_VIRTLOGD = 1 << 6,
    CONFIG_VIRTLOCKD = 1 << 7,
} ConfigDaemon;

#define CONFIG_DAEMON_COUNT 8
/* virtlogd and virtlockd, which serve daemons; all others serve clients. */
#define CONFIG_HELPERS (CONFIG_VIRTLOGD | CONFIG_VIRTLOCKD)
#define CONFIG_EVERY_DAEMON ((1u << CONFIG_DAEMON_COUNT) - 1)
#define CONFIG_SERVERS (CONFIG_EVERY_DAEMON & ~(unsigned int) CONFIG_HELPERS)

typedef enum ConfigKeyType {
    CONFIG_KEY_BOOL,
    CONFIG_KEY_INT,
    CONFIG_KEY_UINT,
    CONFIG_KEY_UINT64,
    CONFIG_KEY_STRING,
    CONFIG_KEY_PATH,    /* absolute */
    CONFIG_KEY_PORT,    /* number or name of a service, as a string */
    CONFIG_KEY_MODE,    /* octal, as a string */
    CONFIG_KEY_CHOICE,  /* one of the words in @choices; the field is its index */
    CONFIG_KEY_CHOICES, /* a list of such words; the field is the last one's index */
    CONFIG_KEY_LIST,    /* of strings */
    CONFIG_KEY_USERS,   /* list of user names and numbers */
    CONFIG_KEY_UUID,
    CONFIG_KEY_LOG_FILTERS,
    CONFIG_KEY_LOG_OUTPUTS,
    CONFIG_KEY_TEXT,  /* a string that may be empty */
    CONFIG_KEY_WORDS, /* a string or a list of strings, as a list; of @choices if there are any */
    CONFIG_KEY_SIZE,  /* bytes, or "unlimited": UINT64_MAX */
} ConfigKeyType;

typedef struct ConfigKey {
    const char *section; /* title in the manual; NULL: that of the key before */
    const char *name;
    ConfigKeyType type;
    size_t offset;              /* of the field in the struct that is filled */
    int64_t min;                /* of numbers; 0 as @max: any that fits the field */
    int64_t max;
    const char *const *choices; /* NULL-terminated */
    unsigned int daemons;       /* whose file may have the key */
    unsigned int effective;     /* those of them where it counts */
    const char *reason;         /* why it does not count in the others */
    bool is_socket;             /* does not count for sockets of the service manager */
    bool is_system;             /* does not count in a session daemon */
    const char *fallback;       /* the default, as the file would say it; NULL: in @text */
    const char *helper_fallback; /* the default in virtlogd and virtlockd, if another */
    const char *example;        /* a value for the example file if not @fallback */
    const char *text;           /* for the manual: plain sentences, ``literal`` */
} ConfigKey;

/* The table, in the order of the manual; it ends with a key whose name is NULL. */
extern const ConfigKey config_keys[];

/* "virtqemud"; NULL for what is no single daemon. */
const char *config_daemon_name(ConfigDaemon daemon);
/* 0 for a name that is none of a daemon's. */
ConfigDaemon config_daemon_from_name(const char *name);

/* NULL if no daemon has a key of that name. */
const ConfigKey *config_key_find(const char *name);

/* The key of @daemon whose name is most like @name; NULL if none is near. */
const ConfigKey *config_key_find_near(ConfigDaemon daemon, const char *name);

/* The default as @daemon's file would say it; NULL if the key has none of that form. */
const char *config_key_fallback(const ConfigKey *key, ConfigDaemon daemon);
