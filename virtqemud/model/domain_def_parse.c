/* Top-level elements of <domain>, a row each. Of those that can be there once, the first counts,
 * as it always has for clients. */
#include <string.h>

#include "base/bitmap.h"
#include "base/enum_names.h"
#include "base/error.h"
#include "base/log.h"
#include "base/units.h"
#include "virtqemud/model/domain_devices.h"
#include "virtqemud/model/known_names.h"
#include "virtqemud/model/metadata.h"
#include "virtqemud/model/schema.h"
#include "xml/number.h"

LOG_INIT("qemu.model.domain");

/* More than any machine has; keeps numbers that nobody means from taking memory later. */
#define VCPUS_MAX 65535
#define KIB 1024

typedef bool (*ElementFunc)(const XmlNode *node, DomainParseFlags flags, DomainDef *def,
                            GError **error);

/* The text of @node; NULL when it is empty. */
static char *text_of(const XmlNode *node)
{
    g_autofree char *text = xml_node_text(node);

    return *text ? g_steal_pointer(&text) : NULL;
}

/* Checked at the end, when it is known whether there is one at all. */
static bool name_parse(const XmlNode *node, DomainParseFlags flags, DomainDef *def, GError **error)
{
    def->name = text_of(node);
    return true;
}

/* An empty element leaves the uuid that was chosen. */
static bool uuid_element_parse(const XmlNode *node, DomainParseFlags flags, DomainDef *def,
                               GError **error)
{
    g_autofree char *text = text_of(node);

    if (text && !uuid_parse(text, &def->uuid, NULL)) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR, "malformed uuid element");
        return false;
    }
    return true;
}

/* Lists show it in one line. */
static bool title_parse(const XmlNode *node, DomainParseFlags flags, DomainDef *def,
                        GError **error)
{
    def->title = text_of(node);
    if (def->title && strchr(def->title, '\n')) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                  "Domain title can't contain newlines");
        return false;
    }
    return true;
}

static bool description_parse(const XmlNode *node, DomainParseFlags flags, DomainDef *def,
                              GError **error)
{
    def->description = text_of(node);
    return true;
}

static bool metadata_element_parse(const XmlNode *node, DomainParseFlags flags, DomainDef *def,
                                   GError **error)
{
    def->metadata = metadata_parse(node);
    return true;
}

/* A size in KiB, rounded up; 0 for an empty element. */
static bool size_parse(const XmlNode *node, uint64_t *ret_kib, GError **error)
{
    g_autofree char *text = text_of(node);
    uint64_t bytes = 0;

    *ret_kib = 0;
    if (!text)
        return true;
    if (!xml_number_uint(text, false, UINT64_MAX, &bytes)) {
        error_set(error, VIR_FROM_XML, VIR_ERR_XML_ERROR,
                  "Invalid value '%.256s' for element or attribute './%s[1]'", text,
                  xml_node_name(node));
        return false;
    }
    if (!scale_bytes(&bytes, xml_node_attr(node, "unit"), KIB, INT64_MAX, error))
        return false;
    *ret_kib = bytes / KIB + (bytes % KIB != 0);
    return true;
}

/* Whether it is part of a core dump is the memory's property, not the dump's. */
static bool memory_parse(const XmlNode *node, DomainParseFlags flags, DomainDef *def,
                         GError **error)
{
    return size_parse(node, &def->memory_kib, error) &&
           xml_attr_on_off(node, "dumpCore", XML_OPTIONAL, &def->dump_core, error);
}

/* Brought into its limits at the end: it may come before the memory. */
static bool current_memory_parse(const XmlNode *node, DomainParseFlags flags, DomainDef *def,
                                 GError **error)
{
    return size_parse(node, &def->current_memory_kib, error);
}

/* Kept in its shortest form. With automatic placement the host decides, and what was given does
 * not count. */
static bool cpuset_parse(const XmlNode *node, DomainDef *def, GError **error)
{
    const char *text = xml_node_attr(node, "cpuset");
    g_autoptr(Bitmap) cpus = NULL;

    if (!text || def->is_vcpu_placement_auto)
        return true;
    cpus = bitmap_parse(text, BITMAP_CPUSET_MAX, error);
    if (!cpus)
        return false;
    if (bitmap_last_set(cpus) == BITMAP_NONE) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                  "Invalid value of 'cpuset': %.1024s", text);
        return false;
    }
    def->vcpu_cpuset = bitmap_format(cpus);
    return true;
}

