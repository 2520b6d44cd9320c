/* <cpu> as it was written. What a mode means, and which models there are, is for those who know
 * the emulator. */
#include "virtqemud/model/cpu.h"

#include <string.h>

#include "base/enum_names.h"
#include "base/error.h"
#include "virtqemud/model/tristate.h"

/* What CPUID gives as their maker. */
#define VENDOR_ID_LENGTH 12

const char *const cpu_mode_names[N_CPU_MODES] = {
    [CPU_MODE_CUSTOM] = "custom",
    [CPU_MODE_HOST_MODEL] = "host-model",
    [CPU_MODE_HOST_PASSTHROUGH] = "host-passthrough",
    [CPU_MODE_MAXIMUM] = "maximum",
};

static const char *const match_names[N_CPU_MATCHES] = {
    [CPU_MATCH_MINIMUM] = "minimum",
    [CPU_MATCH_EXACT] = "exact",
    [CPU_MATCH_STRICT] = "strict",
};

static const char *const check_names[N_CPU_CHECKS] = {
    [CPU_CHECK_NONE] = "none",
    [CPU_CHECK_PARTIAL] = "partial",
    [CPU_CHECK_FULL] = "full",
};

static const char *const policy_names[N_CPU_POLICIES] = {
    [CPU_POLICY_FORCE] = "force",
    [CPU_POLICY_REQUIRE] = "require",
    [CPU_POLICY_OPTIONAL] = "optional",
    [CPU_POLICY_DISABLE] = "disable",
    [CPU_POLICY_FORBID] = "forbid",
};

static bool fail(GError **error, ErrorCode code, const char *detail)
{
    error_set(error, VIR_FROM_CPU, code, "%s", detail);
    return false;
}

/* Modes that give the guest a whole processor, where no model has a say. */
static bool is_host_mode(CpuMode mode)
{
    return mode == CPU_MODE_HOST_PASSTHROUGH || mode == CPU_MODE_MAXIMUM;
}

/* Whether the mode goes with the model, and the model with the host, comes later. */
static bool attributes_parse(const XmlNode *node, CpuDef *cpu, GError **error)
{
    const char *mode = xml_node_attr(node, "mode");
    int value = 0;

    if (mode && !ENUM_FROM_NAME(cpu_mode_names, mode, &value)) {
        error_set(error, VIR_FROM_CPU, VIR_ERR_CONFIG_UNSUPPORTED,
                  "Invalid mode attribute '%.1024s'", mode);
        return false;
    }
    cpu->mode = (CpuMode) value;
    if (!xml_attr_enum(node, "match", XML_OPTIONAL, match_names, N_CPU_MATCHES, CPU_MATCH_NONE,
                       &value, error))
        return false;
    cpu->match = (CpuMatch) value;
    if (!xml_attr_enum(node, "check", XML_OPTIONAL, check_names, N_CPU_CHECKS, CPU_CHECK_DEFAULT,
                       &value, error))
        return false;
    cpu->check = (CpuCheck) value;
    if (!xml_attr_on_off(node, "migratable", XML_OPTIONAL, &cpu->migratable, error))
        return false;
    if (cpu->migratable && !is_host_mode(cpu->mode))
        return fail(error, VIR_ERR_CONFIG_UNSUPPORTED,
                    "Attribute migratable is only allowed for 'host-passthrough' / 'maximum' "
                    "CPU mode");
    return true;
}

static bool vendor_id_parse(const XmlNode *model, CpuDef *cpu, GError **error)
{
    const char *id = xml_node_attr(model, "vendor_id");

    if (!id)
        return true;
    if (strlen(id) != VENDOR_ID_LENGTH)
        return fail(error, VIR_ERR_XML_ERROR, "vendor_id must be exactly 12 characters long");
    /* A comma would end it on QEMU's command line. */
    if (strchr(id, ','))
        return fail(error, VIR_ERR_XML_ERROR, "vendor id is invalid");
    cpu->vendor_id = g_strdup(id);
    return true;
}

