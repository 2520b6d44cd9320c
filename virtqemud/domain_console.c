/* What a guest shows: its consoles, its channels, its screen. */
#include "virtqemud/domain_procedures.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/stream.h"
#include "json/write.h"
#include "virtqemud/domain_call.h"
#include "virtqemud/guest/console.h"
#include "virtqemud/guest/guest.h"
#include "wire/api_domain.h"
#include "wire/remote.h"
#include "wire/remote_domain_guest.h"

#define CHUNK_BYTES 65536

/* ---- Consoles and channels ---- */

static const ChardevDef *find_alias(const GPtrArray *chardevs, const char *alias)
{
    for (guint i = 0; i < chardevs->len; i++) {
        const ChardevDef *chardev = chardevs->pdata[i];

        if (g_strcmp0(chardev->info.alias, alias) == 0)
            return chardev;
    }
    return NULL;
}

/* By alias; without one the first console, or else the first serial line. */
static const ChardevDef *find_console(const DomainDef *def, const char *alias, GError **error)
{
    const ChardevDef *found = NULL;

    if (alias) {
        found = find_alias(def->consoles, alias);
        if (!found)
            found = find_alias(def->serials, alias);
    } else if (def->consoles->len > 0) {
        found = def->consoles->pdata[0];
    } else if (def->serials->len > 0) {
        found = def->serials->pdata[0];
    }
    if (!found)
        error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "cannot find character device %s",
                  alias ? alias : "<null>");
    return found;
}

/* By its name, or else by its alias; without one the first channel. */
static const ChardevDef *find_channel(const DomainDef *def, const char *name, GError **error)
{
    for (guint i = 0; i < def->channels->len; i++) {
        const ChardevDef *channel = def->channels->pdata[i];

        if (!name || g_strcmp0(channel->channel_name, name) == 0 ||
            g_strcmp0(channel->info.alias, name) == 0)
            return channel;
    }
    error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "cannot find channel %s",
              name ? name : "<null>");
    return NULL;
}

typedef const ChardevDef *(*FindFunc)(const DomainDef *def, const char *name, GError **error);

static bool open_device(Call *call, remote_nonnull_domain wire, FindFunc find,
                        const remote_string name, bool force, GError **error)
{
    Driver *driver;
    Domain *domain = call_get_domain(call, wire, &driver, error);
    Guest *guest = domain ? guest_of(domain, error) : NULL;
    const ChardevDef *chardev = guest ? find(guest->def, name ? *name : NULL, error) : NULL;
    bool is_open = chardev && console_open(call, guest, chardev, force, error);

    object_unref(domain);
    return is_open;
}

/* A session here is always a safe one: it is the only one. */
static bool domain_open_console(Call *call, const remote_domain_open_console_args *args, none *ret,
                                GError **error)
{
    return call_check_flags("virDomainOpenConsole", args->flags,
                            VIR_DOMAIN_CONSOLE_FORCE | VIR_DOMAIN_CONSOLE_SAFE, error) &&
           open_device(call, args->dom, find_console, args->dev_name,
                       args->flags & VIR_DOMAIN_CONSOLE_FORCE, error);
}

static bool domain_open_channel(Call *call, const remote_domain_open_channel_args *args, none *ret,
                                GError **error)
{
    return call_check_flags("virDomainOpenChannel", args->flags, VIR_DOMAIN_CHANNEL_FORCE, error) &&
           open_device(call, args->dom, find_channel, args->name,
                       args->flags & VIR_DOMAIN_CHANNEL_FORCE, error);
}

/* ---- Screen ---- */

/* A file that QEMU writes a picture to and the stream reads: it has no name any more then. */
static int make_picture_file(const Guest *guest, char **ret_path, GError **error)
{
    const QemuUser *user = &guest->conf->run_as;
    g_autofree char *path = g_build_filename(guest->lib_dir, "screendump.XXXXXX", NULL);
    int fd = mkostemp(path, O_CLOEXEC);

    if (fd >= 0 && user->is_switched && fchown(fd, user->uid, user->gid) < 0) {
        int saved_errno = errno;

        close(fd);
        unlink(path);
        fd = -1;
        errno = saved_errno;
    }
    if (fd < 0)
        error_set_errno(error, VIR_FROM_QEMU, errno, "Cannot make the file %s", path);
    else
        *ret_path = g_steal_pointer(&path);
    return fd;
}

