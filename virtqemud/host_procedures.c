/* What the host is: its processors, firmware tables and security model. Each call reads the host anew; a processor that went off line is gone from the next
 * answer. */
#include "virtqemud/host_procedures.h"

#include <string.h>

#include "virtqemud/driver.h"
#include "virtqemud/host/cpu_stats.h"
#include "virtqemud/host/max_vcpus.h"
#include "virtqemud/host/node_info.h"
#include "virtqemud/host/sev.h"
#include "virtqemud/host/sysinfo.h"
#include "wire/remote.h"
#include "wire/remote_node.h"

/* In the words of the public interface, which clients may compare. */
bool host_check_room(int n_params, int max, GError **error)
{
    if (n_params >= 0 && n_params <= max)
        return true;
    error_set(error, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR,
              n_params < 0 ? "nparams must be non-negative" : "nparams too large");
    return false;
}

/* Without a type it is the usual one. */
static bool connect_get_max_vcpus(Call *call, const remote_connect_get_max_vcpus_args *args,
                                  remote_connect_get_max_vcpus_ret *ret, GError **error)
{
    Driver *driver = driver_of(call, error);
    guint max;

    if (!driver || !max_vcpus_read(driver->roots, args->type ? *args->type : NULL, &max, error))
        return false;
    ret->max_vcpus = (int)max;
    return true;
}

static bool connect_get_sysinfo(Call *call, const remote_connect_get_sysinfo_args *args,
                                remote_connect_get_sysinfo_ret *ret, GError **error)
{
    Driver *driver = driver_of(call, error);
    g_autoptr(Sysinfo) sysinfo = NULL;

    if (!driver || !call_check_flags("virConnectGetSysinfo", args->flags, 0, error) ||
        !sysinfo_read(driver->roots, &sysinfo, error))
        return false;
    ret->sysinfo = sysinfo_format(sysinfo);
    return true;
}

/* Integers of the wire are signed and have 32 bits; no host comes near that. */
static bool node_get_info(Call *call, const none *args, remote_node_get_info_ret *ret,
                          GError **error)
{
    Driver *driver = driver_of(call, error);
    const HostTopology *topology;
    NodeInfo info;

    if (!driver || !topology_cache_get(driver->topology, &topology, error) ||
        !node_info_read_rest(driver->roots, topology, &info, error))
        return false;
    memcpy(ret->model, info.model, MIN(sizeof(ret->model), sizeof(info.model)));
    ret->memory = info.memory_kib;
    ret->cpus = (int)info.cpus;
    ret->mhz = (int)info.mhz;
    ret->nodes = (int)info.nodes;
    ret->sockets = (int)info.sockets;
    ret->cores = (int)info.cores;
    ret->threads = (int)info.threads;
    return true;
}

/* The map has a bit for every processor that exists, eight to a byte, the lowest first. */
static void fill_cpu_map(remote_node_get_cpu_map_ret *ret, const Bitmap *online, guint n_cpus)
{
    ret->cpumap.cpumap_len = (n_cpus + 7) / 8;
    ret->cpumap.cpumap_val = g_malloc0(ret->cpumap.cpumap_len);
    bitmap_to_bytes(online, (uint8_t *)ret->cpumap.cpumap_val, ret->cpumap.cpumap_len);
}

static bool node_get_cpu_map(Call *call, const remote_node_get_cpu_map_args *args,
                             remote_node_get_cpu_map_ret *ret, GError **error)
{
    Driver *driver = driver_of(call, error);
    g_autoptr(Bitmap) online = NULL;
    guint n_cpus;

    if (!driver || !call_check_flags("virNodeGetCPUMap", args->flags, 0, error) ||
        !host_cpu_map_read(driver->roots, &online, &n_cpus, error))
        return false;
    if (args->need_map)
        fill_cpu_map(ret, online, n_cpus);
    if (args->need_online)
        ret->online = (u_int)bitmap_count(online);
    ret->ret = (int)n_cpus;
    return true;
}

