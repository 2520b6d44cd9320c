/* -vnc, -audiodev and the keyboard's map. */
#include <string.h>

#include "base/error.h"
#include "virtqemud/qemu/command_private.h"

/* Displays of VNC count from this port (RFC 6143, section 4). */
#define VNC_PORT_BASE 5900

static const char *const share_policies[N_VNC_SHARES] = {
    [VNC_SHARE_EXCLUSIVE] = "allow-exclusive",
    [VNC_SHARE_FORCE] = "force-shared",
    [VNC_SHARE_IGNORE] = "ignore",
};

/* Types of <audio> that QEMU calls otherwise. */
static const char *audio_driver(const AudioDef *audio)
{
    if (!g_strcmp0(audio->type, "pulseaudio"))
        return "pa";
    if (!g_strcmp0(audio->type, "file"))
        return "wav";
    return audio->type ? audio->type : "none";
}

static char *audio_id(const AudioDef *audio)
{
    return g_strdup_printf("audio%u", audio->id);
}

static void add_audios(CommandBuilder *builder)
{
    const GPtrArray *audios = builder->scope.def->audios;

    for (guint i = 0; i < audios->len; i++) {
        const AudioDef *audio = audios->pdata[i];
        g_autofree char *id = audio_id(audio);
        JsonValue *value = json_object();

        json_object_put_string(value, "id", id);
        json_object_put_string(value, "driver", audio_driver(audio));
        command_add_json(builder, "-audiodev", value);
    }
}

/* ---- VNC ---- */

/* ADDRESS:DISPLAY. */
static char *vnc_address(const CommandBuilder *builder, const GraphicsDef *graphics,
                         GError **error)
{
    const char *address = graphics->listen_address       ? graphics->listen_address
                          : builder->context->vnc_listen ? builder->context->vnc_listen
                                                         : "127.0.0.1";
    g_autofree char *escaped = command_escape(address);
    bool is_ipv6 = strchr(address, ':') && address[0] != '[';

    if (graphics->port < VNC_PORT_BASE || graphics->port > G_MAXUINT16) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                  "vnc port must be in range [%d,%d]", VNC_PORT_BASE, G_MAXUINT16);
        return NULL;
    }
    return g_strdup_printf("%s%s%s:%d", is_ipv6 ? "[" : "", escaped, is_ipv6 ? "]" : "",
                           graphics->port - VNC_PORT_BASE);
}

/* The part before the first comma; to be freed. */
static char *vnc_display(const CommandBuilder *builder, const GraphicsDef *graphics,
                         GError **error)
{
    g_autofree char *escaped = NULL;

    switch (graphics->listen) {
    case LISTEN_NONE:
        return g_strdup("none");
    case LISTEN_SOCKET:
        if (!graphics->socket) {
            error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                      "the socket of the vnc server has no path");
            return NULL;
        }
        escaped = command_escape(graphics->socket);
        return g_strconcat("vnc=unix:", escaped, NULL);
    default:
        return vnc_address(builder, graphics, error);
    }
}

static bool add_vnc(CommandBuilder *builder, const GraphicsDef *graphics, GError **error)
{
    const GPtrArray *audios = builder->scope.def->audios;
    g_autofree char *display = vnc_display(builder, graphics, error);
    g_autofree char *audio = audios->len ? audio_id(audios->pdata[0]) : NULL;
    JsonValue *options;

    if (!display)
        return false;
    options = json_object();
    if (graphics->websocket > 0)
        json_object_put_int64(options, "websocket", graphics->websocket);
    json_object_put_string(options, "share", share_policies[graphics->share_policy]);
    device_json_put_switch(options, "power-control", graphics->power_control);
    if (graphics->password || builder->context->has_vnc_password)
        json_object_put_bool(options, "password", true);
    json_object_put_string(options, "audiodev", audio);
    if (!command_add_keyval(builder, "-vnc", display, options, error))
        return false;
    if (graphics->keymap)
        command_add(builder, "-k", graphics->keymap);
    return true;
}

bool command_add_graphics(CommandBuilder *builder, GError **error)
{
    const GPtrArray *graphics = builder->scope.def->graphics;

    add_audios(builder);
    for (guint i = 0; i < graphics->len; i++) {
        if (!add_vnc(builder, graphics->pdata[i], error))
            return false;
    }
    return true;
}
