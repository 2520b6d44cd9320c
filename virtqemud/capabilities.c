/* What host and emulators together can do, and the version of the hypervisor. The host is read
 * anew for each call, emulators are remembered (qemu/caps_store.h). */
#include "virtqemud/host_procedures.h"

#include "base/error.h"
#include "fiber/offload.h"
#include "virtqemud/driver.h"
#include "virtqemud/host/host_capabilities.h"
#include "virtqemud/host/host_cpu.h"
#include "virtqemud/host/host_uuid.h"
#include "virtqemud/qemu/capabilities_xml.h"
#include "wire/remote.h"
#include "wire/remote_node.h"

/* What a thread reads of the host. */
typedef struct HostWork {
    const HostRoots *roots;
    char *configured_uuid; /* a copy: the configuration may be replaced meanwhile */
    bool from_machine_id;
    HostCapabilities *capabilities;
    HostProcessor processor;
    Uuid uuid;
    bool needs_uuid;
} HostWork;

static void host_work_clear(HostWork *work)
{
    host_capabilities_free(work->capabilities);
    g_free(work->configured_uuid);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HostWork, host_work_clear)

static bool read_host_in_thread(void *data, GError **error)
{
    HostWork *work = data;

    if (work->needs_uuid)
        host_uuid_choose(work->roots, work->configured_uuid, work->from_machine_id,
                         "/etc/machine-id", &work->uuid);
    host_processor_read(work->roots, &work->processor);
    return host_capabilities_read(work->roots, &work->capabilities, error);
}

/* A UUID that was made up stays the same as long as the daemon lives. */
static SUSPENDS bool read_host(Driver *driver, HostWork *work, GError **error)
{
    const DaemonConfig *config = daemon_get_config(driver->daemon);

    work->roots = driver->roots;
    work->configured_uuid = g_strdup(config->host_uuid);
    work->from_machine_id = config->host_uuid_source == 1;
    work->needs_uuid = !uuid_is_valid(&driver->host_uuid);
    if (!fiber_offload(read_host_in_thread, work, error))
        return false;
    if (!uuid_is_valid(&driver->host_uuid))
        driver->host_uuid = work->uuid;
    return true;
}

/* Files belong to whom guests run as: confined by ownership, beside what the kernel has. A
 * session's guests run as the daemon, which confines nothing. */
static void format_host(const Driver *driver, HostWork *work, XmlWriter *writer)
{
    char uuid[UUID_TEXT_SIZE];
    const QemuUser *run_as = &driver->conf->run_as;
    g_autofree char *label = g_strdup_printf("+%u:+%u", (guint) run_as->uid, (guint) run_as->gid);
    const HostSecmodel secmodels[] = {
        { driver->security_model.name, driver->security_model.doi, NULL, NULL },
        { "dac", "0", label, label },
    };
    const HostIdentity identity = {
        .uuid = uuid_format(&driver->host_uuid, uuid),
        .secmodels = secmodels,
        .n_secmodels = daemon_get_paths(driver->daemon)->is_privileged ? 2 : 1,
        .format_cpu = host_processor_format,
        .format_cpu_data = &work->processor,
    };

    host_capabilities_format(work->capabilities, &identity, writer);
}

static bool connect_get_capabilities(Call *call, const none *args,
                                     remote_connect_get_capabilities_ret *ret, GError **error)
{
    Driver *driver = driver_of(call, error);
    g_auto(HostWork) work = { 0 };
    g_autoptr(GArray) guests = NULL;
    g_autoptr(XmlWriter) writer = NULL;

    if (!driver || !emulator_store_get_guests(driver->emulators, &guests, error) ||
        !read_host(driver, &work, error))
        return false;
    writer = xml_writer_new();
    xml_writer_open(writer, "capabilities");
    xml_writer_blank_line(writer);
    format_host(driver, &work, writer);
    xml_writer_blank_line(writer);
    capabilities_format_guests(guests, writer);
    xml_writer_close(writer);
    ret->capabilities = xml_writer_finish(writer);
    return true;
}

/* That of the emulator which runs guests of the host's own kind. */
static bool connect_get_version(Call *call, const none *args, remote_connect_get_version_ret *ret,
                                GError **error)
{
    Driver *driver = driver_of(call, error);
    g_autofree char *path = emulator_find_for_arch(emulator_host_arch());
    g_autoptr(EmulatorCaps) caps = NULL;

    if (!driver)
        return false;
    if (!path) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                  "Cannot find suitable emulator for %s", emulator_host_arch());
        return false;
    }
    if (!emulator_store_get(driver->emulators, path, &caps, error))
        return false;
    ret->hv_ver = emulator_caps_get_version(caps);
    return true;
}

static const Procedure procedures[] = {
    PROCEDURE(REMOTE_PROC_CONNECT_GET_CAPABILITIES, connect_get_capabilities, none,
              remote_connect_get_capabilities_ret),
    PROCEDURE(REMOTE_PROC_CONNECT_GET_VERSION, connect_get_version, none,
              remote_connect_get_version_ret),
};

const ProcedureTable capabilities_procedures = { REMOTE_PROGRAM, procedures,
                                                 G_N_ELEMENTS(procedures) };
