#include "virtqemud/guest/lost.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "fiber/process.h"
#include "virtqemud/definitions.h"
#include "virtqemud/guest/guest.h"
#include "virtqemud/qemu/alias.h"
#include "virtqemud/qemu/arch.h"
#include "wire/api_domain.h"

/* Command lines of large guests are some ten thousand bytes. */
#define PROC_MAX (4 * 1024 * 1024)
#define PID_FILE_MAX 32
#define EMULATOR_PREFIX "qemu-system-"
/* Behind every number that its images can have been given by now. */
#define NEXT_NODE 1000000

/* ---- What a process says of itself ---- */

/* /proc/PID/NAME as an array of strings; NULL when it has gone. */
static char **read_strings(pid_t pid, const char *name)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/%s", (int)pid, name);
    g_autoptr(GPtrArray) strings = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *text = NULL;
    size_t length;

    if (!file_read_all(path, PROC_MAX, &text, &length, NULL) || length == 0)
        return NULL;
    for (const char *at = text; at < text + length; at += strlen(at) + 1)
        g_ptr_array_add(strings, g_strdup(at));
    g_ptr_array_add(strings, NULL);
    return (char **)g_ptr_array_steal(strings, NULL);
}

/* What follows @option; NULL when it is not there. */
static const char *option_of(char **argv, const char *option)
{
    for (guint i = 1; argv[0] && argv[i]; i++) {
        if (strcmp(argv[i], option) == 0)
            return argv[i + 1];
    }
    return NULL;
}

/* "guest=NAME" or "guest=NAME,...", in which a comma of the name is doubled. */
static bool names_guest(const char *value, const char *name)
{
    g_auto(GStrv) parts = g_strsplit(name, ",", -1);
    g_autofree char *escaped = g_strjoinv(",,", parts);
    g_autofree char *wanted = g_strconcat("guest=", escaped, NULL);
    size_t length = strlen(wanted);

    return value && strncmp(value, wanted, length) == 0 &&
           (value[length] == '\0' || (value[length] == ',' && value[length + 1] != ','));
}

/* The start time is read first: whoever has the number later has another. */
bool lost_process_is_guest(pid_t pid, const char *name, uint64_t *ret_start_time)
{
    uint64_t start_time = process_start_time(pid);
    g_auto(GStrv) argv = read_strings(pid, "cmdline");

    if (!argv || !names_guest(option_of(argv, "-name"), name))
        return false;
    *ret_start_time = start_time;
    return true;
}

pid_t lost_guest_find(const Driver *driver, const char *name, uint64_t *ret_start_time)
{
    g_autofree char *file = g_strconcat(name, ".pid", NULL);
    g_autofree char *path = g_build_filename(driver->folders->run_dir, file, NULL);
    g_autofree char *text = NULL;
    int pid;

    if (!file_read_if_exists(path, PID_FILE_MAX, &text, NULL, NULL) || !text ||
        sscanf(text, "%d", &pid) != 1 || pid <= 0 ||
        !lost_process_is_guest(pid, name, ret_start_time))
        return 0;
    return pid;
}

/* QEMU keeps what it writes for itself in the guest's folder, domain-ID-NAME. */
static bool find_folder(const Driver *driver, pid_t pid, char **ret_folder, int *ret_id)
{
    g_auto(GStrv) envp = read_strings(pid, "environ");
    const char *home = envp ? g_environ_getenv(envp, "HOME") : NULL;
    g_autofree char *prefix = g_build_filename(driver->lib_dir, "domain-", NULL);

    if (!home || !g_str_has_prefix(home, prefix) || strchr(home + strlen(prefix), '/') ||
        sscanf(home + strlen(prefix), "%d", ret_id) != 1 || *ret_id <= 0)
        return false;
    *ret_folder = g_strdup(home);
    return true;
}

/* ---- The definition ---- */

static void write_os(XmlWriter *writer, char **argv)
{
    const char *program = strrchr(argv[0], '/');
    const char *options = option_of(argv, "-machine");
    g_autofree char *machine = options ? g_strndup(options, strcspn(options, ",")) : NULL;
    const Arch *arch;

    program = program ? program + 1 : argv[0];
    arch = g_str_has_prefix(program, EMULATOR_PREFIX)
               ? arch_find_target(program + strlen(EMULATOR_PREFIX))
               : NULL;
    xml_writer_open(writer, "os");
    xml_writer_open(writer, "type");
    xml_writer_attr_string(writer, "arch", arch ? arch->name : arch_find_host()->name);
    if (machine)
        xml_writer_attr_string(writer, "machine", machine);
    xml_writer_text(writer, "hvm");
    xml_writer_close(writer);
    xml_writer_close(writer);
}

