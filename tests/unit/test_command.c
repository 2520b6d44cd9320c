/* QEMU's command line, compared with those that libvirtd gave real guests (data/command). */
#include <string.h>

#include "base/error.h"
#include "json/parse.h"
#include "json/write.h"
#include "virtqemud/qemu/caps_facts.h"
#include "virtqemud/qemu/command.h"

/* Lines of the recorded command that we write in another way. */
typedef struct Difference {
    const char *pattern, *replacement; /* a regular expression; NULL: the line goes */
    const char *reason;
} Difference;

static const Difference differences[] = {
    { "^-object \\{\"qom-type\":\"secret\",\"id\":\"masterKey0\".*", NULL,
      "no disk needs a secret yet, so there is no key to protect secrets with" },
    { "^-no-hpet$", "-machine hpet=off", "QEMU 9 has the machine's switch only" },
    { "^-no-acpi$", "-machine acpi=off", "QEMU 9 has the machine's switch only" },
    { "^-m (\\d+)$", "-m size=\\1M", "the value is in KiB, as the memory object has it" },
    { "\"driver\":\"lsi\"", "\"driver\":\"lsi53c895a\"", "an alias, which no list of QEMU has" },
    { "\"driver\":\"ahci\"", "\"driver\":\"ich9-ahci\"", "an alias, which no list of QEMU has" },
    { ",hv-crash$", ",hv-crash=on", "flags without a value are deprecated in QEMU" },
    { "\"serial\":\"A\\\\\\\\ B_C-d.1\"", "\"serial\":\"A B_C-d.1\"",
      "the escape is for the form key=value; in JSON the guest would see a backslash" },
    { ",pcid=off$", ",pcid=on", "an optional feature is asked for; QEMU leaves out what it lacks" },
};

/* Lines of ours that the recorded command does not have. */
static const Difference additions[] = {
    { "^-action reboot=shutdown$", NULL, "libvirtd sets it later over QMP" },
};

/* Lines of TCG guests. */
static const Difference tcg_differences[] = {
    { "^-global kvm-pit\\..*", NULL, "the device does not exist without KVM" },
};

/* ---- one line ---- */

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The members of an object, by name. */
static char *sorted_object(const char *text)
{
    g_autoptr(JsonValue) object = json_parse(text, NULL);
    g_autoptr(GPtrArray) members = g_ptr_array_new_with_free_func(g_free);

    g_assert_nonnull(object);
    for (guint i = 0; i < json_length(object); i++) {
        g_autofree char *value = json_write(json_at(object, i));

        g_ptr_array_add(members, g_strconcat(json_key_at(object, i), ":", value, NULL));
    }
    g_ptr_array_sort(members, compare_texts);
    g_ptr_array_add(members, NULL);
    return g_strjoinv(" ", (char **)members->pdata);
}

/* "a=1,b=2,,3" in its parts, escapes kept. */
static GPtrArray *keyval_parts(const char *text)
{
    GPtrArray *parts = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GString) part = g_string_new(NULL);

    for (const char *at = text;; at++) {
        if (at[0] == ',' && at[1] == ',')
            g_string_append(part, ",,"), at++;
        else if (*at && *at != ',')
            g_string_append_c(part, *at);
        else {
            g_ptr_array_add(parts, g_strdup(part->str));
            g_string_truncate(part, 0);
        }
        if (!*at)
            break;
    }
    return parts;
}

static char *sorted_keyval(const char *text)
{
    g_autoptr(GPtrArray) parts = keyval_parts(text);

    g_ptr_array_sort(parts, compare_texts);
    g_ptr_array_add(parts, NULL);
    return g_strjoinv(" ", (char **)parts->pdata);
}

static char *without_fd_number(const char *text)
{
    g_autoptr(GRegex) regex = g_regex_new("\\bfd=\\d+", 0, 0, NULL);

    return g_regex_replace_literal(regex, text, -1, 0, "fd=N", 0, NULL);
}

/* Sizes of memory in one unit. */
static char *in_kib(const char *text)
{
    guint64 number = g_ascii_strtoull(text + strlen("size="), NULL, 10);

    return g_strdup_printf("size=%" G_GUINT64_FORMAT "k",
                           g_str_has_suffix(text, "M") ? number * 1024 : number);
}

/* One option in its sorted form; -machine as a line for each of its parts, so that differences can
 * move one there. */
