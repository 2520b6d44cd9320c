/* The configuration of a mediated device: what mdevctl(8) keeps of it, one JSON file for each below
 * /etc/mdevctl.d, and what clients' XML says. */
#pragma once

#include <stdbool.h>

#include <glib.h>

#include "json/value.h"
#include "xml/writer.h"

typedef struct MdevAttr {
    char *name, *value;
} MdevAttr;

typedef struct MdevConfig {
    char *uuid;   /* NULL: one is to be chosen */
    char *parent; /* as the kernel calls it: "0000:00:02.0" */
    char *type;
    bool is_autostarted;
    GArray *attrs; /* of MdevAttr, in the order in which they are to be written */
} MdevConfig;

MdevConfig *mdev_config_new(void);
void mdev_config_free(MdevConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MdevConfig, mdev_config_free)
MdevConfig *mdev_config_copy(const MdevConfig *config); /* NULL of NULL */
bool mdev_config_equal(const MdevConfig *a, const MdevConfig *b);
/* Takes over the values. */
void mdev_config_add_attr(MdevConfig *config, char *name, char *value);

/* What "mdevctl list --dumpjson" prints: an array of MdevConfig. Errors: INTERNAL_ERROR when it is
 * something else. */
GPtrArray *mdev_configs_parse(const char *json, GError **error);
/* What mdevctl reads as --jsonfile; to be freed. */
char *mdev_config_to_json(const MdevConfig *config);

/* What it is called as a node device; to be freed. */
char *mdev_config_name(const MdevConfig *config);
/* The elements <attr>. */
void mdev_config_format_attrs(const MdevConfig *config, XmlWriter *writer);
/* The XML of the definition. @parent: the name of its parent as a node device. */
char *mdev_config_format(const MdevConfig *config, const char *parent);
