#include "virtlogd/procedures.h"

#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "common/call.h"
#include "virtlogd/logs.h"
#include "wire/log.h"

/* May wait, in the first moments of the daemon. The logs stay until no call is left. */
SUSPENDS static Logs *logs_of(Call *call, GError **error)
{
    Daemon *daemon = call_get_daemon(call);

    return daemon_wait_started(daemon, error) ? daemon_get_driver_data(daemon) : NULL;
}

static bool check_flags(Call *call, unsigned flags, unsigned supported, GError **error)
{
    return call_check_flags(call_get_wire(call)->name, flags, supported, error);
}

/* As one spelling of it, and the state file takes text only. To be freed; NULL on error. */
static char *check_path(const char *path, GError **error)
{
    if (!g_path_is_absolute(path)) {
        error_set(error, VIR_FROM_LOGGING, VIR_ERR_INVALID_ARG,
                  "the path of a log must be absolute, and '%s' is not", path);
        return NULL;
    }
    if (!g_utf8_validate(path, -1, NULL)) {
        error_set(error, VIR_FROM_LOGGING, VIR_ERR_INVALID_ARG,
                  "the path of a log must be UTF-8 text");
        return NULL;
    }
    return g_canonicalize_filename(path, NULL);
}

static bool open_log_file(Call *call, const virLogManagerProtocolDomainOpenLogFileArgs *args,
                          virLogManagerProtocolDomainOpenLogFileRet *ret, GError **error)
{
    const unsigned truncate = VIR_LOG_MANAGER_PROTOCOL_DOMAIN_OPEN_LOG_FILE_TRUNCATE;
    g_autofree char *path = check_path(args->path, error);
    LogOwner owner = { .driver = args->driver, .domain = args->dom.name };
    LogPosition position;
    Logs *logs;
    int write_fd;
    bool is_sent;

    memcpy(owner.uuid.bytes, args->dom.uuid, UUID_LENGTH);
    if (!path || !check_flags(call, args->flags, truncate, error) ||
        !(logs = logs_of(call, error)) ||
        !logs_open(logs, path, &owner, args->flags & truncate, &position, &write_fd, error))
        return false;
    ret->pos.inode = position.inode;
    ret->pos.offset = position.offset;
    is_sent = call_add_reply_fd(call, write_fd, error);
    /* If that failed it was the last writer, and the log ends at once. */
    close(write_fd);
    return is_sent;
}

static bool get_log_file_position(Call *call,
                                  const virLogManagerProtocolDomainGetLogFilePositionArgs *args,
                                  virLogManagerProtocolDomainGetLogFilePositionRet *ret,
                                  GError **error)
{
    g_autofree char *path = check_path(args->path, error);
    LogPosition position;
    Logs *logs;

    if (!path || !check_flags(call, args->flags, 0, error) || !(logs = logs_of(call, error)) ||
        !logs_get_position(logs, path, &position, error))
        return false;
    ret->pos.inode = position.inode;
    ret->pos.offset = position.offset;
    return true;
}

static bool read_log_file(Call *call, const virLogManagerProtocolDomainReadLogFileArgs *args,
                          virLogManagerProtocolDomainReadLogFileRet *ret, GError **error)
{
    g_autofree char *path = check_path(args->path, error);
    const LogPosition from = { args->pos.inode, args->pos.offset };
    Logs *logs;

    if (!path || !check_flags(call, args->flags, 0, error))
        return false;
    if (args->maxlen > VIR_LOG_MANAGER_PROTOCOL_STRING_MAX) {
        error_set(error, VIR_FROM_LOGGING, VIR_ERR_INTERNAL_ERROR,
                  "Requested data len %" G_GUINT64_FORMAT " is larger than maximum %d",
                  (uint64_t)args->maxlen, VIR_LOG_MANAGER_PROTOCOL_STRING_MAX);
        return false;
    }
    logs = logs_of(call, error);
    return logs && logs_read(logs, path, &from, args->maxlen, &ret->data, error);
}

static bool append_log_file(Call *call, const virLogManagerProtocolDomainAppendLogFileArgs *args,
                            virLogManagerProtocolDomainAppendLogFileRet *ret, GError **error)
{
    g_autofree char *path = check_path(args->path, error);
    Logs *logs;

    return path && check_flags(call, args->flags, 0, error) && (logs = logs_of(call, error)) &&
           logs_append(logs, path, args->message, error);
}

static const Procedure procedures[] = {
    PROCEDURE(VIR_LOG_MANAGER_PROTOCOL_PROC_DOMAIN_OPEN_LOG_FILE, open_log_file,
              virLogManagerProtocolDomainOpenLogFileArgs,
              virLogManagerProtocolDomainOpenLogFileRet),
    PROCEDURE(VIR_LOG_MANAGER_PROTOCOL_PROC_DOMAIN_GET_LOG_FILE_POSITION, get_log_file_position,
              virLogManagerProtocolDomainGetLogFilePositionArgs,
              virLogManagerProtocolDomainGetLogFilePositionRet),
    PROCEDURE(VIR_LOG_MANAGER_PROTOCOL_PROC_DOMAIN_READ_LOG_FILE, read_log_file,
              virLogManagerProtocolDomainReadLogFileArgs,
              virLogManagerProtocolDomainReadLogFileRet),
    PROCEDURE(VIR_LOG_MANAGER_PROTOCOL_PROC_DOMAIN_APPEND_LOG_FILE, append_log_file,
              virLogManagerProtocolDomainAppendLogFileArgs,
              virLogManagerProtocolDomainAppendLogFileRet),
};

const ProcedureTable log_procedures = { VIR_LOG_MANAGER_PROTOCOL_PROGRAM, procedures,
                                        G_N_ELEMENTS(procedures) };