static void add_line(GPtrArray *lines, const char *option, const char *value)
{
    g_autofree char *sorted = NULL;

    if (value && !strcmp(option, "-machine")) {
        g_autoptr(GPtrArray) parts = keyval_parts(value);

        for (guint i = 0; i < parts->len; i++)
            g_ptr_array_add(lines, g_strconcat("-machine ", parts->pdata[i], NULL));
        return;
    }
    if (!value || !strcmp(option, "-append") || !strcmp(option, "-kernel"))
        sorted = g_strdup(value);
    else if (value[0] == '{')
        sorted = sorted_object(value);
    else if (!strcmp(option, "-m"))
        sorted = in_kib(value);
    else {
        g_autofree char *text = without_fd_number(value);

        sorted = sorted_keyval(text);
    }
    g_ptr_array_add(lines, g_strdup_printf("%s %s", option, sorted ? sorted : ""));
}

/* ---- a whole command ---- */

/* @line or what stands for it; NULL when it goes. */
static char *replace_line(char *line, const Difference *table, size_t n_differences)
{
    for (size_t i = 0; line && i < n_differences; i++) {
        g_autoptr(GRegex) regex = g_regex_new(table[i].pattern, 0, 0, NULL);
        g_autofree char *old = line;

        g_assert_nonnull(regex);
        if (!g_regex_match(regex, old, 0, NULL))
            line = g_steal_pointer(&old);
        else if (table[i].replacement)
            line = g_regex_replace(regex, old, -1, 0, table[i].replacement, 0, NULL);
        else
            line = NULL;
    }
    return line;
}

/* Sorted too: the order of options says nothing. */
static char *lines_text(GPtrArray *lines)
{
    g_ptr_array_sort(lines, compare_texts);
    g_ptr_array_add(lines, NULL);
    return g_strjoinv("\n", (char **)lines->pdata);
}

typedef struct Recorded {
    int64_t now_s;
    char *text;
} Recorded;

static Recorded recorded_command(const char *text, bool is_kvm)
{
    g_auto(GStrv) raw = g_strsplit(text, "\n", -1);
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    Recorded recorded = { 0 };

    for (char **at = raw; *at && **at; at++) {
        g_autofree char *line =
            replace_line(g_strdup(*at), differences, G_N_ELEMENTS(differences));
        char *value;

        if (line && !is_kvm)
            line = replace_line(g_steal_pointer(&line), tcg_differences,
                                G_N_ELEMENTS(tcg_differences));
        if (!line)
            continue;
        value = strchr(line, ' ');
        if (value)
            *value++ = 0;
        if (!strcmp(line, "now"))
            recorded.now_s = g_ascii_strtoll(value, NULL, 10);
        else if (!strcmp(line, "env"))
            g_ptr_array_add(lines, g_strconcat("env ", value, NULL));
        else
            add_line(lines, line, value);
    }
    recorded.text = lines_text(lines);
    return recorded;
}

static char *our_command(const QemuCommand *command)
{
    char **argv = (char **)command->argv->pdata + 1;
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);

    for (char **at = (char **)command->env->pdata; *at; at++) {
        if (!g_str_has_prefix(*at, "PATH="))
            g_ptr_array_add(lines, g_strconcat("env ", *at, NULL));
    }
    for (; *argv; argv++) {
        bool has_value = argv[1] && (argv[1][0] != '-' || !strcmp(argv[0], "-append"));
        g_autofree char *line = g_strjoin(" ", argv[0], has_value ? argv[1] : NULL, NULL);
        g_autofree char *kept = replace_line(g_steal_pointer(&line), additions,
                                             G_N_ELEMENTS(additions));

        if (kept)
            add_line(lines, argv[0], has_value ? argv[1] : NULL);
        argv += has_value;
    }
    return lines_text(lines);
}

/* ---- fixtures ---- */

static char *data_read(const char *name)
{
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "data", "command", name, NULL);
    char *text = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    return text;
}

static EmulatorCaps *caps_read(void)
{
    g_autofree char *text = data_read("facts.json");
    g_autoptr(JsonValue) facts = json_parse(text, NULL);
    g_autoptr(GError) error = NULL;
    EmulatorCaps *caps = emulator_caps_from_facts("/usr/bin/qemu-system-x86_64", facts, &error);

    g_assert_no_error(error);
    return caps;
}

static DomainDef *definition_read(const char *name)
{
    g_autofree char *file = g_strconcat(name, ".xml", NULL);
    g_autofree char *xml = data_read(file);
    g_autoptr(GError) error = NULL;
    DomainDef *def = domain_def_parse(xml, 0, &error);

    g_assert_no_error(error);
    return def;
}

