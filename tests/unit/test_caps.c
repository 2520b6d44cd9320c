/* What is known of an emulator: from answers to facts, to queries, to a file and back. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "fiber_fixture.h"
#include "json/get.h"
#include "json/parse.h"
#include "json/write.h"
#include "virtqemud/qemu/arch.h"
#include "virtqemud/qemu/capabilities_xml.h"
#include "virtqemud/qemu/caps_answers.h"
#include "virtqemud/qemu/caps_cache.h"
#include "virtqemud/qemu/caps_facts.h"
#include "virtqemud/qemu/caps_store.h"
#include "virtqemud/qemu/caps_strings.h"

/* Answers of a small emulator, in the order of the questions. */
static const char answers_text[] =
    "[{\"qemu\":{\"major\":7,\"minor\":2,\"micro\":22},\"package\":\"Debian\"},"
    "{\"arch\":\"x86_64\"},{\"enabled\":true,\"present\":true},"
    "[{\"name\":\"microvm\",\"cpu-max\":288,\"hotpluggable-cpus\":false},"
    "{\"name\":\"pc-i440fx-1.4\",\"cpu-max\":255,\"deprecated\":true},"
    "{\"name\":\"none\",\"cpu-max\":1},"
    "{\"name\":\"pc-i440fx-7.2\",\"alias\":\"pc\",\"is-default\":true,\"cpu-max\":255,"
    "\"default-cpu-type\":\"qemu64-x86_64-cpu\",\"default-ram-id\":\"pc.ram\","
    "\"numa-mem-supported\":true,\"hotpluggable-cpus\":true}],"
    "[{\"name\":\"qemu64\",\"unavailable-features\":[],\"deprecated\":false},"
    "{\"name\":\"Icelake\",\"unavailable-features\":[\"avx\"],\"deprecated\":true}],"
    "[{\"name\":\"query-status\"},{\"name\":\"blockdev-add\"}],"
    "[{\"option\":\"msg\",\"parameters\":[{\"name\":\"timestamp\",\"type\":\"boolean\"}]},"
    "{\"option\":\"device\",\"parameters\":[]}],"
    "[{\"name\":\"virtio-blk-pci\",\"parent\":\"x\"},{\"name\":\"VGA\",\"parent\":\"x\"}],"
    "[{\"name\":\"rng-random\"}]]";

/* Those about properties have one answer: the third, VGA. */
#define PROPERTIES_FROM 9

static CapsAnswers *answers_new(void)
{
    g_autoptr(JsonValue) document = json_parse(answers_text, NULL);
    CapsAnswers *answers = caps_answers_new();

    for (guint i = 0; i < PROPERTIES_FROM; i++)
        answers->values[i] = json_copy(json_at(document, i));
    answers->values[PROPERTIES_FROM + 2] = json_parse("[{\"name\":\"vgamem_mb\"}]", NULL);
    return answers;
}

static JsonValue *facts_new(void)
{
    g_autoptr(CapsAnswers) answers = answers_new();
    g_autoptr(GError) error = NULL;
    bool has_kvm;
    JsonValue *facts = caps_answers_to_facts(answers, &has_kvm, &error);

    g_assert_no_error(error);
    g_assert_true(has_kvm);
    return facts;
}

static EmulatorCaps *caps_new(void)
{
    g_autoptr(JsonValue) facts = facts_new();
    g_autoptr(GError) error = NULL;
    EmulatorCaps *caps = emulator_caps_from_facts("/usr/bin/qemu", facts, &error);

    g_assert_no_error(error);
    return caps;
}

static void test_identity(void)
{
    g_autoptr(EmulatorCaps) caps = caps_new();

    g_assert_cmpstr(emulator_caps_get_path(caps), ==, "/usr/bin/qemu");
    g_assert_cmpstr(emulator_caps_get_arch(caps), ==, "x86_64");
    g_assert_cmpuint(emulator_caps_get_version(caps), ==, 7002022);
    g_assert_cmpstr(emulator_caps_get_version_text(caps), ==, "7.2.22");
    g_assert_cmpstr(emulator_caps_get_package(caps), ==, "Debian");
    g_assert_true(emulator_caps_has_kvm(caps));
}

