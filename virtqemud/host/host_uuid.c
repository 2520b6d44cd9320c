#include "virtqemud/host/host_uuid.h"

#include "base/file.h"
#include "virtqemud/host/sysinfo.h"

#define MACHINE_ID_MAX 256

static bool parse_usable(const char *text, Uuid *ret_uuid)
{
    return text != NULL && uuid_parse(text, ret_uuid, NULL) && uuid_is_valid(ret_uuid);
}

static bool read_smbios(const HostRoots *roots, Uuid *ret_uuid)
{
    g_autoptr(Sysinfo) sysinfo = NULL;

    return sysinfo_read(roots, &sysinfo, NULL) &&
           parse_usable(sysinfo_find(sysinfo, "system", "uuid"), ret_uuid);
}

static bool read_machine_id(const char *path, Uuid *ret_uuid)
{
    g_autofree char *text = NULL;

    return file_read_all(path, MACHINE_ID_MAX, &text, NULL, NULL) &&
           parse_usable(g_strstrip(text), ret_uuid);
}

void host_uuid_choose(const HostRoots *roots, const char *configured, bool from_machine_id,
                      const char *machine_id, Uuid *ret_uuid)
{
    if (parse_usable(configured, ret_uuid))
        return;
    if (from_machine_id ? read_machine_id(machine_id, ret_uuid) : read_smbios(roots, ret_uuid))
        return;
    uuid_generate(ret_uuid);
}