static QemuCommand *command_build(const DomainDef *def, int64_t now_s, GError **error)
{
    g_autoptr(EmulatorCaps) caps = caps_read();
    g_autofree char *dir =
        g_strdup_printf("/var/lib/libvirt/qemu/domain-%d-%.20s", def->id, def->name);
    CommandContext context = {
        .state_dir = dir, .now_s = now_s, .first_fd = 3, .is_sandboxed = true
    };

    return qemu_command_build(def, caps, &context, error);
}

/* ---- tests ---- */

/* Fails for each line of @ours that @others have not. */
static void check_lines(const char *ours, const char *others, const char *what)
{
    g_auto(GStrv) lines = g_strsplit(ours, "\n", -1);
    g_auto(GStrv) other_lines = g_strsplit(others, "\n", -1);

    for (char **at = lines; *at; at++) {
        if (!g_strv_contains((const char *const *)other_lines, *at))
            g_test_fail_printf("%s: %s", what, *at);
    }
}

/* One recorded guest: the same definition gives the same command. */
static void test_recorded(const void *data)
{
    const char *name = data;
    g_autofree char *file = g_strconcat(name, ".args", NULL);
    g_autofree char *args = data_read(file);
    g_autoptr(DomainDef) def = definition_read(name);
    Recorded recorded = recorded_command(args, def->virt_type == VIRT_KVM);
    g_autoptr(GError) error = NULL;
    g_autoptr(QemuCommand) command = command_build(def, recorded.now_s, &error);
    g_autofree char *ours = NULL;

    g_assert_no_error(error);
    ours = our_command(command);
    check_lines(ours, recorded.text, "not recorded");
    check_lines(recorded.text, ours, "not built");
    if (!g_test_failed())
        g_assert_cmpstr(ours, ==, recorded.text);
    g_free(recorded.text);
}

static void add_recorded_tests(void)
{
    g_autofree char *folder = g_test_build_filename(G_TEST_DIST, "data", "command", NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;

    g_assert_nonnull(dir);
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *path = NULL;
        char *stem;

        if (!g_str_has_suffix(name, ".xml"))
            continue;
        stem = g_strndup(name, strlen(name) - strlen(".xml"));
        path = g_strconcat("/command/recorded/", stem, NULL);
        g_test_add_data_func_full(path, stem, test_recorded, g_free);
    }
}

/* Numbers and names of images, given anew, are those that the running guest had. */
static void check_same_numbers(const DiskDef *disk, const DiskDef *recorded)
{
    const DiskSource *was = recorded->source;

    for (const DiskSource *is = disk->source; is && is->path; is = is->backing, was = was->backing) {
        g_autofree char *name = g_strdup_printf("libvirt-%u-format", was->index);

        g_assert_cmpuint(is->index, ==, was->index);
        g_assert_cmpstr(is->node_name, ==, name);
    }
}

static void test_images_get_the_numbers_of_existing_installations(void)
{
    static const char *const names[] = { "disk-chain", "disk-chain-readonly", "disk-cdrom",
                                         "disk-startup-optional", "big-q35", "disk-copy-on-read" };

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(DomainDef) def = definition_read(names[i]);
        g_autoptr(DomainDef) recorded = definition_read(names[i]);
        unsigned next;

        for (guint j = 0; j < def->disks->len; j++) {
            DiskDef *disk = def->disks->pdata[j];

            for (DiskSource *source = disk->source; source; source = source->backing)
                source->index = 0;
        }
        disk_nodes_assign(def, &next);
        g_assert_cmpuint(next, >, def->disks->len);
        for (guint j = 0; j < def->disks->len; j++)
            check_same_numbers(def->disks->pdata[j], recorded->disks->pdata[j]);
    }
}

/* The inactive definition @name of data/complete, as its running guest has it, but for what is
 * not the disks'. */
static char *live_disk_text(const char *path, bool fills)
{
    g_autofree char *file = g_test_build_filename(G_TEST_DIST, "data", "complete", path, NULL);
    g_autofree char *xml = NULL;
    g_autoptr(DomainDef) def = NULL;
    GString *text = g_string_new(NULL);

    g_assert_true(g_file_get_contents(file, &xml, NULL, NULL));
    def = domain_def_parse(xml, 0, NULL);
    g_assert_nonnull(def);
    for (guint i = 0; i < def->disks->len; i++) {
        DiskDef *disk = def->disks->pdata[i];

        if (fills && disk->startup_policy == STARTUP_OPTIONAL)
            g_clear_pointer(&disk->source->path, g_free);
        if (fills)
            disk_fill_live(disk);
        if (disk->device == DISK_CDROM || disk->source->path)
            g_string_append_printf(text, "%s %d %d %d\n", disk->target, disk->cache,
                                   disk->source->format, disk->startup_policy);
    }
    return g_string_free(text, FALSE);
}