/* Absurd counts are refused here, before anything is made for each of them. */
static bool vcpu_parse(const XmlNode *node, DomainParseFlags flags, DomainDef *def, GError **error)
{
    static const char *const placements[] = { "static", "auto" };
    g_autofree char *text = xml_node_text(node);
    uint64_t max_vcpus = 0;
    int placement = 0;

    if (!xml_number_uint(text, false, UINT32_MAX, &max_vcpus)) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                  "maximum vcpus count must be an integer");
        return false;
    }
    if (max_vcpus == 0 || max_vcpus > VCPUS_MAX) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                  "maximum vcpus count must be in range [1,%d], not %" G_GUINT64_FORMAT, VCPUS_MAX,
                  max_vcpus);
        return false;
    }
    def->max_vcpus = (unsigned) max_vcpus;
    if (!xml_attr_uint(node, "current", XML_OPTIONAL, def->max_vcpus, &def->vcpus, error) ||
        !xml_attr_enum(node, "placement", XML_OPTIONAL, placements, G_N_ELEMENTS(placements), 0,
                       &placement, error))
        return false;
    def->is_vcpu_placement_auto = placement == 1;
    if (def->max_vcpus < def->vcpus) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                  "maximum vCPU count must not be less than current vCPU count");
        return false;
    }
    return cpuset_parse(node, def, error);
}

static bool os_parse(const XmlNode *node, DomainParseFlags flags, DomainDef *def, GError **error)
{
    return domain_os_parse(node, flags, &def->os, error);
}

static bool features_parse(const XmlNode *node, DomainParseFlags flags, DomainDef *def,
                           GError **error)
{
    return domain_features_parse(node, &def->features, error);
}

static bool cpu_parse(const XmlNode *node, DomainParseFlags flags, DomainDef *def, GError **error)
{
    return cpu_def_parse(node, &def->cpu, error);
}

static bool clock_parse(const XmlNode *node, DomainParseFlags flags, DomainDef *def,
                        GError **error)
{
    return clock_def_parse(node, &def->clock, error);
}

/* An empty element means the default, as no element does. */
static bool action_parse(const XmlNode *node, LifecycleAction *ret_action, GError **error)
{
    g_autofree char *text = text_of(node);
    int action = 0;

    if (!text)
        return true;
    if (!ENUM_FROM_NAME(lifecycle_action_names, text, &action)) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED, "unknown %s action: %.1024s",
                  xml_node_name(node), text);
        return false;
    }
    *ret_action = (LifecycleAction) action;
    return true;
}

static bool poweroff_parse(const XmlNode *node, DomainParseFlags flags, DomainDef *def,
                           GError **error)
{
    return action_parse(node, &def->on_poweroff, error);
}

static bool reboot_parse(const XmlNode *node, DomainParseFlags flags, DomainDef *def,
                         GError **error)
{
    return action_parse(node, &def->on_reboot, error);
}

static bool crash_parse(const XmlNode *node, DomainParseFlags flags, DomainDef *def,
                        GError **error)
{
    return action_parse(node, &def->on_crash, error);
}

static bool lockfailure_parse(const XmlNode *node, DomainParseFlags flags, DomainDef *def,
                              GError **error)
{
    g_autofree char *text = text_of(node);
    int action = LOCK_FAILURE_DEFAULT;

    if (text && !ENUM_FROM_NAME(lock_failure_action_names, text, &action)) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                  "unknown on_lockfailure action: %.1024s", text);
        return false;
    }
    def->on_lockfailure = (LockFailureAction)action;
    return true;
}

/* Without an attribute an element says nothing. */
static bool pm_parse(const XmlNode *node, DomainParseFlags flags, DomainDef *def, GError **error)
{
    const XmlNode *mem = xml_node_first(node, "suspend-to-mem");
    const XmlNode *disk = xml_node_first(node, "suspend-to-disk");

    return (!mem || xml_attr_yes_no(mem, "enabled", XML_OPTIONAL, &def->pm_mem, error)) &&
           (!disk || xml_attr_yes_no(disk, "enabled", XML_OPTIONAL, &def->pm_disk, error));
}

static bool devices_parse(const XmlNode *node, DomainParseFlags flags, DomainDef *def,
                          GError **error)
{
    return domain_devices_parse(node, flags, def, error);
}

/* An empty one says nothing. */
static bool resource_parse(const XmlNode *node, DomainParseFlags flags, DomainDef *def,
                           GError **error)
{
    if (xml_node_next(node, "resource")) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                  "only one resource element is supported");
        return false;
    }
    if (!xml_child_string(node, "partition", XML_OPTIONAL, &def->partition, error))
        return false;
    if (def->partition && !*def->partition)
        g_clear_pointer(&def->partition, g_free);
    return true;
}

/* Taken from running guests only: nothing acts on it before they start. */
static bool seclabel_parse(const XmlNode *node, DomainParseFlags flags, DomainDef *def,
                           GError **error)
{
    SeclabelDef *seclabel = NULL;

    if (flags & DOMAIN_PARSE_INACTIVE)
        return true;
    if (!seclabel_def_parse(node, &seclabel, error))
        return false;
    g_ptr_array_add(def->seclabels, seclabel);
    return true;
}