static void test_names_are_found(void)
{
    g_autoptr(EmulatorCaps) caps = caps_new();

    g_assert_true(emulator_caps_has_device(caps, "virtio-blk-pci"));
    g_assert_false(emulator_caps_has_device(caps, "virtio-blk"));
    g_assert_true(emulator_caps_has_object(caps, "rng-random"));
    g_assert_false(emulator_caps_has_object(caps, "VGA"));
    g_assert_true(emulator_caps_has_command(caps, "blockdev-add"));
    g_assert_false(emulator_caps_has_command(caps, "blockdev"));
    g_assert_true(emulator_caps_has_option(caps, "msg", NULL));
    g_assert_true(emulator_caps_has_option(caps, "msg", "timestamp"));
    g_assert_false(emulator_caps_has_option(caps, "msg", "guest-name"));
    g_assert_true(emulator_caps_has_device_property(caps, "VGA", "vgamem_mb"));
    g_assert_false(emulator_caps_has_device_property(caps, "VGA", "xres"));
}

static void test_machine_is_found_by_name_and_alias(void)
{
    g_autoptr(EmulatorCaps) caps = caps_new();
    const EmulatorMachine *machine = emulator_caps_get_machine(caps, "pc");

    g_assert_nonnull(machine);
    g_assert_cmpstr(machine->name, ==, "pc-i440fx-7.2");
    g_assert_true(emulator_caps_get_machine(caps, "pc-i440fx-7.2") == machine);
    g_assert_true(emulator_caps_get_machine(caps, NULL) == machine);
    g_assert_cmpstr(machine->default_cpu, ==, "qemu64-x86_64-cpu");
    g_assert_cmpstr(machine->default_ram_id, ==, "pc.ram");
    g_assert_cmpuint(machine->max_cpus, ==, 255);
    g_assert_true(machine->has_numa_mem && machine->has_hotpluggable_cpus);
    g_assert_null(emulator_caps_get_machine(caps, "q35"));
}

static void test_default_machine_comes_first_and_none_is_left_out(void)
{
    g_autoptr(EmulatorCaps) caps = caps_new();
    guint count;
    const EmulatorMachine *machines = emulator_caps_get_machines(caps, &count);

    g_assert_cmpuint(count, ==, 3);
    g_assert_cmpstr(machines[0].name, ==, "pc-i440fx-7.2");
    g_assert_cmpstr(machines[1].name, ==, "microvm");
    g_assert_true(machines[2].is_deprecated);
    g_assert_null(emulator_caps_get_machine(caps, "none"));
}

static void test_cpu_models_belong_to_their_accelerator(void)
{
    g_autoptr(JsonValue) facts = facts_new();
    g_autoptr(EmulatorCaps) caps = NULL;
    guint count;
    const EmulatorCpu *cpus;

    g_assert_true(caps_answers_put_cpus(facts, "tcg-cpus", NULL, NULL));
    caps = emulator_caps_from_facts("/x", facts, NULL);
    cpus = emulator_caps_get_cpus(caps, EMULATOR_KVM, &count);
    g_assert_cmpuint(count, ==, 2);
    g_assert_cmpstr(cpus[0].name, ==, "Icelake");
    g_assert_true(!cpus[0].is_usable && cpus[0].is_deprecated);
    g_assert_true(cpus[1].is_usable && !cpus[1].is_deprecated);
    emulator_caps_get_cpus(caps, EMULATOR_TCG, &count);
    g_assert_cmpuint(count, ==, 0);
}

