/* Serial ports and consoles. The first <console> of a guest with a serial port is that port seen
 * with other eyes, a leftover of the time when there were consoles only (manual: "Relationship
 * between serial ports and consoles"). */
#include <string.h>

#include "base/error.h"
#include "virtqemud/qemu/complete_steps.h"

/* What a target is made of, and where its device can be. */
static const struct {
    const char *name;
    ChardevModel model;
    AddressType address;
} serial_targets[N_CHARDEV_TARGETS] = {
    [CHARDEV_TARGET_ISA_SERIAL] = { "isa-serial", CHARDEV_MODEL_ISA_SERIAL, ADDRESS_ISA },
    [CHARDEV_TARGET_USB_SERIAL] = { "usb-serial", CHARDEV_MODEL_USB_SERIAL, ADDRESS_USB },
    [CHARDEV_TARGET_PCI_SERIAL] = { "pci-serial", CHARDEV_MODEL_PCI_SERIAL, ADDRESS_PCI },
    [CHARDEV_TARGET_ISA_DEBUG] = { "isa-debug", CHARDEV_MODEL_ISA_DEBUGCON, ADDRESS_ISA },
};

static bool serial_complete(ChardevDef *serial, GError **error)
{
    AddressType type = serial->info.address.type;

    if (serial->target == CHARDEV_TARGET_NONE)
        serial->target = CHARDEV_TARGET_ISA_SERIAL;
    if (serial->model == CHARDEV_MODEL_NONE)
        serial->model = serial_targets[serial->target].model;
    if (type == ADDRESS_NONE || type == serial_targets[serial->target].address)
        return true;
    error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
              "Target type '%s' requires address type '%s'", serial_targets[serial->target].name,
              address_type_names[serial_targets[serial->target].address]);
    return false;
}

/* Numbers that are missing follow the highest that is given, wherever it stands. */
static bool serials_complete(DomainDef *def, GError **error)
{
    int last = -1;

    for (guint i = 0; i < def->serials->len; i++) {
        ChardevDef *serial = g_ptr_array_index(def->serials, i);

        if (!serial_complete(serial, error))
            return false;
        last = MAX(last, serial->port);
    }
    for (guint i = 0; i < def->serials->len; i++) {
        ChardevDef *serial = g_ptr_array_index(def->serials, i);

        if (serial->port < 0)
            serial->port = last = last < G_MAXINT ? last + 1 : last;
    }
    return true;
}

static ChardevDef *first_of(const GPtrArray *chardevs)
{
    return chardevs->len > 0 ? g_ptr_array_index(chardevs, 0) : NULL;
}

static bool is_serial_console(const ChardevDef *console)
{
    return console && console->target == CHARDEV_TARGET_SERIAL;
}

/* The port that a lone console stands for has all that the console had. */
static ChardevDef *serial_of_console(const ChardevDef *console)
{
    ChardevDef *serial = chardev_def_new(CHARDEV_SERIAL, console->source.type);

    chardev_source_copy(&console->source, &serial->source);
    serial->info.alias = g_strdup(console->info.alias);
    return serial;
}

/* Whether the socket was made by a daemon for a guest that ran: "channel/target/domain-ID-NAME/"
 * or "channel/ID-NAME/" with the channel's name, and "channel/target/NAME.CHANNEL" of old. */
static bool is_own_socket(const char *path, const char *name)
{
    static const char folder[] = "/libvirt/qemu/channel/";
    static const char target[] = "target/", domain[] = "domain-";
    const char *at = strstr(path, folder), *file;
    bool is_target;

    if (!at)
        return false;
    at += strlen(folder);
    is_target = g_str_has_prefix(at, target);
    if (is_target)
        at += strlen(target);
    file = strchr(at, '/');
    if (!file)
        return is_target && strchr(at, '.');
    if (is_target ? !g_str_has_prefix(at, domain) : at[strspn(at, G_CSET_DIGITS)] != '-')
        return false;
    return name ? strcmp(file + 1, name) == 0 : !strchr(file + 1, '/');
}

/* The next guest gets a socket of its own: what is defined may be what a running guest showed. */
static void own_sockets_forget(DomainDef *def)
{
    for (guint i = 0; i < def->channels->len; i++) {
        ChardevDef *channel = g_ptr_array_index(def->channels, i);
        ChardevSource *source = &channel->source;

        if (source->type != CHARDEV_UNIX || !source->path ||
            !is_own_socket(source->path, channel->channel_name))
            continue;
        g_clear_pointer(&source->path, g_free);
        source->is_listening = false;
    }
}

bool complete_chardevs(DomainDef *def, GError **error)
{
    own_sockets_forget(def);
    /* The number that a <console> is given is not kept: it is its place in the definition. */
    for (guint i = 0; i < def->consoles->len; i++) {
        ChardevDef *console = g_ptr_array_index(def->consoles, i);

        if (console->target == CHARDEV_TARGET_NONE)
            console->target = CHARDEV_TARGET_SERIAL;
        console->port = (int) i;
    }
    if (is_serial_console(first_of(def->consoles)) && def->serials->len == 0)
        g_ptr_array_add(def->serials, serial_of_console(first_of(def->consoles)));
    if (!serials_complete(def, error))
        return false;
    if (!is_serial_console(first_of(def->consoles)) && def->serials->len > 0 &&
        first_of(def->serials)->target == CHARDEV_TARGET_ISA_SERIAL) {
        ChardevDef *console = chardev_def_new(CHARDEV_CONSOLE, CHARDEV_PTY);

        console->target = CHARDEV_TARGET_SERIAL;
        g_ptr_array_insert(def->consoles, 0, console);
    }
    return true;
}

void complete_console_mirror(DomainDef *def)
{
    ChardevDef *console = first_of(def->consoles);
    const ChardevDef *serial = first_of(def->serials);

    if (!is_serial_console(console) || !serial)
        return;
    chardev_source_clear(&console->source);
    chardev_source_copy(&serial->source, &console->source);
    console->port = serial->port;
    g_free(console->info.alias);
    console->info.alias = g_strdup(serial->info.alias);
    console->info.address = serial->info.address;
}