static const struct {
    const char *name;
    ElementFunc parse;
    bool is_repeated;
} elements[] = {
    { "name", name_parse, false },
    { "uuid", uuid_element_parse, false },
    { "title", title_parse, false },
    { "description", description_parse, false },
    { "metadata", metadata_element_parse, false },
    { "memory", memory_parse, false },
    { "currentMemory", current_memory_parse, false },
    { "vcpu", vcpu_parse, false },
    { "resource", resource_parse, false },
    { "os", os_parse, false },
    { "features", features_parse, false },
    { "cpu", cpu_parse, false },
    { "clock", clock_parse, false },
    { "on_poweroff", poweroff_parse, false },
    { "on_reboot", reboot_parse, false },
    { "on_crash", crash_parse, false },
    { "on_lockfailure", lockfailure_parse, false },
    { "pm", pm_parse, false },
    { "devices", devices_parse, true },
    { "seclabel", seclabel_parse, true },
};

/* Seen elements are bits of @seen, by their rows. */
static bool element_parse(const XmlNode *node, DomainParseFlags flags, DomainDef *def,
                          unsigned *seen, GError **error)
{
    const char *name = xml_node_name(node);

    for (size_t i = 0; i < G_N_ELEMENTS(elements); i++) {
        if (elements[i].name[0] != name[0] || strcmp(elements[i].name, name) != 0)
            continue;
        if (!elements[i].is_repeated && *seen & 1u << i)
            return true;
        *seen |= 1u << i;
        return elements[i].parse(node, flags, def, error);
    }
    LOG_DEBUG("element <%.128s> in <domain> is not known yet", name);
    return true;
}

/* Hypervisors of other drivers are known by name, to be refused in other words. */
static bool type_parse(const XmlNode *domain, DomainDef *def, GError **error)
{
    const char *type = xml_node_attr(domain, "type");
    int value = 0;

    if (!type || *type == '\0') {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR, "missing domain type attribute");
        return false;
    }
    if (!ENUM_FROM_NAME(virt_type_names, type, &value)) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                  "invalid domain type %.1024s", type);
        return false;
    }
    def->virt_type = (VirtType) value;
    return true;
}

/* What a name must be for its files to have names; the file systems' limit comes with them. */
static bool name_check(const DomainDef *def, GError **error)
{
    if (!def->name) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_NO_NAME, NULL);
        return false;
    }
    if (strchr(def->name, '/')) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "name %.1024s cannot contain '/'",
                  def->name);
        return false;
    }
    if (strchr(def->name, '\n')) {
        error_set(error, VIR_FROM_XML, VIR_ERR_XML_DETAIL, "invalid char in name: %c", '\n');
        return false;
    }
    if (strcmp(def->name, ".") == 0 || strcmp(def->name, "..") == 0) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "name cannot be '%s'", def->name);
        return false;
    }
    return true;
}

static bool whole_check(DomainDef *def, GError **error)
{
    if (!name_check(def, error))
        return false;
    if (def->memory_kib == 0) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                  "Memory size must be specified via <memory> or in the <numa> configuration");
        return false;
    }
    if (!def->os.type) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "an os <type> must be specified");
        return false;
    }
    /* A balloon cannot make a guest larger than it is. */
    if (def->current_memory_kib == 0 || def->current_memory_kib > def->memory_kib)
        def->current_memory_kib = def->memory_kib;
    return true;
}

/* The id is of a running guest: a client that sends back what it was given does not set it. */
static bool all_parse(const XmlNode *domain, DomainParseFlags flags, DomainDef *def,
                      GError **error)
{
    unsigned seen = 0;

    if (!type_parse(domain, def, error))
        return false;
    if (!(flags & DOMAIN_PARSE_INACTIVE) &&
        !xml_attr_int(domain, "id", XML_OPTIONAL, -1, &def->id, error))
        return false;
    for (const XmlNode *node = xml_node_first(domain, NULL); node;
         node = xml_node_next(node, NULL)) {
        if (!element_parse(node, flags, def, &seen, error))
            return false;
    }
    return whole_check(def, error);
}

/* Validation comes first: it knows the place of a mistake that parsing would pass over. */
DomainDef *domain_def_parse_node(const XmlNode *domain, DomainParseFlags flags, GError **error)
{
    g_autoptr(DomainDef) def = domain_def_new();

    if ((flags & DOMAIN_PARSE_VALIDATE) && !schema_validate_domain(domain, error))
        return NULL;
    uuid_generate(&def->uuid);
    if (!all_parse(domain, flags, def, error))
        return NULL;
    return g_steal_pointer(&def);
}

DomainDef *domain_def_parse(const char *xml, DomainParseFlags flags, GError **error)
{
    g_autoptr(GError) broken = NULL;
    g_autoptr(XmlDoc) doc = xml_parse(xml, "domain_definition", &broken);

    if (!doc) {
        /* Clients know it as an error of domains. */
        error_set(error, VIR_FROM_DOMAIN, (ErrorCode) broken->code, "%s", error_detail(broken));
        return NULL;
    }
    if (!xml_doc_expect_root(doc, "domain", error))
        return NULL;
    return domain_def_parse_node(xml_doc_root(doc), flags, error);
}