/* The host's processor has a model already. */
static bool model_parse(const XmlNode *node, CpuDef *cpu, GError **error)
{
    const XmlNode *model = xml_node_first(node, "model");
    const char *fallback = model ? xml_node_attr(model, "fallback") : NULL;
    g_autofree char *text = NULL;

    if (!model || is_host_mode(cpu->mode))
        return true;
    text = xml_node_text(model);
    if (*text)
        cpu->model = g_steal_pointer(&text);
    if (fallback && strcmp(fallback, "allow") == 0)
        cpu->fallback_allow = XML_TRISTATE_YES;
    else if (fallback && strcmp(fallback, "forbid") == 0)
        cpu->fallback_allow = XML_TRISTATE_NO;
    else if (fallback)
        return fail(error, VIR_ERR_CONFIG_UNSUPPORTED, "Invalid fallback attribute");
    return vendor_id_parse(model, cpu, error);
}

/* The maker is a condition on a model. */
static bool vendor_parse(const XmlNode *node, CpuDef *cpu, GError **error)
{
    if (!xml_child_string(node, "vendor", XML_OPTIONAL, &cpu->vendor, error))
        return false;
    if (cpu->vendor && !cpu->model)
        return fail(error, VIR_ERR_XML_ERROR, "CPU vendor specified without CPU model");
    return true;
}

/* Dies and clusters came later than the others, and may be left out. */
static bool topology_parse(const XmlNode *node, CpuDef *cpu, GError **error)
{
    const XmlNode *topology = xml_node_first(node, "topology");
    const XmlRule required = XML_REQUIRED | XML_NONZERO;

    return !topology ||
           (xml_attr_uint(topology, "sockets", required, 0, &cpu->sockets, error) &&
            xml_attr_uint(topology, "dies", XML_NONZERO, 1, &cpu->dies, error) &&
            xml_attr_uint(topology, "clusters", XML_NONZERO, 1, &cpu->clusters, error) &&
            xml_attr_uint(topology, "cores", required, 0, &cpu->cores, error) &&
            xml_attr_uint(topology, "threads", required, 0, &cpu->threads, error));
}

static void feature_clear(void *data)
{
    g_free(((CpuFeature *) data)->name);
}

/* @seen borrows the names from the document. */
static bool feature_parse(const XmlNode *node, GHashTable *seen, GArray *features, GError **error)
{
    const char *name = xml_node_attr(node, "name");
    const char *policy = xml_node_attr(node, "policy");
    CpuFeature feature = { 0 };
    int value = CPU_POLICY_REQUIRE;

    if (policy && !ENUM_FROM_NAME(policy_names, policy, &value))
        return fail(error, VIR_ERR_CONFIG_UNSUPPORTED, "Invalid CPU feature policy");
    if (!name || *name == '\0')
        return fail(error, VIR_ERR_XML_ERROR, "Invalid CPU feature name");
    if (!g_hash_table_add(seen, (char *) name)) {
        error_set(error, VIR_FROM_CPU, VIR_ERR_XML_ERROR,
                  "CPU feature '%.128s' specified more than once", name);
        return false;
    }
    feature.name = g_strdup(name);
    feature.policy = (CpuPolicy) value;
    g_array_append_val(features, feature);
    return true;
}

/* Features are changes to a model; the host's own processor can be changed, too. */
static bool features_parse(const XmlNode *node, CpuDef *cpu, GError **error)
{
    const XmlNode *feature = xml_node_first(node, "feature");
    g_autoptr(GHashTable) seen = NULL;

    if (!feature)
        return true;
    if (!cpu->model && (cpu->mode == CPU_MODE_NONE || cpu->mode == CPU_MODE_CUSTOM))
        return fail(error, VIR_ERR_XML_ERROR,
                    "Non-empty feature list specified without CPU model");
    seen = g_hash_table_new(g_str_hash, g_str_equal);
    cpu->features = g_array_new(FALSE, TRUE, sizeof(CpuFeature));
    g_array_set_clear_func(cpu->features, feature_clear);
    for (; feature; feature = xml_node_next(feature, "feature")) {
        if (!feature_parse(feature, seen, cpu->features, error))
            return false;
    }
    return true;
}

