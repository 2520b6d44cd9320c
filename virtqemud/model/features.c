/* What a machine has besides its devices. Features that the format knows and this suite does not
 * serve yet are left out. */
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "virtqemud/model/known_names.h"
#include "virtqemud/model/os.h"
#include "virtqemud/model/tristate.h"

LOG_INIT("qemu.model.features");

/* Features with a state, which is on when nothing is said. */
static const struct {
    const char *name;
    size_t offset;
} switches[] = {
    { "hap", offsetof(DomainFeatures, hap) },
    { "pmu", offsetof(DomainFeatures, pmu) },
    { "vmport", offsetof(DomainFeatures, vmport) },
    { "smm", offsetof(DomainFeatures, smm) },
};

static bool switch_parse(const XmlNode *node, XmlTristate *ret_state, GError **error)
{
    XmlTristate state = XML_TRISTATE_ABSENT;

    if (!xml_attr_on_off(node, "state", XML_OPTIONAL, &state, error))
        return false;
    *ret_state = state == XML_TRISTATE_ABSENT ? XML_TRISTATE_YES : state;
    return true;
}

/* What hides the hypervisor from its guest must say whether it does. */
static bool kvm_parse(const XmlNode *kvm, DomainFeatures *ret, GError **error)
{
    for (const XmlNode *child = xml_node_first(kvm, NULL); child;
         child = xml_node_next(child, NULL)) {
        const char *name = xml_node_name(child);

        if (!known_kvm_feature(name)) {
            error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                      "unsupported KVM feature: %.128s", name);
            return false;
        }
        if (strcmp(name, "hidden") != 0)
            LOG_DEBUG("element <%s> in <kvm> is not known yet", name);
        else if (!xml_attr_on_off(child, "state", XML_REQUIRED, &ret->kvm_hidden, error))
            return false;
    }
    return true;
}

/* A name that the format does not have is a mistake, unlike unknown elements elsewhere: clients
 * have always been told. */
static bool feature_parse(const XmlNode *node, DomainFeatures *ret, GError **error)
{
    const char *name = xml_node_name(node);

    for (size_t i = 0; i < G_N_ELEMENTS(switches); i++) {
        if (strcmp(name, switches[i].name) == 0)
            return switch_parse(node, G_STRUCT_MEMBER_P(ret, switches[i].offset), error);
    }
    if (strcmp(name, "acpi") == 0) {
        ret->acpi = true;
    } else if (strcmp(name, "pae") == 0) {
        ret->pae = true;
    } else if (strcmp(name, "apic") == 0) {
        ret->apic = true;
        return xml_attr_on_off(node, "eoi", XML_OPTIONAL, &ret->apic_eoi, error);
    } else if (strcmp(name, "kvm") == 0) {
        return kvm_parse(node, ret, error);
    } else if (known_feature(name)) {
        LOG_DEBUG("element <%s> in <features> is not known yet", name);
    } else {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                  "unexpected feature '%.128s'", name);
        return false;
    }
    return true;
}

bool domain_features_parse(const XmlNode *features, DomainFeatures *ret, GError **error)
{
    DomainFeatures parsed = { 0 };

    for (const XmlNode *child = xml_node_first(features, NULL); child;
         child = xml_node_next(child, NULL)) {
        if (!feature_parse(child, &parsed, error))
            return false;
    }
    *ret = parsed;
    return true;
}

static void empty_element(XmlWriter *writer, const char *name)
{
    xml_writer_open(writer, name);
    xml_writer_close(writer);
}

static void state_element(XmlWriter *writer, const char *name, XmlTristate state)
{
    if (state == XML_TRISTATE_ABSENT)
        return;
    xml_writer_open(writer, name);
    xml_writer_attr_string(writer, "state", tristate_on_off(state));
    xml_writer_close(writer);
}

/* Without any of them the whole element is left out. */
static bool has_any(const DomainFeatures *features)
{
    return features->acpi || features->apic || features->pae || features->hap || features->pmu ||
           features->vmport || features->smm || features->kvm_hidden;
}

void domain_features_format(const DomainFeatures *features, XmlWriter *writer)
{
    if (!has_any(features))
        return;
    xml_writer_open(writer, "features");
    if (features->acpi)
        empty_element(writer, "acpi");
    if (features->apic) {
        xml_writer_open(writer, "apic");
        xml_writer_attr_string(writer, "eoi", tristate_on_off(features->apic_eoi));
        xml_writer_close(writer);
    }
    if (features->pae)
        empty_element(writer, "pae");
    state_element(writer, "hap", features->hap);
    if (features->kvm_hidden) {
        xml_writer_open(writer, "kvm");
        state_element(writer, "hidden", features->kvm_hidden);
        xml_writer_close(writer);
    }
    state_element(writer, "pmu", features->pmu);
    state_element(writer, "vmport", features->vmport);
    state_element(writer, "smm", features->smm);
    xml_writer_close(writer);
}
