/* The words of errors. Codes whose wording is seen by users today keep it to the letter;
 * the others say what the reference manual says about the code. */
#include "base/error.h"

#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#define QUARK_PREFIX "splitvirt-error-"

/* A message without detail is @alone; one with detail has it between @before and @after,
 * or after "ALONE: " where these are NULL. */
typedef struct Wording {
    const char *alone;
    const char *before;
    const char *after;
} Wording;

/* The words that clients show and scripts match. */
static const Wording wordings[] = {
    [VIR_ERR_OK] = { "no error" },
    [VIR_ERR_INTERNAL_ERROR] = { "internal error" },
    [VIR_ERR_NO_MEMORY] = { "out of memory" },
    [VIR_ERR_NO_SUPPORT] = { "this function is not supported by the connection driver" },
    [VIR_ERR_UNKNOWN_HOST] = { "could not resolve hostname" },
    [VIR_ERR_NO_CONNECT] = { "no connection driver available",
                            "no connection driver available for ", "" },
    [VIR_ERR_INVALID_CONN] = { "invalid connection object" },
    [VIR_ERR_INVALID_DOMAIN] = { "invalid domain object" },
    [VIR_ERR_INVALID_ARG] = { "invalid argument" },
    [VIR_ERR_OPERATION_FAILED] = { "operation failed" },
    [VIR_ERR_GET_FAILED] = { "HTTP GET failed" },
    [VIR_ERR_POST_FAILED] = { "HTTP POST failed" },
    [VIR_ERR_HTTP_ERROR] = { "unexpected HTTP error code" },
    [VIR_ERR_SEXPR_SERIAL] = { "cannot serialize S-expression" },
    [VIR_ERR_NO_XEN] = { "cannot open Xen hypervisor control" },
    [VIR_ERR_XEN_CALL] = { "hypervisor call failed" },
    [VIR_ERR_OS_TYPE] = { "unknown OS type" },
    [VIR_ERR_NO_KERNEL] = { "missing kernel information" },
    [VIR_ERR_NO_ROOT] = { "missing root device information" },
    [VIR_ERR_NO_SOURCE] = { "missing source information for device",
                            "missing source information for device ", "" },
    [VIR_ERR_NO_TARGET] = { "missing target information for device",
                            "missing target information for device ", "" },
    [VIR_ERR_NO_NAME] = { "missing name information" },
    [VIR_ERR_NO_OS] = { "missing operating system information" },
    [VIR_ERR_NO_DEVICE] = { "missing devices information" },
    [VIR_ERR_NO_XENSTORE] = { "cannot open Xen Store control" },
    [VIR_ERR_DRIVER_FULL] = { "too many drivers registered" },
    [VIR_ERR_CALL_FAILED] = { "not supported by the drivers" },
    [VIR_ERR_XML_ERROR] = { "XML error" },
    [VIR_ERR_DOM_EXIST] = { "domain exists already" },
    [VIR_ERR_OPERATION_DENIED] = { "operation forbidden" },
    [VIR_ERR_OPEN_FAILED] = { "cannot open configuration file" },
    [VIR_ERR_READ_FAILED] = { "cannot read configuration file" },
    [VIR_ERR_PARSE_FAILED] = { "cannot parse configuration file" },
    [VIR_ERR_CONF_SYNTAX] = { "configuration file syntax error" },
    [VIR_ERR_WRITE_FAILED] = { "cannot write configuration file" },
    [VIR_ERR_XML_DETAIL] = { "XML document is not well formed", "", "" },
    [VIR_ERR_INVALID_NETWORK] = { "invalid network object" },
    [VIR_ERR_NETWORK_EXIST] = { "network exists already" },
    [VIR_ERR_SYSTEM_ERROR] = { "system call failed", "", "" },
    [VIR_ERR_RPC] = { "RPC error", "", "" },
    [VIR_ERR_GNUTLS_ERROR] = { "GNUTLS call failed" },
    [VIR_WAR_NO_NETWORK] = { "network driver could not start" },
    [VIR_ERR_NO_DOMAIN] = { "Domain not found" },
    [VIR_ERR_NO_NETWORK] = { "Network not found" },
    [VIR_ERR_INVALID_MAC] = { "invalid MAC address" },
    [VIR_ERR_AUTH_FAILED] = { "authentication failed" },
    [VIR_ERR_INVALID_STORAGE_POOL] = { "invalid storage pool object" },
    [VIR_ERR_INVALID_STORAGE_VOL] = { "invalid storage volume object" },
    [VIR_WAR_NO_STORAGE] = { "storage driver could not start" },
    [VIR_ERR_NO_STORAGE_POOL] = { "Storage pool not found" },
    [VIR_ERR_NO_STORAGE_VOL] = { "Storage volume not found" },
    [VIR_WAR_NO_NODE] = { "node device driver could not start" },
    [VIR_ERR_INVALID_NODE_DEVICE] = { "invalid node device object" },
    [VIR_ERR_NO_NODE_DEVICE] = { "Node device not found" },
    [VIR_ERR_NO_SECURITY_MODEL] = { "Security model not found" },
    [VIR_ERR_OPERATION_INVALID] = { "Requested operation is not valid" },
    [VIR_WAR_NO_INTERFACE] = { "interface driver could not start" },
    [VIR_ERR_NO_INTERFACE] = { "Interface not found" },
    [VIR_ERR_INVALID_INTERFACE] = { "invalid interface object" },
    [VIR_ERR_MULTIPLE_INTERFACES] = { "more than one interface matches" },
    [VIR_WAR_NO_NWFILTER] = { "network filter driver could not start" },
    [VIR_ERR_INVALID_NWFILTER] = { "invalid network filter object" },
    [VIR_ERR_NO_NWFILTER] = { "Network filter not found" },
    [VIR_ERR_BUILD_FIREWALL] = { "cannot build firewall" },
    [VIR_WAR_NO_SECRET] = { "secret driver could not start" },
    [VIR_ERR_INVALID_SECRET] = { "Invalid secret" },
    [VIR_ERR_NO_SECRET] = { "Secret not found" },
    [VIR_ERR_CONFIG_UNSUPPORTED] = { "unsupported configuration" },
    [VIR_ERR_OPERATION_TIMEOUT] = { "operation timed out" },
    [VIR_ERR_MIGRATE_PERSIST_FAILED] = { "migrated domain could not be made persistent" },
    [VIR_ERR_HOOK_SCRIPT_FAILED] = { "hook script failed" },
    [VIR_ERR_INVALID_DOMAIN_SNAPSHOT] = { "invalid domain snapshot" },
    [VIR_ERR_NO_DOMAIN_SNAPSHOT] = { "Domain snapshot not found" },
    [VIR_ERR_INVALID_STREAM] = { "invalid stream object" },
    [VIR_ERR_ARGUMENT_UNSUPPORTED] = { "argument unsupported" },
    [VIR_ERR_STORAGE_PROBE_FAILED] = { "storage pool probe failed" },
    [VIR_ERR_STORAGE_POOL_BUILT] = { "storage pool is already built" },
    [VIR_ERR_SNAPSHOT_REVERT_RISKY] = { "risky snapshot revert needs force" },
    [VIR_ERR_OPERATION_ABORTED] = { "operation aborted" },
    [VIR_ERR_AUTH_CANCELLED] = { "authentication cancelled" },
    [VIR_ERR_NO_DOMAIN_METADATA] = { "metadata not found" },
    [VIR_ERR_MIGRATE_UNSAFE] = { "migration is not safe" },
    [VIR_ERR_OVERFLOW] = { "numerical overflow" },
    [VIR_ERR_BLOCK_COPY_ACTIVE] = { "prevented by a block copy job" },
    [VIR_ERR_OPERATION_UNSUPPORTED] = { "Operation not supported" },
    [VIR_ERR_SSH] = { "SSH transport error" },
    [VIR_ERR_AGENT_UNRESPONSIVE] = { "guest agent is unresponsive" },
    [VIR_ERR_RESOURCE_BUSY] = { "resource busy" },
    [VIR_ERR_ACCESS_DENIED] = { "access denied" },
    [VIR_ERR_DBUS_SERVICE] = { "D-Bus service error" },
    [VIR_ERR_STORAGE_VOL_EXIST] = { "storage volume exists already", "storage volume ",
                                    " exists already" },
    [VIR_ERR_CPU_INCOMPATIBLE] = { "CPU is incompatible with the host CPU" },
    [VIR_ERR_XML_INVALID_SCHEMA] = { "XML document failed to validate against schema" },
    [VIR_ERR_MIGRATE_FINISH_OK] = { "migration finished without a domain to return" },
    [VIR_ERR_AUTH_UNAVAILABLE] = { "authentication unavailable" },
    [VIR_ERR_NO_SERVER] = { "Server not found" },
    [VIR_ERR_NO_CLIENT] = { "Client not found" },
    [VIR_ERR_AGENT_UNSYNCED] = { "guest agent answered out of turn" },
    [VIR_ERR_LIBSSH] = { "libssh transport error" },
    [VIR_ERR_DEVICE_MISSING] = { "device not found" },
    [VIR_ERR_INVALID_NWFILTER_BINDING] = { "invalid network filter binding" },
    [VIR_ERR_NO_NWFILTER_BINDING] = { "Network filter binding not found" },
    [VIR_ERR_INVALID_DOMAIN_CHECKPOINT] = { "invalid domain checkpoint" },
    [VIR_ERR_NO_DOMAIN_CHECKPOINT] = { "Domain checkpoint not found" },
    [VIR_ERR_NO_DOMAIN_BACKUP] = { "Domain backup job id not found" },
    [VIR_ERR_INVALID_NETWORK_PORT] = { "invalid network port object" },
    [VIR_ERR_NETWORK_PORT_EXIST] = { "network port exists already" },
    [VIR_ERR_NO_NETWORK_PORT] = { "network port not found" },
    [VIR_ERR_NO_HOSTNAME] = { "no hostname found" },
    [VIR_ERR_CHECKPOINT_INCONSISTENT] = { "checkpoint cannot be used" },
    [VIR_ERR_MULTIPLE_DOMAINS] = { "more than one domain matches" },
    [VIR_ERR_NO_NETWORK_METADATA] = { "network metadata not found" },
    [VIR_ERR_AGENT_COMMAND_TIMEOUT] = { "guest agent command timed out" },
    [VIR_ERR_AGENT_COMMAND_FAILED] = { "guest agent command failed" },
};