/* As our own command line and that of existing daemons have it: "size=1024k", or "1024" MiB. */
static uint64_t memory_kib_of(char **argv)
{
    const char *text = option_of(argv, "-m");
    unsigned long long size;

    if (!text)
        return 0;
    if (g_str_has_prefix(text, "size="))
        text += strlen("size=");
    if (sscanf(text, "%llu", &size) != 1)
        return 0;
    return text[strspn(text, "0123456789")] == 'k' ? size : size * 1024;
}

/* A guest that has no definition: what can be told without asking for each of its devices. */
static DomainDef *def_from_process(char **argv, const char *name, GError **error)
{
    g_autoptr(XmlWriter) writer = xml_writer_new();
    g_autofree char *memory = g_strdup_printf("%" G_GUINT64_FORMAT, MAX(memory_kib_of(argv), 1));
    const char *accel = option_of(argv, "-accel");
    g_autofree char *xml = NULL;

    xml_writer_open(writer, "domain");
    xml_writer_attr_string(writer, "type",
                           virt_type_names[accel && g_str_has_prefix(accel, "kvm") ? VIRT_KVM
                                                                                    : VIRT_QEMU]);
    xml_writer_element_string(writer, "name", name);
    if (option_of(argv, "-uuid"))
        xml_writer_element_string(writer, "uuid", option_of(argv, "-uuid"));
    xml_writer_element_string(writer, "memory", memory);
    write_os(writer, argv);
    xml_writer_open(writer, "devices");
    xml_writer_element_string(writer, "emulator", argv[0]);
    xml_writer_close(writer);
    xml_writer_close(writer);
    xml = xml_writer_finish(writer);
    return domain_def_parse(xml, 0, error);
}

/* The persistent one, if it is that of the guest. */
static DomainDef *find_definition(Driver *driver, char **argv, const char *name)
{
    Domain *domain = object_store_find_name(driver->domains, name);
    const char *text = option_of(argv, "-uuid");
    const DomainDef *definition = NULL;
    DomainDef *def = NULL;
    Uuid uuid;

    if (domain && domain->is_persistent && text && uuid_parse(text, &uuid, NULL) &&
        uuid_equal(&uuid, &domain->object.uuid))
        definition = definitions_get(driver->definitions, domain, NULL);
    if (definition) {
        def = domain_def_copy(definition);
        domain_def_assign_aliases(def);
    }
    object_unref(domain);
    return def;
}

bool lost_guest_recover(Driver *driver, const char *name, GuestStatus *ret_status, GError **error)
{
    g_auto(GuestStatus) status = { .state = VIR_DOMAIN_RUNNING,
                                   .reason = VIR_DOMAIN_RUNNING_UNKNOWN,
                                   .phase = GUEST_UP,
                                   .next_node = NEXT_NODE };
    g_auto(GStrv) argv = NULL;
    int id = driver->last_id + 1;

    status.pid = lost_guest_find(driver, name, &status.start_time);
    argv = status.pid ? read_strings(status.pid, "cmdline") : NULL;
    if (!argv)
        return false;
    status.def = find_definition(driver, argv, name);
    if (!status.def)
        status.def = def_from_process(argv, name, error);
    if (!status.def)
        return false;
    find_folder(driver, status.pid, &status.lib_dir, &id);
    status.def->id = id;
    *ret_status = status;
    memset(&status, 0, sizeof(status));
    return true;
}

bool lost_guest_check_start(const Driver *driver, const Domain *domain, GError **error)
{
    g_autofree char *path = NULL;
    uint64_t start_time;
    pid_t pid = lost_guest_find(driver, domain->object.name, &start_time);

    if (!pid)
        return true;
    path = state_live_path(driver->folders, domain->object.name);
    error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED,
              "guest '%s' still runs as process %d, whose state file %s cannot be used: end it "
              "before the domain is started",
              domain->object.name, (int)pid, path);
    return false;
}
