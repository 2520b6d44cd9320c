/* Booting. What is left out when it has no effect ("<bootmenu timeout=''/>" without enable) is
 * what existing daemons leave out. */
#include "virtqemud/model/os.h"

#include <string.h>

#include "base/enum_names.h"
#include "base/error.h"
#include "virtqemud/model/known_names.h"
#include "virtqemud/model/tristate.h"

#define BOOT_MENU_TIMEOUT_MAX_MS 65535
#define BIOS_REBOOT_TIMEOUT_MAX_MS 65535

const char *const boot_device_names[N_BOOT_DEVICES] = {
    [BOOT_FD] = "fd",
    [BOOT_CDROM] = "cdrom",
    [BOOT_DISK] = "hd",
    [BOOT_NETWORK] = "network",
};

const char *const smbios_mode_names[N_SMBIOS_MODES] = {
    [SMBIOS_EMULATE] = "emulate",
    [SMBIOS_HOST] = "host",
    [SMBIOS_SYSINFO] = "sysinfo",
};

/* The text of the first child @name; NULL when it is missing or empty. */
static char *child_text(const XmlNode *node, const char *name)
{
    const XmlNode *child = xml_node_first(node, name);
    g_autofree char *text = child ? xml_node_text(child) : NULL;

    return text && *text ? g_steal_pointer(&text) : NULL;
}

/* Machine names are the emulator's to know; architectures are the format's. */
static bool type_parse(const XmlNode *os, DomainOs *ret, GError **error)
{
    static const char *const others[] = { "xen", "linux", "xenpvh", "exe", "uml" };
    const XmlNode *type = xml_node_first(os, "type");
    const char *arch = type ? xml_node_attr(type, "arch") : NULL;
    const char *machine = type ? xml_node_attr(type, "machine") : NULL;
    int index = 0;

    ret->type = child_text(os, "type");
    if (!ret->type) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "an os <type> must be specified");
        return false;
    }
    if (ENUM_FROM_NAME(others, ret->type, &index))
        return error_fail(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                          "OS type '%.128s' is not supported", ret->type);
    if (strcmp(ret->type, "hvm") != 0)
        return error_fail(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                          "unknown OS type '%.1024s'", ret->type);
    if (arch && *arch) {
        if (!known_architecture(arch))
            return error_fail(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                              "Unknown architecture %.1024s", arch);
        ret->arch = g_strdup(arch);
    }
    if (machine && *machine)
        ret->machine = g_strdup(machine);
    return true;
}

/* Firmware that is chosen by its features, and firmware with variables of its own, must not be
 * passed over: the guest would not boot from anything else. */
static bool loader_parse(const XmlNode *os, DomainOs *ret, GError **error)
{
    static const char *const types[] = { "rom", "pflash" };
    const XmlNode *loader = xml_node_first(os, "loader");
    const char *firmware = xml_node_attr(os, "firmware");
    XmlTristate secure = XML_TRISTATE_ABSENT;
    int type = 0;

    if (firmware && strcmp(firmware, "efi") == 0)
        return error_fail(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                          "firmware '%s' is not supported", firmware);
    if (firmware && strcmp(firmware, "bios") != 0) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "unknown firmware value %.128s",
                  firmware);
        return false;
    }
    ret->is_firmware_bios = firmware != NULL;
    if (!loader)
        return true;
    if (!xml_attr_enum(loader, "type", XML_OPTIONAL, types, G_N_ELEMENTS(types), 0, &type, error) ||
        !xml_attr_yes_no(loader, "readonly", XML_OPTIONAL, &ret->loader_readonly, error) ||
        !xml_attr_yes_no(loader, "secure", XML_OPTIONAL, &secure, error))
        return false;
    if (secure == XML_TRISTATE_YES)
        return error_fail(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                          "secure boot is not supported");
    if (type != 0)
        return error_fail(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                          "loader type '%s' is not supported", types[type]);
    ret->loader = child_text(os, "loader");
    if (!ret->loader) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_DETAIL,
                  "no loader path specified and firmware auto selection disabled");
        return false;
    }
    return true;
}

/* More devices than there are kinds cannot make a difference. */
static bool boot_parse(const XmlNode *os, DomainOs *ret, GError **error)
{
    for (const XmlNode *boot = xml_node_first(os, "boot"); boot;
         boot = xml_node_next(boot, "boot")) {
        int device = 0;

        if (!xml_attr_enum(boot, "dev", XML_REQUIRED, boot_device_names, N_BOOT_DEVICES, 0,
                           &device, error))
            return false;
        if (ret->n_boot < G_N_ELEMENTS(ret->boot))
            ret->boot[ret->n_boot++] = (BootDevice) device;
    }
    return true;
}

/* A timeout means something only for a menu that is shown. */
static bool boot_menu_parse(const XmlNode *os, DomainOs *ret, GError **error)
{
    const XmlNode *menu = xml_node_first(os, "bootmenu");
    unsigned timeout_ms = 0;

    if (!menu)
        return true;
    if (!xml_attr_yes_no(menu, "enable", XML_OPTIONAL, &ret->boot_menu, error) ||
        !xml_attr_uint(menu, "timeout", XML_OPTIONAL, 0, &timeout_ms, error))
        return false;
    if (timeout_ms > BOOT_MENU_TIMEOUT_MAX_MS)
        return error_fail(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                          "invalid value for boot menu timeout, must be in range [0,%d]",
                          BOOT_MENU_TIMEOUT_MAX_MS);
    if (ret->boot_menu == XML_TRISTATE_YES && xml_node_attr(menu, "timeout")) {
        ret->has_boot_menu_timeout = true;
        ret->boot_menu_timeout_ms = timeout_ms;
    }
    return true;
}

