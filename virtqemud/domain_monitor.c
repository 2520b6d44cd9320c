/* QEMU's own language, for clients that speak it: commands to a guest's monitor. */
#include "virtqemud/domain_procedures.h"

#include <unistd.h>

#include "virtqemud/domain_call.h"
#include "virtqemud/guest/guest.h"
#include "wire/api_qemu.h"
#include "wire/qemu.h"

/* What a client asks of QEMU may take its time (a migration that it waits for). */
#define COMMAND_MS (5 * 60 * 1000)

static bool monitor_command(Call *call, remote_nonnull_domain wire, const char *text,
                            unsigned flags, int fd, char **ret_result, GError **error)
{
    uint64_t deadline_us = fiber_deadline_ms(COMMAND_MS);
    g_autoptr(QmpSession) monitor = NULL;
    Driver *driver;
    Domain *domain = call_get_domain(call, wire, &driver, error);

    if (domain)
        monitor = guest_monitor_of(domain, error);
    if (monitor)
        guest_note_raw_command(domain->guest);
    object_unref(domain);
    /* A descriptor goes with a command of the machine's protocol only. */
    if (fd >= 0 && (!monitor || flags & VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP))
        close(fd);
    if (!monitor)
        return false;
    if (flags & VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP)
        return qmp_execute_hmp(monitor, text, deadline_us, ret_result, error);
    return qmp_execute_raw(monitor, text, fd, deadline_us, ret_result, error);
}

static bool domain_monitor_command(Call *call, const qemu_domain_monitor_command_args *args,
                                   qemu_domain_monitor_command_ret *ret, GError **error)
{
    return call_check_flags("virDomainQemuMonitorCommand", args->flags,
                            VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP, error) &&
           monitor_command(call, args->dom, args->cmd, args->flags, -1, &ret->result, error);
}

/* QEMU takes a descriptor with a command of its protocol, and gives none back. */
static bool domain_monitor_command_with_files(
    Call *call, const qemu_domain_monitor_command_with_files_args *args,
    qemu_domain_monitor_command_with_files_ret *ret, GError **error)
{
    return call_check_flags("virDomainQemuMonitorCommandWithFiles", args->flags,
                            VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP, error) &&
           monitor_command(call, args->dom, args->cmd, args->flags, call_take_fd(call, 0),
                           &ret->result, error);
}

static const Procedure procedures[] = {
    PROCEDURE(QEMU_PROC_DOMAIN_MONITOR_COMMAND, domain_monitor_command,
              qemu_domain_monitor_command_args, qemu_domain_monitor_command_ret),
    PROCEDURE(QEMU_PROC_DOMAIN_MONITOR_COMMAND_WITH_FILES, domain_monitor_command_with_files,
              qemu_domain_monitor_command_with_files_args,
              qemu_domain_monitor_command_with_files_ret),
};

const ProcedureTable domain_monitor_procedures = { QEMU_PROGRAM, procedures,
                                                   G_N_ELEMENTS(procedures) };
