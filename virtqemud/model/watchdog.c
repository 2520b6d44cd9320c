/* <watchdog>: ends, or tells about, a guest that hangs. */
#include "base/enum_names.h"
#include "virtqemud/model/fields.h"
#include "virtqemud/model/small_devices.h"

static const char *const model_names[N_WATCHDOG_MODELS] = { "i6300esb", "ib700", "itco" };
static const char *const other_models[] = { "diag288" };

const char *const watchdog_action_names[N_WATCHDOG_ACTIONS] = {
    "reset", "shutdown", "poweroff", "pause", "dump", "none", "inject-nmi",
};

void watchdog_def_free(WatchdogDef *watchdog)
{
    if (!watchdog)
        return;
    device_info_clear(&watchdog->info);
    g_free(watchdog);
}

static bool attributes_parse(const XmlNode *node, WatchdogDef *watchdog, GError **error)
{
    const char *model = xml_node_attr(node, "model");
    const char *action = xml_node_attr(node, "action");
    int value = 0;

    if (!model)
        return model_fail(error, VIR_ERR_INTERNAL_ERROR, "watchdog must contain model name");
    if (ENUM_FROM_NAME(other_models, model, &value))
        return model_fail_qemu(error, "watchdog model '%s' is not supported", model);
    if (!ENUM_FROM_NAME(model_names, model, &value))
        return model_fail(error, VIR_ERR_CONFIG_UNSUPPORTED, "unknown watchdog model '%.64s'",
                          model);
    watchdog->model = value;
    value = WATCHDOG_RESET;
    if (action && !ENUM_FROM_NAME(watchdog_action_names, action, &value))
        return model_fail(error, VIR_ERR_CONFIG_UNSUPPORTED, "unknown watchdog action '%.64s'",
                          action);
    watchdog->action = value;
    return true;
}

bool watchdog_def_parse(const XmlNode *node, DomainParseFlags flags, WatchdogDef **ret,
                        GError **error)
{
    g_autoptr(WatchdogDef) watchdog = g_new0(WatchdogDef, 1);

    if (!attributes_parse(node, watchdog, error) ||
        !device_info_parse(node, flags, &watchdog->info, error))
        return false;
    *ret = g_steal_pointer(&watchdog);
    return true;
}

void watchdog_def_format(const WatchdogDef *watchdog, XmlWriter *writer, DomainFormatFlags flags)
{
    xml_writer_open(writer, "watchdog");
    xml_writer_attr_string(writer, "model", model_names[watchdog->model]);
    xml_writer_attr_string(writer, "action", watchdog_action_names[watchdog->action]);
    device_info_format(&watchdog->info, writer, flags);
    xml_writer_close(writer);
}

/* Only the PCI card has an address; the others are where their machines have them. */
bool watchdog_def_validate(const WatchdogDef *watchdog, GError **error)
{
    AddressType address = watchdog->info.address.type;

    if (watchdog->model != WATCHDOG_I6300ESB && address != ADDRESS_NONE)
        return model_fail_qemu(error,
                               "%s model of watchdog does not support configuring the address",
                               model_names[watchdog->model]);
    if (address != ADDRESS_NONE && address != ADDRESS_PCI)
        return model_fail_qemu(error, "%s model of watchdog can go on PCI bus only",
                               model_names[watchdog->model]);
    return true;
}
