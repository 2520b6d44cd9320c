/* The life of a definition, and the walk through its devices. */
#include "virtqemud/model/domain_def.h"

#include "virtqemud/model/domain_devices.h"

const char *const virt_type_names[N_VIRT_TYPES] = {
    [VIRT_QEMU] = "qemu",
    [VIRT_KVM] = "kvm",
    "bhyve", "ch", "hvf", "hyperv", "kqemu", "lxc", "openvz", "parallels", "phyp", "test", "uml",
    "vbox", "vmware", "vz", "xen",
};

const char *const lock_failure_action_names[N_LOCK_FAILURE_ACTIONS] = {
    NULL, "poweroff", "restart", "pause", "ignore",
};

const char *const lifecycle_action_names[N_LIFECYCLE_ACTIONS] = {
    [ACTION_DESTROY] = "destroy",
    [ACTION_RESTART] = "restart",
    [ACTION_RENAME_RESTART] = "rename-restart",
    [ACTION_PRESERVE] = "preserve",
    [ACTION_COREDUMP_DESTROY] = "coredump-destroy",
    [ACTION_COREDUMP_RESTART] = "coredump-restart",
};

static void free_seclabel(void *seclabel)
{
    seclabel_def_free(seclabel);
}

DomainDef *domain_def_new(void)
{
    DomainDef *def = g_new0(DomainDef, 1);

    def->id = -1;
    def->max_vcpus = 1;
    def->vcpus = 1;
    def->on_poweroff = ACTION_DESTROY;
    def->on_reboot = ACTION_RESTART;
    def->on_crash = ACTION_DESTROY;
    domain_devices_init(def);
    def->seclabels = g_ptr_array_new_with_free_func(free_seclabel);
    return def;
}

void domain_def_free(DomainDef *def)
{
    if (!def)
        return;
    g_free(def->name);
    g_free(def->title);
    g_free(def->description);
    g_clear_pointer(&def->metadata, g_ptr_array_unref);
    g_free(def->vcpu_cpuset);
    g_free(def->partition);
    domain_os_clear(&def->os);
    cpu_def_free(def->cpu);
    clock_def_clear(&def->clock);
    g_free(def->emulator);
    domain_devices_clear(def);
    g_ptr_array_unref(def->seclabels);
    g_free(def);
}

/* By way of its text, with all that a text can hold: whoever adds a field to the format need not
 * think of copies. */
DomainDef *domain_def_copy(const DomainDef *def)
{
    g_autofree char *text = domain_def_format(def, DOMAIN_FORMAT_STATUS);
    g_autoptr(GError) error = NULL;
    DomainDef *copy = domain_def_parse(text, DOMAIN_PARSE_STATUS, &error);

    if (!copy)
        g_error("a definition does not read what it wrote: %s", error->message);
    return copy;
}

typedef struct InfoWalk {
    DeviceInfoFunc func;
    void *data;
} InfoWalk;

static bool visit_info(const DeviceFamily *family, void *device, void *data)
{
    InfoWalk *walk = data;

    /* It is the first member of all that have one. */
    return !family->has_info || walk->func(device, family->name, device, walk->data);
}

bool domain_def_each_device(DomainDef *def, DeviceInfoFunc func, void *data)
{
    InfoWalk walk = { func, data };

    return domain_devices_each(def, visit_info, &walk);
}
