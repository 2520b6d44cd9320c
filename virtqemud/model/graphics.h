/* What a guest shows, and where: <graphics> (vnc), <video>, and the <audio> that comes with
 * graphics. */
#pragma once

#include "virtqemud/model/device_info.h"
#include "virtqemud/model/virtio.h"

typedef enum GraphicsType { GRAPHICS_VNC, N_GRAPHICS_TYPES } GraphicsType;
typedef enum ListenType { LISTEN_NONE, LISTEN_ADDRESS, LISTEN_SOCKET, N_LISTEN_TYPES } ListenType;
typedef enum VncShare { VNC_SHARE_DEFAULT, VNC_SHARE_EXCLUSIVE, VNC_SHARE_FORCE, VNC_SHARE_IGNORE, N_VNC_SHARES } VncShare;

typedef struct GraphicsDef {
    GraphicsType type;
    int port;            /* -1: chosen at start */
    bool is_autoport;
    int websocket;       /* 0: none; -1: chosen at start */
    char *keymap;
    VncShare share_policy;
    char *password;      /* shown with DOMAIN_FORMAT_SECURE only */
    char *password_valid_to; /* "2026-01-01T00:00:00"; NULL */
    enum { GRAPHICS_CONNECTED_DEFAULT, GRAPHICS_CONNECTED_FAIL, GRAPHICS_CONNECTED_DISCONNECT, GRAPHICS_CONNECTED_KEEP } connected;
    XmlTristate power_control;
    ListenType listen;
    char *listen_address; /* NULL: qemu.conf's vnc_listen */
    bool is_listen_from_config; /* the address came from qemu.conf when it started */
    char *socket;         /* of LISTEN_SOCKET */
    bool is_socket_from_config;
} GraphicsDef;

typedef enum VideoModel {
    VIDEO_DEFAULT, VIDEO_VGA, VIDEO_CIRRUS, VIDEO_VMVGA, VIDEO_QXL, VIDEO_VIRTIO, VIDEO_BOCHS,
    VIDEO_RAMFB, VIDEO_NONE, N_VIDEO_MODELS
} VideoModel;
extern const char *const video_model_names[N_VIDEO_MODELS];

typedef struct VideoDef {
    DeviceInfo info;
    VideoModel model;
    unsigned ram_kib, vram_kib, vram64_kib, vgamem_kib; /* 0: none given */
    unsigned heads;        /* 0: none given */
    bool is_primary, has_primary;
    XmlTristate accel3d;
    unsigned resolution_x, resolution_y; /* 0: none given */
    VirtioOptions virtio;
    enum { VIDEO_DRIVER_DEFAULT, VIDEO_DRIVER_QEMU, VIDEO_DRIVER_VHOSTUSER } driver;
} VideoDef;

typedef struct AudioDef {
    unsigned id;
    char *type; /* "none" */
} AudioDef;

bool graphics_def_parse(const XmlNode *graphics, DomainParseFlags flags,
                        GraphicsDef **ret_graphics, GError **error);
void graphics_def_format(const GraphicsDef *graphics, XmlWriter *writer, DomainFormatFlags flags);
void graphics_def_free(GraphicsDef *graphics);
bool graphics_def_validate(const GraphicsDef *graphics, GError **error);

VideoDef *video_def_new(VideoModel model);
bool video_def_parse(const XmlNode *video, DomainParseFlags flags, VideoDef **ret_video,
                     GError **error);
void video_def_format(const VideoDef *video, XmlWriter *writer, DomainFormatFlags flags);
void video_def_free(VideoDef *video);
/* Memory and heads that a card of its model has when nobody says; nothing while the model is not
 * chosen. Parsing does it, and who chooses the model must. */
void video_def_fill(VideoDef *video);
bool video_def_validate(const VideoDef *video, GError **error);

bool audio_def_parse(const XmlNode *audio, AudioDef **ret_audio, GError **error);
void audio_def_format(const AudioDef *audio, XmlWriter *writer);
void audio_def_free(AudioDef *audio);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GraphicsDef, graphics_def_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VideoDef, video_def_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AudioDef, audio_def_free)
