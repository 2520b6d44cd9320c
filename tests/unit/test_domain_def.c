/* The parts of a domain that are no devices: what is read, and the errors that clients see. */
#include <string.h>

#include "domain_fixture.h"

typedef struct Case {
    const char *body, *message;
} Case;

static void check_errors(const Case *cases, size_t n_cases)
{
    for (size_t i = 0; i < n_cases; i++) {
        g_autofree char *text = domain_text(cases[i].body, "");

        assert_parse_fails(text, DOMAIN_PARSE_INACTIVE, cases[i].message);
    }
}

#define BEGIN "<domain type='qemu'>"
#define REST DOMAIN_OS "</domain>"

static void test_whole_documents_that_are_no_domain(void)
{
    static const Case cases[] = {
        { "<network/>", "XML error: expecting root element of 'domain', not 'network'" },
        { "<domain/>", "internal error: missing domain type attribute" },
        { "<domain type='foo'/>", "unsupported configuration: invalid domain type foo" },
        { BEGIN "<memory>1</memory>" REST, "missing name information" },
        { BEGIN "<name>a</name>" REST, "XML error: Memory size must be specified via <memory> or "
          "in the <numa> configuration" },
        { BEGIN "<name>a</name><memory>0</memory>" REST, "XML error: Memory size must be "
          "specified via <memory> or in the <numa> configuration" },
        { BEGIN "<name>a</name><memory>1</memory></domain>",
          "XML error: an os <type> must be specified" },
        { BEGIN "<name>a/b</name><memory>1</memory>" REST,
          "XML error: name a/b cannot contain '/'" },
        { BEGIN "<name>..</name><memory>1</memory>" REST, "XML error: name cannot be '..'" },
        { BEGIN "<name>a</name><uuid>x</uuid>" REST, "internal error: malformed uuid element" },
        { BEGIN "<name>a</name><memory>x</memory>" REST,
          "XML error: Invalid value 'x' for element or attribute './memory[1]'" },
        { BEGIN "<name>a</name><memory unit='foo'>1</memory>" REST,
          "invalid argument: unknown suffix 'foo'" },
        { BEGIN "<name>a</name><memory>1</memory><resource/><resource/>" REST,
          "XML error: only one resource element is supported" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_parse_fails(cases[i].body, DOMAIN_PARSE_INACTIVE, cases[i].message);
}

static void test_a_broken_document_is_an_error_of_domains(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(domain_def_parse("<domain>", DOMAIN_PARSE_INACTIVE, &error));
    g_assert_error(error, error_quark(VIR_FROM_DOMAIN), VIR_ERR_XML_DETAIL);
    g_assert_true(g_str_has_prefix(error->message, "(domain_definition):1: "));
}

static void test_top_level_errors(void)
{
    static const Case cases[] = {
        { "<title>a\nb</title>", "XML error: Domain title can't contain newlines" },
        { "<vcpu/>", "XML error: maximum vcpus count must be an integer" },
        { "<vcpu>2 </vcpu>", "XML error: maximum vcpus count must be an integer" },
        { "<vcpu>-1</vcpu>", "XML error: maximum vcpus count must be an integer" },
        { "<vcpu>0</vcpu>", "XML error: maximum vcpus count must be in range [1,65535], not 0" },
        { "<vcpu current='4'>2</vcpu>", "unsupported configuration: maximum vCPU count must not "
          "be less than current vCPU count" },
        { "<vcpu current='x'>2</vcpu>", "XML error: Invalid value for attribute 'current' in "
          "element 'vcpu': 'x'. Expected non-negative integer value" },
        { "<vcpu placement='foo'>2</vcpu>",
          "XML error: Invalid value for attribute 'placement' in element 'vcpu': 'foo'." },
        { "<vcpu cpuset='^0'>2</vcpu>",
          "unsupported configuration: Invalid value of 'cpuset': ^0" },
        { "<on_crash>foo</on_crash>",
          "unsupported configuration: unknown on_crash action: foo" },
        { "<pm><suspend-to-mem enabled='x'/></pm>", "XML error: Invalid value for attribute "
          "'enabled' in element 'suspend-to-mem': 'x'." },
        { "<currentMemory>x</currentMemory>",
          "XML error: Invalid value 'x' for element or attribute './currentMemory[1]'" },
    };

    check_errors(cases, G_N_ELEMENTS(cases));
}

#define TYPE "<type>hvm</type>"

static void test_os_errors(void)
{
    static const Case cases[] = {
        { "<os></os>", "XML error: an os <type> must be specified" },
        { "<os><type>foo</type></os>", "unsupported configuration: unknown OS type 'foo'" },
        { "<os><type>xen</type></os>",
          "unsupported configuration: OS type 'xen' is not supported" },
        { "<os><type arch='foo'>hvm</type></os>",
          "unsupported configuration: Unknown architecture foo" },
        { "<os>" TYPE "<boot dev='foo'/></os>",
          "XML error: Invalid value for attribute 'dev' in element 'boot': 'foo'." },
        { "<os>" TYPE "<boot/></os>",
          "XML error: Missing required attribute 'dev' in element 'boot'" },
        { "<os>" TYPE "<bootmenu enable='yes' timeout='65536'/></os>", "unsupported "
          "configuration: invalid value for boot menu timeout, must be in range [0,65535]" },
        { "<os>" TYPE "<bios rebootTimeout='-2'/></os>", "unsupported configuration: invalid "
          "value for rebootTimeout, must be in range [-1,65535]" },
        { "<os>" TYPE "<smbios mode='foo'/></os>",
          "unsupported configuration: unknown smbios mode 'foo'" },
        { "<os>" TYPE "<loader type='foo'>/x</loader></os>",
          "XML error: Invalid value for attribute 'type' in element 'loader': 'foo'." },
        { "<os>" TYPE "<loader type='pflash'>/x</loader></os>",
          "unsupported configuration: loader type 'pflash' is not supported" },
        { "<os>" TYPE "<loader secure='yes'>/x</loader></os>",
          "unsupported configuration: secure boot is not supported" },
        { "<os>" TYPE "<loader/></os>",
          "no loader path specified and firmware auto selection disabled" },
    };

    check_errors(cases, G_N_ELEMENTS(cases));
}

static void test_feature_errors(void)
{
    static const Case cases[] = {
        { "<features><foo/></features>",
          "unsupported configuration: unexpected feature 'foo'" },
        { "<features><apic eoi='x'/></features>",
          "XML error: Invalid value for attribute 'eoi' in element 'apic': 'x'." },
        { "<features><hap state='x'/></features>",
          "XML error: Invalid value for attribute 'state' in element 'hap': 'x'." },
        { "<features><kvm><hidden/></kvm></features>",
          "XML error: Missing required attribute 'state' in element 'hidden'" },
        { "<features><kvm><foo/></kvm></features>",
          "unsupported configuration: unsupported KVM feature: foo" },
    };

    check_errors(cases, G_N_ELEMENTS(cases));
}

#define CPU(...) "<cpu mode='custom'><model>qemu64</model>" __VA_ARGS__ "</cpu>"

static void test_cpu_errors(void)
{
    static const Case cases[] = {
        { "<cpu mode='foo'/>", "unsupported configuration: Invalid mode attribute 'foo'" },
        { "<cpu match='foo'/>",
          "XML error: Invalid value for attribute 'match' in element 'cpu': 'foo'." },
        { "<cpu mode='custom' migratable='on'/>", "unsupported configuration: Attribute "
          "migratable is only allowed for 'host-passthrough' / 'maximum' CPU mode" },
        { "<cpu><model fallback='x'>a</model></cpu>",
          "unsupported configuration: Invalid fallback attribute" },
        { "<cpu><model vendor_id='short'>a</model></cpu>",
          "XML error: vendor_id must be exactly 12 characters long" },
        { "<cpu><model vendor_id='a,aaaaaaaaaa'>a</model></cpu>",
          "XML error: vendor id is invalid" },
        { "<cpu><vendor>Intel</vendor></cpu>",
          "XML error: CPU vendor specified without CPU model" },
        { "<cpu><feature name='vmx'/></cpu>",
          "XML error: Non-empty feature list specified without CPU model" },
        { CPU("<feature policy='foo' name='a'/>"),
          "unsupported configuration: Invalid CPU feature policy" },
        { CPU("<feature policy='require'/>"), "XML error: Invalid CPU feature name" },
        { CPU("<feature name='a'/><feature name='a'/>"),
          "XML error: CPU feature 'a' specified more than once" },
        { CPU("<topology sockets='1' cores='1'/>"),
          "XML error: Missing required attribute 'threads' in element 'topology'" },
        { CPU("<topology sockets='0' cores='1' threads='1'/>"), "XML error: Invalid value for "
          "attribute 'sockets' in element 'topology': Zero is not permitted" },
    };

    check_errors(cases, G_N_ELEMENTS(cases));
}

static void test_clock_errors(void)
{
    static const Case cases[] = {
        { "<clock offset='foo'/>", "unsupported configuration: unknown clock offset 'foo'" },
        { "<clock offset='utc' adjustment='x'/>", "XML error: unknown clock adjustment 'x'" },
        { "<clock offset='variable' adjustment='x'/>", "XML error: Invalid value for attribute "
          "'adjustment' in element 'clock': 'x'. Expected integer value" },
        { "<clock offset='variable' basis='foo'/>",
          "unsupported configuration: unknown clock basis 'foo'" },
        { "<clock offset='variable' basis='absolute'/>",
          "unsupported configuration: unknown clock basis 'absolute'" },
        { "<clock offset='timezone'/>", "internal error: missing 'timezone' attribute for clock "
          "with offset='timezone'" },
        { "<clock offset='absolute'/>", "internal error: missing 'start' attribute for clock "
          "with offset='absolute'" },
        { "<clock offset='utc'><timer/></clock>",
          "XML error: Missing required attribute 'name' in element 'timer'" },
        { "<clock offset='utc'><timer name='foo'/></clock>",
          "XML error: Invalid value for attribute 'name' in element 'timer': 'foo'." },
        { "<clock offset='utc'><timer name='rtc' tickpolicy='x'/></clock>",
          "XML error: Invalid value for attribute 'tickpolicy' in element 'timer': 'x'." },
        { "<clock offset='utc'><timer name='tsc' frequency='x'/></clock>", "XML error: Invalid "
          "value for attribute 'frequency' in element 'timer': 'x'. Expected non-negative "
          "integer value" },
    };

    check_errors(cases, G_N_ELEMENTS(cases));
}

static void test_sizes_are_rounded_up_to_kib(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DomainDef) def = domain_def_parse(
        BEGIN "<name>t</name><memory unit='KB'>1000</memory>" REST, 0, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(def->memory_kib, ==, 977);
    g_assert_cmpuint(def->current_memory_kib, ==, 977);
}

static void test_current_memory_is_at_most_the_memory(void)
{
    g_autoptr(DomainDef) def = domain_of("<currentMemory>65537</currentMemory>", "");

    g_assert_cmpuint(def->current_memory_kib, ==, 65536);
}

static void test_the_first_of_two_elements_counts(void)
{
    g_autoptr(DomainDef) def = domain_of("<vcpu>2</vcpu><vcpu>3</vcpu>", "");

    g_assert_cmpuint(def->max_vcpus, ==, 2);
}

static void test_a_uuid_is_chosen_when_none_is_given(void)
{
    g_autoptr(DomainDef) first =
        domain_def_parse(BEGIN "<name>t</name><memory>1</memory>" REST, 0, NULL);
    g_autoptr(DomainDef) second =
        domain_def_parse(BEGIN "<name>t</name><memory>1</memory>" REST, 0, NULL);

    g_assert_true(uuid_is_valid(&first->uuid));
    g_assert_false(uuid_equal(&first->uuid, &second->uuid));
}

static void test_unknown_elements_are_left_out(void)
{
    g_autoptr(DomainDef) def = domain_of("<foo><name>no</name></foo>", "<bar/>");

    g_assert_cmpstr(def->name, ==, "t");
}

static void test_a_model_alone_means_exactly_this_model(void)
{
    g_autoptr(DomainDef) def = domain_of("<cpu><model>qemu64</model></cpu>", "");

    assert_writes(def, "<cpu mode='custom' match='exact'>\n"
                       "    <model fallback='allow'>qemu64</model>\n");
}

static void test_an_adjusted_clock_is_variable(void)
{
    g_autoptr(DomainDef) def = domain_of("<clock offset='localtime' adjustment='-10'/>", "");

    assert_writes(def, "<clock offset='variable' adjustment='-10' basis='localtime'/>");
}

static void test_the_id_of_a_running_domain_is_kept_only_when_asked_for(void)
{
    const char *text = "<domain type='qemu' id='5'><name>t</name><memory>1</memory>" REST;
    g_autoptr(DomainDef) inactive = domain_def_parse(text, DOMAIN_PARSE_INACTIVE, NULL);
    g_autoptr(DomainDef) status = domain_def_parse(text, DOMAIN_PARSE_STATUS, NULL);

    g_assert_cmpint(inactive->id, ==, -1);
    g_assert_cmpint(status->id, ==, 5);
}

static void test_a_copy_is_written_the_same(void)
{
    g_autoptr(DomainDef) def = domain_of("<title>T</title><cpu mode='host-model'/>",
                                         "<input type='tablet' bus='usb'/>");
    g_autoptr(DomainDef) copy = domain_def_copy(def);
    g_autofree char *a = domain_def_format(def, 0);
    g_autofree char *b = domain_def_format(copy, 0);

    g_assert_cmpstr(a, ==, b);
}

static bool count_device(DeviceInfo *info, const char *what, void *device, void *data)
{
    g_string_append_printf(data, "%s ", what);
    return strcmp(what, "rng") != 0;
}

static void test_devices_are_visited_in_order_until_one_refuses(void)
{
    g_autoptr(GString) seen = g_string_new(NULL);
    g_autoptr(DomainDef) def = domain_of(
        "", "<rng model='virtio'><backend model='random'/></rng><panic model='isa'/>"
            "<memballoon model='virtio'/><input type='tablet' bus='usb'/>");

    g_assert_false(domain_def_each_device(def, count_device, seen));
    g_assert_cmpstr(seen->str, ==, "input memballoon rng ");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/domain_def/errors/document", test_whole_documents_that_are_no_domain);
    g_test_add_func("/domain_def/errors/broken", test_a_broken_document_is_an_error_of_domains);
    g_test_add_func("/domain_def/errors/top", test_top_level_errors);
    g_test_add_func("/domain_def/errors/os", test_os_errors);
    g_test_add_func("/domain_def/errors/features", test_feature_errors);
    g_test_add_func("/domain_def/errors/cpu", test_cpu_errors);
    g_test_add_func("/domain_def/errors/clock", test_clock_errors);
    g_test_add_func("/domain_def/size", test_sizes_are_rounded_up_to_kib);
    g_test_add_func("/domain_def/current_memory", test_current_memory_is_at_most_the_memory);
    g_test_add_func("/domain_def/first_counts", test_the_first_of_two_elements_counts);
    g_test_add_func("/domain_def/uuid", test_a_uuid_is_chosen_when_none_is_given);
    g_test_add_func("/domain_def/unknown", test_unknown_elements_are_left_out);
    g_test_add_func("/domain_def/cpu_model", test_a_model_alone_means_exactly_this_model);
    g_test_add_func("/domain_def/clock", test_an_adjusted_clock_is_variable);
    g_test_add_func("/domain_def/id",
                    test_the_id_of_a_running_domain_is_kept_only_when_asked_for);
    g_test_add_func("/domain_def/copy", test_a_copy_is_written_the_same);
    g_test_add_func("/domain_def/each_device",
                    test_devices_are_visited_in_order_until_one_refuses);
    return g_test_run();
}
