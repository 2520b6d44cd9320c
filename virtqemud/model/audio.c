/* <audio>. Graphics come with one of type none; others need parts of QEMU that are not built
 * yet. */
#include "base/enum_names.h"
#include "virtqemud/model/fields.h"
#include "virtqemud/model/graphics.h"

/* The manual's "Audio backends". */
static const char *const type_names[] = {
    "none", "alsa",  "coreaudio", "jack", "oss",      "pulseaudio",
    "sdl",  "spice", "file",      "dbus", "pipewire",
};

void audio_def_free(AudioDef *audio)
{
    if (!audio)
        return;
    g_free(audio->type);
    g_free(audio);
}

bool audio_def_parse(const XmlNode *node, AudioDef **ret_audio, GError **error)
{
    g_autoptr(AudioDef) audio = g_new0(AudioDef, 1);
    int type = 0;

    if (!xml_attr_uint(node, "id", XML_REQUIRED | XML_NONZERO, 0, &audio->id, error) ||
        !xml_attr_enum(node, "type", XML_REQUIRED, type_names, G_N_ELEMENTS(type_names), 0, &type,
                       error))
        return false;
    if (type != 0)
        return model_fail(error, VIR_ERR_CONFIG_UNSUPPORTED, "audio type '%s' is not supported",
                          type_names[type]);
    audio->type = g_strdup(type_names[type]);
    *ret_audio = g_steal_pointer(&audio);
    return true;
}

void audio_def_format(const AudioDef *audio, XmlWriter *writer)
{
    xml_writer_open(writer, "audio");
    xml_writer_attr(writer, "id", "%u", audio->id);
    xml_writer_attr_string(writer, "type", audio->type);
    xml_writer_close(writer);
}