/* -1 is a machine that waits for ever instead of starting again. */
static bool bios_parse(const XmlNode *os, DomainOs *ret, GError **error)
{
    const XmlNode *bios = xml_node_first(os, "bios");
    int timeout_ms = 0;

    if (!bios)
        return true;
    if (!xml_attr_yes_no(bios, "useserial", XML_OPTIONAL, &ret->bios_use_serial, error) ||
        !xml_attr_int(bios, "rebootTimeout", XML_OPTIONAL, 0, &timeout_ms, error))
        return false;
    if (timeout_ms < -1 || timeout_ms > BIOS_REBOOT_TIMEOUT_MAX_MS)
        return error_fail(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                          "invalid value for rebootTimeout, must be in range [-1,%d]",
                          BIOS_REBOOT_TIMEOUT_MAX_MS);
    ret->has_bios_reboot_timeout = xml_node_attr(bios, "rebootTimeout") != NULL;
    ret->bios_reboot_timeout_ms = timeout_ms;
    return true;
}

/* Without a mode the emulator's own tables stay, as without the element. */
static bool smbios_parse(const XmlNode *os, DomainOs *ret, GError **error)
{
    const XmlNode *smbios = xml_node_first(os, "smbios");
    const char *mode = smbios ? xml_node_attr(smbios, "mode") : NULL;

    if (!mode)
        return true;
    if (!ENUM_FROM_NAME(smbios_mode_names, mode, &ret->smbios_mode))
        return error_fail(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                          "unknown smbios mode '%.1024s'", mode);
    ret->smbios_mode_set = true;
    return true;
}

bool domain_os_parse(const XmlNode *os, DomainParseFlags flags, DomainOs *ret, GError **error)
{
    DomainOs parsed = { 0 };

    parsed.kernel = child_text(os, "kernel");
    parsed.initrd = child_text(os, "initrd");
    parsed.cmdline = child_text(os, "cmdline");
    parsed.dtb = child_text(os, "dtb");
    if (!type_parse(os, &parsed, error) || !loader_parse(os, &parsed, error) ||
        !boot_parse(os, &parsed, error) || !boot_menu_parse(os, &parsed, error) ||
        !bios_parse(os, &parsed, error) || !smbios_parse(os, &parsed, error)) {
        domain_os_clear(&parsed);
        return false;
    }
    *ret = parsed;
    return true;
}

static void boot_menu_format(const DomainOs *os, XmlWriter *writer)
{
    if (os->boot_menu == XML_TRISTATE_ABSENT)
        return;
    xml_writer_open(writer, "bootmenu");
    xml_writer_attr_string(writer, "enable", tristate_yes_no(os->boot_menu));
    if (os->has_boot_menu_timeout)
        xml_writer_attr(writer, "timeout", "%u", os->boot_menu_timeout_ms);
    xml_writer_close(writer);
}

static void bios_format(const DomainOs *os, XmlWriter *writer)
{
    if (os->bios_use_serial == XML_TRISTATE_ABSENT && !os->has_bios_reboot_timeout)
        return;
    xml_writer_open(writer, "bios");
    xml_writer_attr_string(writer, "useserial", tristate_yes_no(os->bios_use_serial));
    if (os->has_bios_reboot_timeout)
        xml_writer_attr(writer, "rebootTimeout", "%d", os->bios_reboot_timeout_ms);
    xml_writer_close(writer);
}

/* Both attributes are there once the definition is complete. */
static void type_format(const DomainOs *os, XmlWriter *writer)
{
    xml_writer_open(writer, "type");
    xml_writer_attr_string(writer, "arch", os->arch);
    xml_writer_attr_string(writer, "machine", os->machine);
    xml_writer_text(writer, os->type);
    xml_writer_close(writer);
}

void domain_os_format(const DomainOs *os, XmlWriter *writer, DomainFormatFlags flags)
{
    xml_writer_open(writer, "os");
    if (os->is_firmware_bios)
        xml_writer_attr_string(writer, "firmware", "bios");
    type_format(os, writer);
    if (os->loader) {
        xml_writer_open(writer, "loader");
        xml_writer_attr_string(writer, "readonly", tristate_yes_no(os->loader_readonly));
        xml_writer_attr_string(writer, "type", "rom");
        xml_writer_text(writer, os->loader);
        xml_writer_close(writer);
    }
    xml_writer_element_string(writer, "kernel", os->kernel);
    xml_writer_element_string(writer, "initrd", os->initrd);
    xml_writer_element_string(writer, "cmdline", os->cmdline);
    xml_writer_element_string(writer, "dtb", os->dtb);
    for (unsigned i = 0; i < os->n_boot; i++) {
        xml_writer_open(writer, "boot");
        xml_writer_attr_string(writer, "dev", boot_device_names[os->boot[i]]);
        xml_writer_close(writer);
    }
    boot_menu_format(os, writer);
    bios_format(os, writer);
    if (os->smbios_mode_set) {
        xml_writer_open(writer, "smbios");
        xml_writer_attr_string(writer, "mode", smbios_mode_names[os->smbios_mode]);
        xml_writer_close(writer);
    }
    xml_writer_close(writer);
}

void domain_os_clear(DomainOs *os)
{
    g_free(os->type);
    g_free(os->arch);
    g_free(os->machine);
    g_free(os->kernel);
    g_free(os->initrd);
    g_free(os->cmdline);
    g_free(os->dtb);
    g_free(os->loader);
    memset(os, 0, sizeof(*os));
}
