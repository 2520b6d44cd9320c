/* <watchdog>: ends, or tells about, a guest that hangs. */
#pragma once

#include "virtqemud/model/device_info.h"

typedef enum WatchdogModel { WATCHDOG_I6300ESB, WATCHDOG_IB700, WATCHDOG_ITCO, N_WATCHDOG_MODELS } WatchdogModel;
typedef enum WatchdogAction {
    WATCHDOG_RESET, WATCHDOG_SHUTDOWN, WATCHDOG_POWEROFF, WATCHDOG_PAUSE, WATCHDOG_DUMP,
    WATCHDOG_NONE, WATCHDOG_INJECT_NMI, N_WATCHDOG_ACTIONS
} WatchdogAction;
extern const char *const watchdog_action_names[N_WATCHDOG_ACTIONS];

typedef struct WatchdogDef {
    DeviceInfo info;
    WatchdogModel model;
    WatchdogAction action;
} WatchdogDef;

bool watchdog_def_parse(const XmlNode *watchdog, DomainParseFlags flags, WatchdogDef **ret,
                        GError **error);
void watchdog_def_format(const WatchdogDef *watchdog, XmlWriter *writer, DomainFormatFlags flags);
void watchdog_def_free(WatchdogDef *watchdog);
bool watchdog_def_validate(const WatchdogDef *watchdog, GError **error);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WatchdogDef, watchdog_def_free)