static const Wording unknown_wording = { "unknown error" };

/* Codes come from peers too, newer ones than ours among them. */
static const Wording *wording_of(int code)
{
    if (code < 0 || (gsize) code >= G_N_ELEMENTS(wordings) || wordings[code].alone == NULL)
        return &unknown_wording;
    return &wordings[code];
}

/* The number of the domain is part of the name: no table of quarks has to be kept. */
GQuark error_quark(ErrorFrom from)
{
    char name[sizeof(QUARK_PREFIX) + 12];

    g_snprintf(name, sizeof(name), QUARK_PREFIX "%d", (int) from);
    return g_quark_from_string(name);
}

/* Whether the domain is one of error_quark. */
static bool is_ours(const GError *error)
{
    const char *name = g_quark_to_string(error->domain);

    return name != NULL && g_str_has_prefix(name, QUARK_PREFIX);
}

ErrorFrom error_get_from(const GError *error)
{
    const char *name = g_quark_to_string(error->domain);

    if (!is_ours(error))
        return VIR_FROM_NONE;
    return (ErrorFrom) g_ascii_strtoll(name + strlen(QUARK_PREFIX), NULL, 10);
}

/* For an error that comes from a peer without a text of its own. */
const char *error_prefix(ErrorCode code)
{
    return wording_of(code)->alone;
}