/* Every answer that must be there, as every wrong type. */
static void test_answers_of_wrong_types_are_refused(void)
{
    static const char *const wrong[] = { "null", "true", "7", "\"x\"", "{}", "[7]", "[{}]",
                                         "[{\"name\":7}]" };

    for (guint which = 0; which < PROPERTIES_FROM; which++) {
        for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
            g_autoptr(CapsAnswers) answers = answers_new();
            g_autoptr(GError) error = NULL;
            bool has_kvm;

            json_free(answers->values[which]);
            answers->values[which] = json_parse(wrong[i], NULL);
            g_assert_null(caps_answers_to_facts(answers, &has_kvm, &error));
            assert_error_code(error, VIR_ERR_INTERNAL_ERROR);
        }
    }
}

/* Every member of the facts missing, and of another type. */
static void test_facts_of_wrong_types_are_refused(void)
{
    g_autoptr(JsonValue) right = facts_new();
    static const char *const wrong[] = { "7", "\"x\"", "{}", "[7]", "[[]]", NULL };

    for (guint member = 0; member < json_length(right); member++) {
        for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
            g_autoptr(JsonValue) facts = json_copy(right);
            g_autoptr(GError) error = NULL;
            const char *key = json_key_at(right, member);

            /* That is right for the packager's version, and an empty list of strings. */
            if (strcmp(key, "package") == 0 && i == 1)
                continue;
            json_free(json_object_steal(facts, key));
            if (wrong[i])
                json_object_put(facts, key, json_parse(wrong[i], NULL));
            g_assert_null(emulator_caps_from_facts("/x", facts, &error));
            assert_error_code(error, VIR_ERR_INTERNAL_ERROR);
        }
    }
}

static void test_unknown_architecture_and_version_are_refused(void)
{
    static const char *const versions[] = { "", "7", "7.2", "7.2.x", "7.2.22.1", "1000.0.0", "-1.0.0" };

    for (gsize i = 0; i <= G_N_ELEMENTS(versions); i++) {
        g_autoptr(JsonValue) facts = facts_new();
        g_autoptr(GError) error = NULL;

        if (i < G_N_ELEMENTS(versions))
            json_object_put_string(facts, "version", versions[i]);
        else
            json_object_put_string(facts, "target", "z80");
        g_assert_null(emulator_caps_from_facts("/x", facts, &error));
        assert_error_code(error, VIR_ERR_INTERNAL_ERROR);
    }
}

static void test_string_set_sorts_and_drops_repeats(void)
{
    g_autoptr(GPtrArray) strings = g_ptr_array_new();
    StringSet set;

    string_set_init(&set, strings);
    g_assert_null(string_set_find(&set, "a"));
    string_set_clear(&set);
    for (const char *c = "c\0a\0b\0a\0"; *c; c += 2)
        g_ptr_array_add(strings, (char *) c);
    g_ptr_array_add(strings, NULL);
    string_set_init(&set, strings);
    g_assert_cmpuint(set.count, ==, 3);
    g_assert_cmpstr(string_set_at(&set, 0), ==, "a");
    g_assert_cmpstr(string_set_find(&set, "c"), ==, "c");
    g_assert_null(string_set_find(&set, "ab"));
    string_set_clear(&set);
}

