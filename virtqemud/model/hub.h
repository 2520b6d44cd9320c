/* More ports for USB: <hub>. */
#pragma once

#include "virtqemud/model/device_info.h"

/* Of USB: there are no others. */
typedef struct HubDef {
    DeviceInfo info;
} HubDef;

HubDef *hub_def_new(void);
bool hub_def_parse(const XmlNode *hub, DomainParseFlags flags, HubDef **ret_hub, GError **error);
void hub_def_format(const HubDef *hub, XmlWriter *writer, DomainFormatFlags flags);
void hub_def_free(HubDef *hub);
bool hub_def_validate(const HubDef *hub, GError **error);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HubDef, hub_def_free)
