/* <panic>: by which a guest tells that its kernel has given up. */
#include "base/enum_names.h"
#include "virtqemud/model/fields.h"
#include "virtqemud/model/small_devices.h"

static const char *const model_names[N_PANIC_MODELS] = { NULL, "isa", "pvpanic", "hyperv" };
static const char *const other_models[] = { "pseries", "s390" };
static const char *const other_guests[] = { "pSeries", "S390" };

void panic_def_free(PanicDef *panic)
{
    if (!panic)
        return;
    device_info_clear(&panic->info);
    g_free(panic);
}

bool panic_def_parse(const XmlNode *node, DomainParseFlags flags, PanicDef **ret, GError **error)
{
    g_autoptr(PanicDef) panic = g_new0(PanicDef, 1);
    const char *model = xml_node_attr(node, "model");
    int value = PANIC_DEFAULT;

    if (model && ENUM_FROM_NAME(other_models, model, &value))
        return model_fail_qemu(error, "only %s guests support panic device of model '%s'",
                               other_guests[value], model);
    if (model && !ENUM_FROM_NAME(model_names, model, &value))
        return model_fail(error, VIR_ERR_CONFIG_UNSUPPORTED, "unknown panic model '%.64s'", model);
    panic->model = value;
    if (!device_info_parse(node, flags, &panic->info, error))
        return false;
    *ret = g_steal_pointer(&panic);
    return true;
}

void panic_def_format(const PanicDef *panic, XmlWriter *writer, DomainFormatFlags flags)
{
    xml_writer_open(writer, "panic");
    xml_writer_attr_string(writer, "model", model_names[panic->model]);
    device_info_format(&panic->info, writer, flags);
    xml_writer_close(writer);
}

/* Hyper-V's is a register of the processor; ISA's has a port, the newer one is a PCI card. */
bool panic_def_validate(const PanicDef *panic, GError **error)
{
    AddressType address = panic->info.address.type;

    if (address == ADDRESS_NONE)
        return true;
    if (panic->model == PANIC_HYPERV)
        return model_fail_qemu(error, "setting the panic device address is not supported for "
                                      "model 'hyperv'");
    if (panic->model == PANIC_PVPANIC ? address != ADDRESS_PCI : address != ADDRESS_ISA)
        return model_fail_qemu(error, "panic is supported only with %s address type",
                               panic->model == PANIC_PVPANIC ? "PCI" : "ISA");
    return true;
}