static void test_guests_in_capabilities(void)
{
    g_autoptr(GArray) guests = g_array_new(FALSE, FALSE, sizeof(EmulatorGuest));
    g_autoptr(EmulatorCaps) caps = caps_new();
    EmulatorGuest guest = { .arch = "i686", .word_size = 32, .caps = caps };
    g_autoptr(XmlWriter) writer = xml_writer_new();
    g_autofree char *text = NULL;

    g_array_append_val(guests, guest);
    capabilities_format_guests(guests, writer);
    text = xml_writer_finish(writer);
    g_assert_cmpstr(text, ==,
                    "<guest>\n"
                    "  <os_type>hvm</os_type>\n"
                    "  <arch name='i686'>\n"
                    "    <wordsize>32</wordsize>\n"
                    "    <emulator>/usr/bin/qemu</emulator>\n"
                    "    <machine maxCpus='255'>pc-i440fx-7.2</machine>\n"
                    "    <machine canonical='pc-i440fx-7.2' maxCpus='255'>pc</machine>\n"
                    "    <machine maxCpus='288'>microvm</machine>\n"
                    "    <machine maxCpus='255' deprecated='yes'>pc-i440fx-1.4</machine>\n"
                    "    <domain type='qemu'/>\n"
                    "    <domain type='kvm'/>\n"
                    "  </arch>\n"
                    "  <features>\n"
                    "    <pae/>\n"
                    "    <nonpae/>\n"
                    "    <acpi default='on' toggle='yes'/>\n"
                    "    <apic default='on' toggle='no'/>\n"
                    "    <cpuselection/>\n"
                    "    <deviceboot/>\n"
                    "    <disksnapshot default='on' toggle='no'/>\n"
                    "  </features>\n"
                    "</guest>\n"
                    "\n");
}

static void test_architectures_have_one_line_each(void)
{
    for (guint i = 0; i < arch_table_length; i++) {
        g_assert_true(arch_find(arch_table[i].name) == &arch_table[i]);
        g_assert_true(arch_find_target(arch_table[i].target) == &arch_table[i]);
    }
    g_assert_null(arch_find("i386"));
    g_assert_cmpstr(arch_find_target("i386")->name, ==, "i686");
    g_assert_nonnull(arch_find_host());
}

typedef struct Folder {
    char *path, *file, *key;
} Folder;

static void folder_make(Folder *folder, gconstpointer data)
{
    g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, "/x/qemu", -1);

    folder->path = g_dir_make_tmp("caps-XXXXXX", NULL);
    folder->file = g_strconcat(folder->path, "/", hash, ".json", NULL);
}

static void folder_remove(Folder *folder, gconstpointer data)
{
    g_unlink(folder->file);
    g_assert_cmpint(g_rmdir(folder->path), ==, 0);
    g_free(folder->path);
    g_free(folder->file);
}

static void store_facts(Folder *folder, const char *key)
{
    g_autoptr(JsonValue) facts = facts_new();
    g_autoptr(GError) error = NULL;

    caps_cache_store(folder->path, "/x/qemu", key, facts, &error);
    g_assert_no_error(error);
}

static void test_cache_gives_back_what_was_stored(Folder *folder, gconstpointer data)
{
    g_autoptr(JsonValue) facts = facts_new();
    g_autoptr(JsonValue) loaded = NULL;
    struct stat file;

    store_facts(folder, "key");
    loaded = caps_cache_load(folder->path, "/x/qemu", "key", NULL);
    g_assert_nonnull(loaded);
    g_assert_true(json_equal(facts, loaded));
    g_assert_cmpint(stat(folder->file, &file), ==, 0);
    g_assert_cmpint(file.st_mode & 07777, ==, 0600);
}

static void test_cache_of_another_key_does_not_count(Folder *folder, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    store_facts(folder, "key");
    g_assert_null(caps_cache_load(folder->path, "/x/qemu", "another", &error));
    g_assert_nonnull(error);
}

static void test_damaged_cache_does_not_count(Folder *folder, gconstpointer data)
{
    static const char *const contents[] = {
        "", "garbage", "{", "[]", "{}", "{\"format\":1}", "{\"format\":1,\"key\":\"key\"}",
        "{\"format\":\"1\",\"key\":\"key\",\"facts\":{}}",
        "{\"format\":1,\"key\":7,\"facts\":{}}",
        "{\"format\":1,\"key\":\"key\",\"facts\":[]}",
        "{\"format\":0,\"key\":\"key\",\"facts\":{}}",
        "{\"format\":99,\"key\":\"key\",\"facts\":{}}",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(contents); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_true(g_file_set_contents(folder->file, contents[i], -1, NULL));
        g_assert_null(caps_cache_load(folder->path, "/x/qemu", "key", &error));
        g_assert_nonnull(error);
    }
}

