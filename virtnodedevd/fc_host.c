#include "virtnodedevd/fc_host.h"

#include <unistd.h>

/* Below the host's folder the class has a folder of the host's name. */
static char *class_dir(const SysDevice *host, const char *class)
{
    return g_build_filename(host->dir, class, host->name, NULL);
}

bool fc_host_exists(const SysDevice *host)
{
    g_autofree char *dir = class_dir(host, "fc_host");

    return access(dir, F_OK) == 0;
}

/* Kernels before 2.6.24 had the files with the SCSI host; some drivers still do. */
char *fc_host_vport_file(const SysDevice *host, const char *name)
{
    static const char *const classes[] = { "fc_host", "scsi_host" };

    for (size_t i = 0; i < G_N_ELEMENTS(classes); i++) {
        g_autofree char *dir = class_dir(host, classes[i]);
        g_autofree char *create = g_build_filename(dir, "vport_create", NULL);

        if (access(create, F_OK) == 0)
            return g_build_filename(dir, name, NULL);
    }
    return NULL;
}

bool fc_host_has_vports(const SysDevice *host)
{
    g_autofree char *file = fc_host_exists(host) ? fc_host_vport_file(host, "vport_create") : NULL;

    return file != NULL;
}

/* The kernel writes names with "0x", XML has them without. */
static char *read_name(const SysDevice *host, const char *name)
{
    g_autofree char *dir = class_dir(host, "fc_host");
    g_autofree char *text = sys_read(dir, name);

    if (!text || !*text)
        return NULL;
    return g_strdup(g_str_has_prefix(text, "0x") ? text + 2 : text);
}

bool fc_host_names(const SysDevice *host, char **ret_wwnn, char **ret_wwpn)
{
    g_autofree char *wwnn = read_name(host, "node_name");
    g_autofree char *wwpn = read_name(host, "port_name");

    if (!wwnn || !wwpn)
        return false;
    *ret_wwnn = g_steal_pointer(&wwnn);
    *ret_wwpn = g_steal_pointer(&wwpn);
    return true;
}

char *fc_host_fabric(const SysDevice *host)
{
    return read_name(host, "fabric_name");
}

static void write_vport_count(const SysDevice *host, XmlWriter *writer, const char *element,
                              const char *name)
{
    g_autofree char *file = fc_host_vport_file(host, name);
    g_autofree char *dir = file ? g_path_get_dirname(file) : NULL;
    g_autofree char *text = dir ? sys_read(dir, name) : NULL;

    xml_writer_element_string(writer, element, text && *text ? text : "0");
}

void fc_host_format(const SysDevice *host, XmlWriter *writer)
{
    g_autofree char *wwnn = NULL;
    g_autofree char *wwpn = NULL;
    g_autofree char *fabric = NULL;

    if (!fc_host_exists(host))
        return;
    fabric = fc_host_fabric(host);
    xml_writer_open(writer, "capability");
    xml_writer_attr_string(writer, "type", "fc_host");
    if (fc_host_names(host, &wwnn, &wwpn)) {
        xml_writer_element_string(writer, "wwnn", wwnn);
        xml_writer_element_string(writer, "wwpn", wwpn);
    }
    xml_writer_element_string(writer, "fabric_wwn", fabric);
    xml_writer_close(writer);
    if (!fc_host_has_vports(host))
        return;
    xml_writer_open(writer, "capability");
    xml_writer_attr_string(writer, "type", "vport_ops");
    write_vport_count(host, writer, "max_vports", "max_npiv_vports");
    write_vport_count(host, writer, "vports", "npiv_vports_inuse");
    xml_writer_close(writer);
}

/* A target of Fibre Channel is below the folder of its remote port: rport-5:0-0/target5:0:0. */
void fc_remote_port_format(const SysDevice *target, XmlWriter *writer)
{
    g_autofree char *above = g_path_get_dirname(target->dir);
    g_autofree char *port = g_path_get_basename(above);
    g_autofree char *dir = g_build_filename(above, "fc_remote_ports", port, NULL);
    g_autofree char *name = NULL;

    if (!g_str_has_prefix(port, "rport-"))
        return;
    name = sys_read(dir, "port_name");
    xml_writer_open(writer, "capability");
    xml_writer_attr_string(writer, "type", "fc_remote_port");
    xml_writer_element_string(writer, "rport", port);
    xml_writer_element_string(writer, "wwpn", name);
    xml_writer_close(writer);
}
