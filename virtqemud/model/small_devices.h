/* Devices with little to say: <rng>, <memballoon>, <panic>, <vsock> (and
 * <watchdog>, which is in its own header). */
#pragma once

#include "virtqemud/model/device_info.h"
#include "virtqemud/model/virtio.h"
#include "virtqemud/model/watchdog.h"

typedef struct RngDef {
    DeviceInfo info;
    VirtioOptions virtio;
    VirtioModel model;
    bool is_builtin;      /* <backend model='builtin'>; else 'random' */
    char *source;         /* of random: "/dev/urandom"; NULL: QEMU's default /dev/random */
    unsigned rate_bytes, rate_period_ms; /* 0: none given */
} RngDef;

typedef struct BalloonDef {
    DeviceInfo info;
    VirtioOptions virtio;
    bool is_none;         /* model='none' */
    VirtioModel model;
    XmlTristate auto_deflate, free_page_reporting; /* on/off */
    int stats_period_s;   /* 0: none */
} BalloonDef;

typedef enum PanicModel { PANIC_DEFAULT, PANIC_ISA, PANIC_PVPANIC, PANIC_HYPERV, N_PANIC_MODELS } PanicModel;
typedef struct PanicDef {
    DeviceInfo info;
    PanicModel model;
} PanicDef;

typedef struct VsockDef {
    DeviceInfo info;
    VirtioOptions virtio;
    VirtioModel model;
    unsigned cid;         /* 0: none given */
    XmlTristate auto_cid;
} VsockDef;

bool rng_def_parse(const XmlNode *rng, DomainParseFlags flags, RngDef **ret, GError **error);
void rng_def_format(const RngDef *rng, XmlWriter *writer, DomainFormatFlags flags);
void rng_def_free(RngDef *rng);

BalloonDef *balloon_def_new(void);
bool balloon_def_parse(const XmlNode *balloon, DomainParseFlags flags, BalloonDef **ret,
                       GError **error);
void balloon_def_format(const BalloonDef *balloon, XmlWriter *writer, DomainFormatFlags flags);
void balloon_def_free(BalloonDef *balloon);

bool panic_def_parse(const XmlNode *panic, DomainParseFlags flags, PanicDef **ret, GError **error);
void panic_def_format(const PanicDef *panic, XmlWriter *writer, DomainFormatFlags flags);
void panic_def_free(PanicDef *panic);
bool panic_def_validate(const PanicDef *panic, GError **error);

bool vsock_def_parse(const XmlNode *vsock, DomainParseFlags flags, VsockDef **ret, GError **error);
void vsock_def_format(const VsockDef *vsock, XmlWriter *writer, DomainFormatFlags flags);
void vsock_def_free(VsockDef *vsock);
bool vsock_def_validate(const VsockDef *vsock, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RngDef, rng_def_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BalloonDef, balloon_def_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PanicDef, panic_def_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VsockDef, vsock_def_free)