static void test_identity_notices_every_change(Folder *folder, gconstpointer data)
{
    EmulatorIdentity before, after;
    g_autofree char *key = NULL, *key_after = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(g_file_set_contents(folder->file, "1", -1, NULL));
    g_assert_false(emulator_identity_read(folder->file, "/nope", 0, &before, &error));
    g_assert_nonnull(strstr(error->message, "is not executable"));
    g_assert_cmpint(chmod(folder->file, 0700), ==, 0);
    g_assert_true(emulator_identity_read(folder->file, "/nope", 0, &before, NULL));
    g_assert_true(emulator_identity_read(folder->file, "/nope", 0, &after, NULL));
    g_assert_true(emulator_identity_equal(&before, &after));
    /* KVM can be used now. */
    g_assert_true(emulator_identity_read(folder->file, "/dev/null", 0, &after, NULL));
    g_assert_false(emulator_identity_equal(&before, &after));
    key = caps_cache_make_key(folder->file, &before);
    key_after = caps_cache_make_key(folder->file, &after);
    g_assert_cmpstr(key, !=, key_after);
    g_assert_true(g_file_set_contents(folder->file, "2", -1, NULL));
    g_assert_cmpint(chmod(folder->file, 0700), ==, 0);
    g_assert_true(emulator_identity_read(folder->file, "/nope", 0, &after, NULL));
    g_assert_false(emulator_identity_equal(&before, &after));
}

static void test_missing_binary_and_folder_are_errors(void)
{
    static const struct {
        const char *path, *text;
    } cases[] = {
        { "/nope/qemu", "Cannot check QEMU binary /nope/qemu: No such file" },
        { "qemu-system-x86_64", "Cannot check QEMU binary qemu-system-x86_64: No such file" },
        { "/tmp", "QEMU binary /tmp is not executable: Is a directory" },
    };
    EmulatorIdentity identity;

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(emulator_identity_read(cases[i].path, "/nope", 0, &identity, &error));
        assert_error_code(error, VIR_ERR_SYSTEM_ERROR);
        g_assert_nonnull(strstr(error->message, cases[i].text));
    }
}

#define ADD_FOLDER(NAME, FUNC)                                                                     \
    g_test_add("/caps/" NAME, Folder, NULL, folder_make, FUNC, folder_remove)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/caps/identity", test_identity);
    g_test_add_func("/caps/names", test_names_are_found);
    g_test_add_func("/caps/machine", test_machine_is_found_by_name_and_alias);
    g_test_add_func("/caps/machine-order", test_default_machine_comes_first_and_none_is_left_out);
    g_test_add_func("/caps/cpus", test_cpu_models_belong_to_their_accelerator);
    g_test_add_func("/caps/wrong-answers", test_answers_of_wrong_types_are_refused);
    g_test_add_func("/caps/wrong-facts", test_facts_of_wrong_types_are_refused);
    g_test_add_func("/caps/unknown", test_unknown_architecture_and_version_are_refused);
    g_test_add_func("/caps/strings", test_string_set_sorts_and_drops_repeats);
    g_test_add_func("/caps/xml", test_guests_in_capabilities);
    g_test_add_func("/caps/architectures", test_architectures_have_one_line_each);
    ADD_FOLDER("cache", test_cache_gives_back_what_was_stored);
    ADD_FOLDER("cache-key", test_cache_of_another_key_does_not_count);
    ADD_FOLDER("cache-damage", test_damaged_cache_does_not_count);
    ADD_FOLDER("file-identity", test_identity_notices_every_change);
    g_test_add_func("/caps/no-binary", test_missing_binary_and_folder_are_errors);
    return g_test_run();
}