static void test_running_disks_show_what_they_are(void)
{
    g_autofree char *live = live_disk_text("pc-media-empty.live.xml", false);
    g_autofree char *filled = live_disk_text("pc-media-empty.out.xml", true);

    g_assert_cmpstr(filled, ==, live);
}

/* ---- what no recorded command has ---- */

/* A definition that is complete but for what @body says. */
static DomainDef *definition_make(const char *body, const char *devices)
{
    g_autofree char *xml = g_strdup_printf(
        "<domain type='qemu' id='3'><name>a,b</name><memory>65536</memory><vcpu>1</vcpu>"
        "<os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os><features><acpi/></features>"
        "%s<devices><emulator>/usr/bin/qemu</emulator>"
        "<controller type='pci' index='0' model='pcie-root'><alias name='pcie.0'/></controller>"
        "%s</devices></domain>", body, devices);
    g_autoptr(GError) error = NULL;
    DomainDef *def = domain_def_parse(xml, 0, &error);

    g_assert_no_error(error);
    return def;
}

static QemuCommand *command_make(const char *body, const char *devices)
{
    g_autoptr(DomainDef) def = definition_make(body, devices);
    g_autoptr(GError) error = NULL;
    QemuCommand *command = command_build(def, 0, &error);

    g_assert_no_error(error);
    return command;
}

static bool has_argument(const QemuCommand *command, const char *argument)
{
    return g_strv_contains((const char *const *)command->argv->pdata, argument);
}

/* The command for such a definition is an error of QEMU's with @code that says @message. */
static void assert_fails(const char *body, const char *devices, ErrorCode code,
                         const char *message)
{
    g_autoptr(DomainDef) def = definition_make(body, devices);
    g_autoptr(GError) error = NULL;
    g_autoptr(QemuCommand) command = command_build(def, 0, &error);

    g_assert_null(command);
    g_assert_error(error, error_quark(VIR_FROM_QEMU), (int)code);
    g_assert_nonnull(strstr(error->message, message));
}

#define ALIAS(name) "<alias name='" name "'/>"
#define SLOT(slot) "<address type='pci' slot='" slot "'/>"

static void test_a_device_that_the_emulator_lacks_is_named_with_the_emulator(void)
{
    assert_fails("", "<interface type='user'><mac address='52:54:00:00:00:01'/>"
                     "<model type='sungem2'/>" ALIAS("net0") SLOT("2") "</interface>",
                 VIR_ERR_CONFIG_UNSUPPORTED,
                 "the emulator /usr/bin/qemu-system-x86_64 has no device 'sungem2'");
}

static void test_a_machine_that_the_emulator_lacks_is_named_with_the_emulator(void)
{
    g_autoptr(DomainDef) def = definition_make("", "");
    g_autoptr(GError) error = NULL;
    g_autoptr(QemuCommand) command = NULL;

    g_free(def->os.machine);
    def->os.machine = g_strdup("pc-i440fx-99.0");
    command = command_build(def, 0, &error);
    g_assert_null(command);
    g_assert_error(error, error_quark(VIR_FROM_QEMU), VIR_ERR_CONFIG_UNSUPPORTED);
    g_assert_nonnull(strstr(error->message, "has no machine type 'pc-i440fx-99.0'"));
}

