/* Networks: there is one of every name. Calls wait as the name says; events come from
 * defining one and, many at once, from setting autostart to their number. */
#include <string.h>

#include "base/error.h"
#include "common/client.h"
#include "common/events.h"
#include "kitd.h"
#include "wire/remote.h"
#include "wire/remote_network.h"

#define MIB (1024 * 1024)

static Kitd *call_get_kitd(Call *call)
{
    return daemon_get_driver_data(call_get_daemon(call));
}

static void network_fill(remote_nonnull_network *net, const char *name)
{
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_MD5);
    gsize length = sizeof(net->uuid);

    net->name = g_strdup(name);
    g_checksum_update(checksum, (const guchar *)name, (gssize)strlen(name));
    g_checksum_get_digest(checksum, (guint8 *)net->uuid, &length);
}

static char *network_key(const remote_nonnull_network *net)
{
    return g_base64_encode((const guchar *)net->uuid, sizeof(net->uuid));
}

static void network_emit(Daemon *daemon, const remote_nonnull_network *net, int detail)
{
    g_autofree char *key = network_key(net);
    remote_network_event_lifecycle_msg message = { .net = *net, .event = 0, .detail = detail };
    Event event = {
        .family = EVENT_NETWORK,
        .object = key,
        .program = REMOTE_PROGRAM,
        .procedure = REMOTE_PROC_NETWORK_EVENT_LIFECYCLE,
        .codec = (xdrproc_t)xdr_remote_network_event_lifecycle_msg,
        .message = &message,
    };

    events_emit(daemon, &event);
}

static bool define_xml(Call *call, const remote_network_define_xml_args *args,
                       remote_network_define_xml_ret *ret, GError **error)
{
    network_fill(&ret->net, args->xml);
    network_emit(call_get_daemon(call), &ret->net, 0);
    return true;
}

static bool set_autostart(Call *call, const remote_network_set_autostart_args *args, none *ret,
                          GError **error)
{
    for (int i = 0; i < args->autostart; i++)
        network_emit(call_get_daemon(call), &args->net, i);
    return true;
}

static bool lookup_by_name(Call *call, const remote_network_lookup_by_name_args *args,
                           remote_network_lookup_by_name_ret *ret, GError **error)
{
    network_fill(&ret->net, args->name);
    return true;
}

static bool get_bridge_name(Call *call, const remote_network_get_bridge_name_args *args,
                            remote_network_get_bridge_name_ret *ret, GError **error)
{
    if (!kitd_wait(call_get_kitd(call), args->net.name, error))
        return false;
    ret->name = g_strdup(args->net.name);
    return true;
}

static bool destroy(Call *call, const remote_network_destroy_args *args, none *ret, GError **error)
{
    return kitd_wait(call_get_kitd(call), args->net.name, error);
}

static bool get_xml_desc(Call *call, const remote_network_get_xml_desc_args *args,
                         remote_network_get_xml_desc_ret *ret, GError **error)
{
    ret->xml = g_strnfill(kitd_number(args->net.name) * MIB, 'x');
    return true;
}

static bool undefine(Call *call, const remote_network_undefine_args *args, none *ret,
                     GError **error)
{
    Daemon *daemon = call_get_daemon(call);

    if (strcmp(args->net.name, "inhibit") == 0)
        daemon_inhibit_idle(daemon);
    else if (strcmp(args->net.name, "uninhibit") == 0)
        daemon_uninhibit_idle(daemon);
    return true;
}

static bool num_of_networks(Call *call, const none *args, remote_connect_num_of_networks_ret *ret,
                            GError **error)
{
    ret->num = call_get_kitd(call)->n_waiting;
    return true;
}

static bool num_of_defined(Call *call, const none *args,
                           remote_connect_num_of_defined_networks_ret *ret, GError **error)
{
    ret->num = call_get_kitd(call)->n_done;
    return true;
}

static bool register_any(Call *call, const remote_connect_network_event_register_any_args *args,
                         remote_connect_network_event_register_any_ret *ret, GError **error)
{
    g_autofree char *key = args->net ? network_key(args->net) : NULL;

    /* To be registered when the client has gone, perhaps. */
    if (args->net && !kitd_wait(call_get_kitd(call), args->net->name, error))
        return false;
    return events_register(call, EVENT_NETWORK, args->eventID, key, NULL,
                           &ret->callbackID, error);
}

static bool deregister_any(Call *call,
                           const remote_connect_network_event_deregister_any_args *args, none *ret,
                           GError **error)
{
    return events_deregister(call_get_client(call), EVENT_NETWORK, args->callbackID, error);
}

static const Procedure procedures[] = {
    PROCEDURE(REMOTE_PROC_CONNECT_NUM_OF_NETWORKS, num_of_networks, none,
              remote_connect_num_of_networks_ret),
    PROCEDURE(REMOTE_PROC_CONNECT_NUM_OF_DEFINED_NETWORKS, num_of_defined, none,
              remote_connect_num_of_defined_networks_ret),
    PROCEDURE(REMOTE_PROC_NETWORK_DEFINE_XML, define_xml, remote_network_define_xml_args,
              remote_network_define_xml_ret),
    PROCEDURE(REMOTE_PROC_NETWORK_SET_AUTOSTART, set_autostart,
              remote_network_set_autostart_args, none),
    PROCEDURE(REMOTE_PROC_NETWORK_LOOKUP_BY_NAME, lookup_by_name,
              remote_network_lookup_by_name_args, remote_network_lookup_by_name_ret),
    PROCEDURE(REMOTE_PROC_NETWORK_GET_BRIDGE_NAME, get_bridge_name,
              remote_network_get_bridge_name_args, remote_network_get_bridge_name_ret),
    PROCEDURE(REMOTE_PROC_NETWORK_DESTROY, destroy, remote_network_destroy_args, none),
    PROCEDURE(REMOTE_PROC_NETWORK_UNDEFINE, undefine, remote_network_undefine_args, none),
    PROCEDURE(REMOTE_PROC_NETWORK_GET_XML_DESC, get_xml_desc, remote_network_get_xml_desc_args,
              remote_network_get_xml_desc_ret),
    PROCEDURE(REMOTE_PROC_CONNECT_NETWORK_EVENT_REGISTER_ANY, register_any,
              remote_connect_network_event_register_any_args,
              remote_connect_network_event_register_any_ret),
    PROCEDURE(REMOTE_PROC_CONNECT_NETWORK_EVENT_DEREGISTER_ANY, deregister_any,
              remote_connect_network_event_deregister_any_args, none),
};

const ProcedureTable kitd_network_procedures = { REMOTE_PROGRAM, procedures,
                                                 G_N_ELEMENTS(procedures) };
