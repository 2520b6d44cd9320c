/* What a running guest was confined to: <seclabel>, of a user and group (model "dac") or of a
 * security module. Chosen when it starts; those of definitions come with the security drivers. */
#pragma once

#include "virtqemud/model/format_flags.h"

typedef enum SeclabelType { SECLABEL_NONE, SECLABEL_DYNAMIC, SECLABEL_STATIC, N_SECLABEL_TYPES } SeclabelType;

typedef struct SeclabelDef {
    SeclabelType type;
    char *model;         /* "dac", "apparmor", "selinux" */
    XmlTristate relabel; /* yes/no */
    char *label;         /* "+107:+107"; NULL */
    char *image_label;   /* NULL */
} SeclabelDef;

bool seclabel_def_parse(const XmlNode *seclabel, SeclabelDef **ret_seclabel, GError **error);
void seclabel_def_format(const SeclabelDef *seclabel, XmlWriter *writer);
void seclabel_def_free(SeclabelDef *seclabel);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SeclabelDef, seclabel_def_free)