/* Takes @detail, which may be NULL. */
static void set_with_detail(GError **error, ErrorFrom from, ErrorCode code, char *detail)
{
    g_autofree char *owned = detail;
    const Wording *wording = wording_of(code);
    GQuark quark = error_quark(from);

    if (owned == NULL)
        g_set_error_literal(error, quark, (int) code, wording->alone);
    else if (wording->before == NULL)
        g_set_error(error, quark, (int) code, "%s: %s", wording->alone, owned);
    else
        g_set_error(error, quark, (int) code, "%s%s%s", wording->before, owned, wording->after);
}

void error_set(GError **error, ErrorFrom from, ErrorCode code, const char *format, ...)
{
    va_list args;

    if (error == NULL)
        return;
    if (format == NULL) {
        set_with_detail(error, from, code, NULL);
        return;
    }
    va_start(args, format);
    set_with_detail(error, from, code, g_strdup_vprintf(format, args));
    va_end(args);
}

bool error_fail(GError **error, ErrorFrom from, ErrorCode code, const char *format, ...)
{
    va_list args;

    if (error == NULL)
        return false;
    va_start(args, format);
    set_with_detail(error, from, code, g_strdup_vprintf(format, args));
    va_end(args);
    return false;
}

/* The caller's errno is not changed by this, but may be by what it calls: it comes as an
 * argument. */
void error_set_errno(GError **error, ErrorFrom from, int errnum, const char *format, ...)
{
    g_autofree char *detail = NULL;
    va_list args;

    if (error == NULL)
        return;
    if (format == NULL) {
        set_with_detail(error, from, VIR_ERR_SYSTEM_ERROR, g_strdup(g_strerror(errnum)));
        return;
    }
    va_start(args, format);
    detail = g_strdup_vprintf(format, args);
    va_end(args);
    set_with_detail(error, from, VIR_ERR_SYSTEM_ERROR,
                    g_strdup_printf("%s: %s", detail, g_strerror(errnum)));
}

const char *error_detail(const GError *error)
{
    const Wording *wording = wording_of(error->code);
    const char *start = wording->before != NULL ? wording->before : wording->alone;
    const char *rest = error->message;

    /* What stands inside a sentence cannot be had without the rest of it. */
    if (!is_ours(error) || (wording->after != NULL && wording->after[0] != '\0') ||
        !g_str_has_prefix(rest, start))
        return rest;
    rest += strlen(start);
    if (wording->before != NULL)
        return rest;
    return g_str_has_prefix(rest, ": ") ? rest + 2 : error->message;
}
