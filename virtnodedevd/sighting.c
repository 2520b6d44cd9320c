#include "virtnodedevd/sighting.h"

#include <string.h>

#include "virtnodedevd/fc_host.h"
#include "wire/api_nodedev.h"

static void add_world_wide_names(Sighting *sighting, const SysDevice *device)
{
    if (!(sighting->traits & VIR_CONNECT_LIST_NODE_DEVICES_CAP_FC_HOST) ||
        !fc_host_names(device, &sighting->wwnn, &sighting->wwpn))
        return;
    sighting->fabric = fc_host_fabric(device);
}

Sighting *sighting_make(const SysRoots *roots, const char *path)
{
    g_autoptr(SysDevice) device = sys_device_open(roots, path);
    const DeviceKind *kind = device ? kind_find(device) : NULL;
    g_autoptr(GString) suffix = g_string_new(NULL);
    Sighting *sighting;

    if (!kind)
        return NULL;
    if (!kind->identify)
        g_string_append(suffix, device->name);
    else if (!kind->identify(device, suffix))
        return NULL;
    sighting = g_new0(Sighting, 1);
    sighting->name = kind_make_name(kind->prefix, suffix->str);
    sighting->path = g_strdup(device->path);
    sighting->kind = kind;
    sighting->traits = kind->trait | (kind->traits ? kind->traits(device) : 0);
    add_world_wide_names(sighting, device);
    return sighting;
}

Sighting *sighting_make_system(void)
{
    Sighting *sighting = g_new0(Sighting, 1);

    sighting->name = g_strdup(SYSTEM_NAME);
    sighting->path = g_strdup("/");
    sighting->kind = &system_kind;
    sighting->traits = system_kind.trait;
    return sighting;
}

void sighting_free(Sighting *sighting)
{
    if (!sighting)
        return;
    g_free(sighting->name);
    g_free(sighting->path);
    g_free(sighting->wwnn);
    g_free(sighting->wwpn);
    g_free(sighting->fabric);
    g_free(sighting);
}

typedef struct Walk {
    const SysRoots *roots;
    GPtrArray *found;
} Walk;

static void visit_place(const char *place, void *data)
{
    Walk *walk = data;
    g_autofree char *dir = g_build_filename(walk->roots->sys, place, NULL);
    g_autoptr(GPtrArray) names = sys_list_dir(dir);

    for (guint i = 0; i < names->len; i++) {
        g_autofree char *path = g_build_filename(place, names->pdata[i], NULL);
        Sighting *sighting = sighting_make(walk->roots, path);

        if (sighting)
            g_ptr_array_add(walk->found, sighting);
    }
}

static int compare_paths(const void *a, const void *b)
{
    const Sighting *first = *(Sighting *const *)a, *second = *(Sighting *const *)b;

    return strverscmp(first->path, second->path);
}

GPtrArray *sightings_of_all(const SysRoots *roots)
{
    Walk walk = {
        .roots = roots,
        .found = g_ptr_array_new_with_free_func((GDestroyNotify)sighting_free),
    };

    g_ptr_array_add(walk.found, sighting_make_system());
    kind_for_each_place(visit_place, &walk);
    g_ptr_array_sort(walk.found, compare_paths);
    return walk.found;
}

static void write_nodes(const SysDevice *device, XmlWriter *writer)
{
    if (device->devname) {
        g_autofree char *node = g_build_filename("/dev", device->devname, NULL);

        xml_writer_open(writer, "devnode");
        xml_writer_attr_string(writer, "type", "dev");
        xml_writer_text(writer, node);
        xml_writer_close(writer);
    }
    for (guint i = 0; i < device->links->len; i++) {
        g_autofree char *link = g_build_filename("/dev", device->links->pdata[i], NULL);

        xml_writer_open(writer, "devnode");
        xml_writer_attr_string(writer, "type", "link");
        xml_writer_text(writer, link);
        xml_writer_close(writer);
    }
}

static void write_head(const SysDevice *device, const char *parent, XmlWriter *writer)
{
    g_autofree char *path = g_strconcat("/sys", device->path, NULL);

    xml_writer_element_string(writer, "path", path);
    write_nodes(device, writer);
    xml_writer_element_string(writer, "parent", parent);
    if (!device->driver)
        return;
    xml_writer_open(writer, "driver");
    xml_writer_element_string(writer, "name", device->driver);
    xml_writer_close(writer);
}

void subject_clear(Subject *subject)
{
    g_clear_pointer(&subject->name, g_free);
    g_clear_pointer(&subject->path, g_free);
    g_clear_pointer(&subject->parent, g_free);
    g_clear_pointer(&subject->config, mdev_config_free);
}

char *subject_describe(const Subject *subject)
{
    const SysRoots *roots = subject->roots;
    const DeviceKind *kind = subject->kind;
    /* The computer is no device of the kernel's: its attributes count from the root. */
    SysDevice computer = { .roots = roots, .dir = (char *)roots->sys, .name = "" };
    g_autoptr(SysDevice) device = kind->subsystem ? sys_device_open(roots, subject->path) : NULL;
    g_autoptr(XmlWriter) writer = xml_writer_new();

    if (kind->subsystem && !device)
        return NULL;
    xml_writer_open(writer, "device");
    xml_writer_element_string(writer, "name", subject->name);
    if (device)
        write_head(device, subject->parent, writer);
    xml_writer_open(writer, "capability");
    xml_writer_attr_string(writer, "type", trait_name(kind->trait));
    kind->format(device ? device : &computer, writer);
    if (subject->config)
        mdev_config_format_attrs(subject->config, writer);
    xml_writer_close(writer);
    xml_writer_close(writer);
    return xml_writer_finish(writer);
}