bool cpu_def_parse(const XmlNode *node, CpuDef **ret_cpu, GError **error)
{
    g_autoptr(CpuDef) cpu = g_new0(CpuDef, 1);

    if (!attributes_parse(node, cpu, error) || !model_parse(node, cpu, error) ||
        !vendor_parse(node, cpu, error) || !topology_parse(node, cpu, error) ||
        !features_parse(node, cpu, error))
        return false;
    /* "formatdomain.html", CPU model and topology: exactly this model. */
    if (cpu->model && cpu->mode == CPU_MODE_NONE)
        cpu->mode = CPU_MODE_CUSTOM;
    if (cpu->model && cpu->match == CPU_MATCH_NONE)
        cpu->match = CPU_MATCH_EXACT;
    *ret_cpu = g_steal_pointer(&cpu);
    return true;
}

/* A vendor id may stand alone: it is for the guest to see, whatever the model. */
static void model_format(const CpuDef *cpu, XmlWriter *writer)
{
    if (!cpu->model && !cpu->vendor_id)
        return;
    xml_writer_open(writer, "model");
    if (cpu->model) {
        xml_writer_attr_string(writer, "fallback",
                               cpu->fallback_allow == XML_TRISTATE_NO ? "forbid" : "allow");
    }
    xml_writer_attr_string(writer, "vendor_id", cpu->vendor_id);
    if (cpu->model)
        xml_writer_text(writer, cpu->model);
    xml_writer_close(writer);
}

static void topology_format(const CpuDef *cpu, XmlWriter *writer)
{
    if (cpu->sockets == 0)
        return;
    xml_writer_open(writer, "topology");
    xml_writer_attr(writer, "sockets", "%u", cpu->sockets);
    xml_writer_attr(writer, "dies", "%u", cpu->dies);
    if (cpu->clusters > 1)
        xml_writer_attr(writer, "clusters", "%u", cpu->clusters);
    xml_writer_attr(writer, "cores", "%u", cpu->cores);
    xml_writer_attr(writer, "threads", "%u", cpu->threads);
    xml_writer_close(writer);
}

void cpu_def_format(const CpuDef *cpu, XmlWriter *writer, DomainFormatFlags flags)
{
    if (!cpu)
        return;
    xml_writer_open(writer, "cpu");
    xml_writer_attr_string(writer, "mode", cpu_mode_names[cpu->mode]);
    if (cpu->mode == CPU_MODE_NONE || cpu->mode == CPU_MODE_CUSTOM)
        xml_writer_attr_string(writer, "match", match_names[cpu->match]);
    xml_writer_attr_string(writer, "check", check_names[cpu->check]);
    xml_writer_attr_string(writer, "migratable", tristate_on_off(cpu->migratable));
    model_format(cpu, writer);
    xml_writer_element_string(writer, "vendor", cpu->vendor);
    topology_format(cpu, writer);
    for (guint i = 0; cpu->features && i < cpu->features->len; i++) {
        const CpuFeature *feature = &g_array_index(cpu->features, CpuFeature, i);

        xml_writer_open(writer, "feature");
        xml_writer_attr_string(writer, "policy", policy_names[feature->policy]);
        xml_writer_attr_string(writer, "name", feature->name);
        xml_writer_close(writer);
    }
    xml_writer_close(writer);
}

void cpu_def_free(CpuDef *cpu)
{
    if (!cpu)
        return;
    g_free(cpu->model);
    g_free(cpu->vendor_id);
    g_free(cpu->vendor);
    g_clear_pointer(&cpu->features, g_array_unref);
    g_free(cpu);
}

/* Five factors of 32 bits: each step must be looked at. */
static bool topology_vcpus(const CpuDef *cpu, unsigned *ret_vcpus)
{
    const unsigned factors[] = { cpu->dies, cpu->clusters, cpu->cores, cpu->threads };
    unsigned vcpus = cpu->sockets;

    for (size_t i = 0; i < G_N_ELEMENTS(factors); i++) {
        if (__builtin_mul_overflow(vcpus, MAX(factors[i], 1u), &vcpus))
            return false;
    }
    *ret_vcpus = vcpus;
    return true;
}

bool cpu_def_validate(const CpuDef *cpu, unsigned max_vcpus, GError **error)
{
    unsigned vcpus = 0;

    if (cpu->sockets == 0)
        return true;
    if (!topology_vcpus(cpu, &vcpus)) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                  "cpu topology results in more than %u cpus", G_MAXUINT);
        return false;
    }
    if (vcpus != max_vcpus) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                  "CPU topology doesn't match maximum vcpu count");
        return false;
    }
    return true;
}