static void test_incomplete_definitions_are_errors(void)
{
    static const char *const cases[][2] = {
        { "<rng model='virtio'><backend model='random'/>" SLOT("2") "</rng>", "has no alias" },
        { "<input type='tablet' bus='usb'>" ALIAS("input0") "<address type='usb' bus='0' port='1'/>"
          "</input>", "usb controller 0" },
        { "<rng model='virtio'><backend model='random'/>" ALIAS("rng0")
          "<address type='pci' bus='7' slot='1'/></rng>", "pci controller 7" },
        { "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/a'/>"
          "<target dev='vda' bus='virtio'/>" ALIAS("virtio-disk0") SLOT("2") "</disk>",
          "an image of disk 'vda' has no number" },
        { "<disk type='file' device='disk'><source file='/a' index='1'/>"
          "<target dev='vda' bus='virtio'/>" ALIAS("virtio-disk0") SLOT("2") "</disk>",
          "an image of disk 'vda' has no format" },
        { "<channel type='unix'><source mode='bind'/><target type='virtio' name='x'/>"
          ALIAS("channel0") "</channel>", "device 'channel0' has no path" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_fails("", cases[i][0], VIR_ERR_INTERNAL_ERROR, cases[i][1]);
}

static void test_shared_disks_are_not_cached(void)
{
    g_autoptr(QemuCommand) command = command_make(
        "", "<disk type='file' device='disk'><driver name='qemu' type='raw'/>"
            "<source file='/a' index='1'/><target dev='vda' bus='virtio'/><shareable/>"
            ALIAS("virtio-disk0") SLOT("2") "</disk>");

    g_assert_true(has_argument(
        command, "{\"node-name\":\"libvirt-1-format\",\"read-only\":false,\"cache\":{\"direct\":"
                 "true,\"no-flush\":false},\"driver\":\"raw\",\"file\":\"libvirt-1-storage\"}"));
}

static void test_reconnecting_counts_as_the_emulator_does(void)
{
    g_autofree char *text = data_read("facts.json");
    g_autoptr(JsonValue) facts = json_parse(text, NULL);
    g_autoptr(EmulatorCaps) caps = NULL;
    g_autoptr(DomainDef) def = definition_read("serial-unix-connect");
    CommandContext context = { .state_dir = "/s" };
    g_autoptr(QemuCommand) command = NULL;

    json_array_append(json_object_peek(facts, "options"), json_string("chardev.reconnect-ms"));
    caps = emulator_caps_from_facts("/usr/bin/qemu", facts, NULL);
    g_assert_nonnull(caps);
    command = qemu_command_build(def, caps, &context, NULL);
    g_assert_true(has_argument(command, "socket,id=charserial1,path=/var/lib/libvirt/images/"
                                        "listening.sock,reconnect-ms=7000"));
}

static void test_vnc_needs_a_port(void)
{
    assert_fails("", "<graphics type='vnc' port='-1' autoport='yes'/>", VIR_ERR_CONFIG_UNSUPPORTED,
                 "vnc port must be in range [5900,65535]");
}

static void test_host_passthrough_needs_kvm(void)
{
    assert_fails("<cpu mode='host-passthrough'/>", "", VIR_ERR_CONFIG_UNSUPPORTED,
                 "CPU mode 'host-passthrough' for x86_64 qemu domain on x86_64 host is not "
                 "supported by hypervisor");
}

static void test_host_model_is_all_that_the_accelerator_has(void)
{
    g_autoptr(QemuCommand) command = command_make("<cpu mode='host-model'/>", "");

    g_assert_true(has_argument(command, "max"));
}

static void test_flags_without_a_model_are_of_the_machine_s_own(void)
{
    g_autoptr(QemuCommand) command = command_make(
        "<clock offset='utc'><timer name='kvmclock' present='no'/></clock>", "");

    g_assert_true(has_argument(command, "qemu64,kvmclock=off"));
}

static void test_a_domain_that_ends_at_reboot_says_so(void)
{
    g_autoptr(QemuCommand) ends = command_make("<on_reboot>destroy</on_reboot>", "");
    g_autoptr(QemuCommand) stays = command_make("<on_reboot>restart</on_reboot>", "");

    g_assert_true(has_argument(ends, "reboot=shutdown"));
    g_assert_false(has_argument(stays, "reboot=shutdown"));
}

static void test_commas_in_names_are_doubled(void)
{
    g_autoptr(QemuCommand) command = command_make("", "");

    g_assert_true(has_argument(command, "guest=a,,b,debug-threads=on"));
}

static void test_itco_is_part_of_the_chip_set(void)
{
    g_autoptr(QemuCommand) command = command_make(
        "", "<watchdog model='itco' action='reset'>" ALIAS("watchdog0") "</watchdog>");

    g_assert_true(has_argument(command, "ICH9-LPC.noreboot=off"));
    g_assert_true(has_argument(command, "-watchdog-action"));
}

static void test_vsock_gets_a_descriptor_and_the_cid(void)
{
    g_autoptr(QemuCommand) command = command_make(
        "", "<vsock model='virtio'><cid auto='no' address='7'/>" ALIAS("vsock0") SLOT("2")
            "</vsock>");
    const CommandFd *fd = &g_array_index(command->fds, CommandFd, 1);

    g_assert_cmpint(fd->kind, ==, COMMAND_FD_VSOCK);
    g_assert_cmpuint(fd->cid, ==, 7);
    g_assert_true(has_argument(
        command, "{\"driver\":\"vhost-vsock-pci\",\"id\":\"vsock0\",\"bus\":\"pcie.0\","
                 "\"addr\":\"0x2\",\"guest-cid\":7,\"vhostfd\":\"4\"}"));
}

static void test_descriptors_are_said_with_kind_number_and_path(void)
{
    g_autoptr(DomainDef) def = definition_read("serial-files");
    g_autoptr(QemuCommand) command = command_build(def, 0, NULL);
    static const struct {
        CommandFdKind kind;
        const char *alias, *path;
        bool is_append;
    } wanted[] = {
        { COMMAND_FD_MONITOR, NULL, NULL, false },
        { COMMAND_FD_OUTPUT, "serial0", "/var/lib/libvirt/images/a.log", true },
        { COMMAND_FD_OUTPUT, "serial1", "/var/lib/libvirt/images/b.log", false },
        { COMMAND_FD_OUTPUT, "serial2", "/var/lib/libvirt/images/c.log", true },
        { COMMAND_FD_OUTPUT, "serial3", "/var/lib/libvirt/images/d.log", false },
        { COMMAND_FD_OUTPUT, "serial3", "/var/lib/libvirt/images/e.log", false },
    };

    g_assert_nonnull(command);
    g_assert_cmpuint(command->fds->len, ==, G_N_ELEMENTS(wanted));
    for (guint i = 0; i < G_N_ELEMENTS(wanted); i++) {
        const CommandFd *fd = &g_array_index(command->fds, CommandFd, i);

        g_assert_cmpint(fd->kind, ==, wanted[i].kind);
        g_assert_cmpint(fd->number, ==, 3 + (int)i);
        g_assert_cmpstr(fd->alias, ==, wanted[i].alias);
        if (wanted[i].path)
            g_assert_cmpstr(fd->path, ==, wanted[i].path);
        g_assert_cmpint(fd->is_append, ==, wanted[i].is_append);
    }
}

/* What is to be as it was for every guest, whatever is asked of a definition. */
static void test_configuration_reaches_the_command(void)
{
    g_autoptr(DomainDef) def = definition_make(
        "", "<graphics type='vnc' port='5901' autoport='no'/>");
    g_autoptr(EmulatorCaps) caps = caps_read();
    CommandContext context = { .state_dir = "/s", .search_path = "/p", .vnc_listen = "::",
                               .first_fd = 9, .dump_guest_core = true,
                               .without_log_timestamps = true, .has_vnc_password = true };
    g_autoptr(QemuCommand) command = qemu_command_build(def, caps, &context, NULL);

    g_assert_nonnull(command);
    g_assert_cmpint(g_array_index(command->fds, CommandFd, 0).number, ==, 9);
    g_assert_cmpstr(g_array_index(command->fds, CommandFd, 0).path, ==, "/s/monitor.sock");
    g_assert_true(has_argument(command, "[::]:1,password=on"));
    g_assert_false(has_argument(command, "-sandbox"));
    g_assert_false(has_argument(command, "-msg"));
    g_assert_true(has_argument(
        command, "pc-q35-7.2,usb=off,dump-guest-core=on,memory-backend=pc.ram"));
    g_assert_true(g_strv_contains((const char *const *)command->env->pdata, "PATH=/p"));
}

#define ADD(name) g_test_add_func("/command/" #name, test_##name)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_recorded_tests();
    ADD(images_get_the_numbers_of_existing_installations);
    ADD(running_disks_show_what_they_are);
    ADD(a_device_that_the_emulator_lacks_is_named_with_the_emulator);
    ADD(a_machine_that_the_emulator_lacks_is_named_with_the_emulator);
    ADD(incomplete_definitions_are_errors);
    ADD(shared_disks_are_not_cached);
    ADD(reconnecting_counts_as_the_emulator_does);
    ADD(vnc_needs_a_port);
    ADD(host_passthrough_needs_kvm);
    ADD(host_model_is_all_that_the_accelerator_has);
    ADD(flags_without_a_model_are_of_the_machine_s_own);
    ADD(a_domain_that_ends_at_reboot_says_so);
    ADD(commas_in_names_are_doubled);
    ADD(itco_is_part_of_the_chip_set);
    ADD(vsock_gets_a_descriptor_and_the_cid);
    ADD(descriptors_are_said_with_kind_number_and_path);
    ADD(configuration_reaches_the_command);
    return g_test_run();
}