/* The video device that has screen number @screen, and the screen's number there. */
static const VideoDef *find_screen(const DomainDef *def, unsigned screen, unsigned *ret_head)
{
    for (guint i = 0; i < def->videos->len; i++) {
        const VideoDef *video = def->videos->pdata[i];
        unsigned heads = video->model == VIDEO_NONE ? 0 : MAX(video->heads, 1);

        if (screen < heads) {
            *ret_head = screen;
            return video;
        }
        screen -= heads;
    }
    return NULL;
}

static bool take_picture(Guest *guest, QmpSession *monitor, unsigned screen, const char *path,
                         GError **error)
{
    JsonValue *arguments;
    const VideoDef *video;
    unsigned head = 0;

    video = find_screen(guest->def, screen, &head);
    if (!video) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID,
                  guest->def->videos->len ? "no such screen ID"
                                          : "no screens to take screenshot from");
        return false;
    }
    arguments = json_object();
    json_object_put_string(arguments, "filename", path);
    json_object_put_string(arguments, "device", video->info.alias);
    json_object_put_int64(arguments, "head", head);
    json_object_put_string(arguments, "format", "png");
    return qmp_execute(monitor, "screendump", arguments, fiber_deadline_ms(GUEST_ANSWER_MS), NULL,
                       error);
}

static void send_picture(Stream *stream, void *data)
{
    g_autofree char *buffer = g_malloc(CHUNK_BYTES);
    int fd = GPOINTER_TO_INT(data);
    ssize_t n;

    while ((n = read(fd, buffer, CHUNK_BYTES)) > 0) {
        if (!stream_send(stream, buffer, (size_t)n, NULL))
            return;
    }
    stream_finish(stream, NULL);
}

static void close_picture(void *data)
{
    close(GPOINTER_TO_INT(data));
}

static bool open_picture(Call *call, Guest *guest, QmpSession *monitor, unsigned screen,
                         GError **error)
{
    g_autofree char *path = NULL;
    int fd = make_picture_file(guest, &path, error);
    bool is_taken;

    if (fd < 0)
        return false;
    is_taken = take_picture(guest, monitor, screen, path, error);
    unlink(path);
    if (is_taken && stream_open(call, send_picture, GINT_TO_POINTER(fd), close_picture, error))
        return true;
    close(fd);
    return false;
}

static bool domain_screenshot(Call *call, const remote_domain_screenshot_args *args,
                              remote_domain_screenshot_ret *ret, GError **error)
{
    g_autoptr(QmpSession) monitor = NULL;
    g_autoptr(Guest) guest = NULL;
    Driver *driver;
    Domain *domain = NULL;
    bool is_open = false;

    if (call_check_flags("virDomainScreenshot", args->flags, 0, error))
        domain = call_get_domain(call, args->dom, &driver, error);
    if (!domain)
        return false;
    monitor = guest_monitor_of(domain, error);
    if (monitor) {
        guest = guest_ref(domain->guest);
        is_open = open_picture(call, guest, monitor, args->screen, error);
    }
    if (is_open) {
        ret->mime = g_new(remote_nonnull_string, 1);
        *ret->mime = g_strdup("image/png");
    }
    object_unref(domain);
    return is_open;
}

static const Procedure procedures[] = {
    PROCEDURE(REMOTE_PROC_DOMAIN_OPEN_CONSOLE, domain_open_console, remote_domain_open_console_args,
              none),
    PROCEDURE(REMOTE_PROC_DOMAIN_OPEN_CHANNEL, domain_open_channel, remote_domain_open_channel_args,
              none),
    PROCEDURE(REMOTE_PROC_DOMAIN_SCREENSHOT, domain_screenshot, remote_domain_screenshot_args,
              remote_domain_screenshot_ret),
};

const ProcedureTable domain_console_procedures = { REMOTE_PROGRAM, procedures,
                                                   G_N_ELEMENTS(procedures) };
