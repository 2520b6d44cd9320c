/* eventd: the daemon kit with a driver that only makes events. Each definition and removal
 * of a secret is reported to all who registered for life-cycle events, and nothing is kept:
 * what a fan-out costs is then the kit's cost. Started by run.py in virtsecretd's place. */
#include "common/call.h"
#include "common/events.h"
#include "common/main.h"
#include "wire/api_secret.h"
#include "wire/remote.h"
#include "wire/remote_secret.h"

static bool event_register(Call *call, const remote_connect_secret_event_register_any_args *args,
                           remote_connect_secret_event_register_any_ret *ret, GError **error)
{
    return events_register(call, EVENT_SECRET, args->eventID, NULL, NULL,
                           &ret->callbackID, error);
}

static void emit(Call *call, const remote_nonnull_secret *secret, int event)
{
    const remote_secret_event_lifecycle_msg message = { .secret = *secret, .event = event };
    const Event lifecycle = {
        .family = EVENT_SECRET,
        .event_id = VIR_SECRET_EVENT_ID_LIFECYCLE,
        .object = "secret",
        .program = REMOTE_PROGRAM,
        .procedure = REMOTE_PROC_SECRET_EVENT_LIFECYCLE,
        .codec = (xdrproc_t)xdr_remote_secret_event_lifecycle_msg,
        .message = &message,
    };
    events_emit(call_get_daemon(call), &lifecycle);
}

static bool secret_define(Call *call, const remote_secret_define_xml_args *args,
                          remote_secret_define_xml_ret *ret, GError **error)
{
    ret->secret.usageID = g_strdup("");
    emit(call, &ret->secret, VIR_SECRET_EVENT_DEFINED);
    return true;
}

static bool secret_undefine(Call *call, const remote_secret_undefine_args *args, none *ret,
                            GError **error)
{
    emit(call, &args->secret, VIR_SECRET_EVENT_UNDEFINED);
    return true;
}

static const Procedure procedures[] = {
    PROCEDURE(REMOTE_PROC_CONNECT_SECRET_EVENT_REGISTER_ANY, event_register,
              remote_connect_secret_event_register_any_args,
              remote_connect_secret_event_register_any_ret),
    PROCEDURE(REMOTE_PROC_SECRET_DEFINE_XML, secret_define, remote_secret_define_xml_args,
              remote_secret_define_xml_ret),
    PROCEDURE(REMOTE_PROC_SECRET_UNDEFINE, secret_undefine, remote_secret_undefine_args, none),
};
static const ProcedureTable table = { REMOTE_PROGRAM, procedures, G_N_ELEMENTS(procedures) };
static const ProcedureTable *const tables[] = { &table, NULL };

static const DaemonSpec spec = {
    .name = "virtsecretd",
    .summary = "measures the fan-out of events",
    .config = CONFIG_VIRTSECRETD,
    .uri_scheme = "secret",
    .driver_type = "secret",
    .owner = WIRE_OWNER_SECRET,
    .tables = tables,
};

int main(int argc, char **argv)
{
    return daemon_main(&spec, argc, argv);
}