static bool node_check_cpu(int cpu, GError **error)
{
    if (cpu >= CPU_STATS_ALL_CPUS)
        return true;
    g_set_error(error, error_quark(VIR_FROM_DOMAIN), VIR_ERR_INVALID_ARG,
                "cpuNum in virNodeGetCPUStats only accepts %d as a negative value",
                CPU_STATS_ALL_CPUS);
    return false;
}

static bool node_get_cpu_stats(Call *call, const remote_node_get_cpu_stats_args *args,
                               remote_node_get_cpu_stats_ret *ret, GError **error)
{
    Driver *driver = driver_of(call, error);
    HostStats stats;

    if (!driver || !call_check_flags("virNodeGetCPUStats", args->flags, 0, error) ||
        !host_check_room(args->nparams, REMOTE_NODE_CPU_STATS_MAX, error) ||
        !node_check_cpu(args->cpuNum, error) ||
        !cpu_stats_read(driver->roots, args->cpuNum, args->nparams, &stats, error))
        return false;
    ret->params.params_len = stats.n_items;
    ret->params.params_val = g_new0(remote_node_get_cpu_stats, stats.n_items);
    for (guint i = 0; i < stats.n_items; i++) {
        ret->params.params_val[i].field = g_strdup(stats.items[i].field);
        ret->params.params_val[i].value = stats.items[i].value;
    }
    /* Either the items or, to those who have no room, how many there are. */
    ret->nparams = args->nparams == 0 ? (int)stats.count : 0;
    return true;
}

static bool node_get_security_model(Call *call, const none *args,
                                    remote_node_get_security_model_ret *ret, GError **error)
{
    Driver *driver = driver_of(call, error);

    if (!driver)
        return false;
    /* Arrays of characters, which end with a zero all the same. */
    ret->model.model_val = g_strdup(driver->security_model.name);
    ret->model.model_len = (u_int)strlen(driver->security_model.name) + 1;
    ret->doi.doi_val = g_strdup(driver->security_model.doi);
    ret->doi.doi_len = (u_int)strlen(driver->security_model.doi) + 1;
    return true;
}

static bool node_get_sev_info(Call *call, const remote_node_get_sev_info_args *args,
                              remote_node_get_sev_info_ret *ret, GError **error)
{
    Driver *driver = driver_of(call, error);

    if (!driver || !sev_check(driver->roots, error))
        return false;
    /* What the platform's keys are, only QEMU can tell; nobody asks it yet. */
    error_set(error, VIR_FROM_QEMU, VIR_ERR_NO_SUPPORT, "virNodeGetSEVInfo");
    return false;
}

static const Procedure procedures[] = {
    PROCEDURE(REMOTE_PROC_CONNECT_GET_MAX_VCPUS, connect_get_max_vcpus,
              remote_connect_get_max_vcpus_args, remote_connect_get_max_vcpus_ret),
    PROCEDURE(REMOTE_PROC_CONNECT_GET_SYSINFO, connect_get_sysinfo,
              remote_connect_get_sysinfo_args, remote_connect_get_sysinfo_ret),
    PROCEDURE(REMOTE_PROC_NODE_GET_INFO, node_get_info, none, remote_node_get_info_ret),
    PROCEDURE(REMOTE_PROC_NODE_GET_CPU_MAP, node_get_cpu_map, remote_node_get_cpu_map_args,
              remote_node_get_cpu_map_ret),
    PROCEDURE(REMOTE_PROC_NODE_GET_CPU_STATS, node_get_cpu_stats, remote_node_get_cpu_stats_args,
              remote_node_get_cpu_stats_ret),
    PROCEDURE(REMOTE_PROC_NODE_GET_SECURITY_MODEL, node_get_security_model, none,
              remote_node_get_security_model_ret),
    PROCEDURE(REMOTE_PROC_NODE_GET_SEV_INFO, node_get_sev_info, remote_node_get_sev_info_args,
              remote_node_get_sev_info_ret),
};

const ProcedureTable host_procedures = { REMOTE_PROGRAM, procedures, G_N_ELEMENTS(procedures) };
