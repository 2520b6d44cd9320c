#include "virtqemud/host/topology_cache.h"

#define ONLINE "devices/system/cpu/online"

/* What the kernel shows in these three says who is there. */
static const char *const files[] = { "devices/system/cpu/present", ONLINE,
                                     "devices/system/node/online" };

struct TopologyCache {
    const HostRoots *roots;
    char *key; /* the text of all files; NULL: to be read again */
    HostTopology *topology;
};

TopologyCache *topology_cache_new(const HostRoots *roots)
{
    TopologyCache *cache = g_new0(TopologyCache, 1);

    cache->roots = roots;
    return cache;
}

void topology_cache_free(TopologyCache *cache)
{
    if (cache == NULL)
        return;
    g_free(cache->key);
    host_topology_free(cache->topology);
    g_free(cache);
}

/* A file that cannot be read is as good as any other text: the reader says what is wrong. */
static char *read_key(const HostRoots *roots)
{
    GString *key = g_string_new(NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *text = NULL;

        if (host_file_read(roots->sys, HOST_FILE_LIMIT, &text, NULL, NULL, "%s", files[i]))
            g_string_append(key, text);
        g_string_append_c(key, ';');
    }
    return g_string_free(key, FALSE);
}

/* While a processor comes or goes, the kernel's files do not change at the same instant: what
 * was read then is good for one answer only. */
static bool is_settled(const HostRoots *roots, const HostTopology *topology)
{
    g_autoptr(Bitmap) online = NULL;

    return host_file_read_set(roots->sys, &online, NULL, "%s", ONLINE) &&
           bitmap_count(online) == topology->cpus->len;
}

bool topology_cache_get(TopologyCache *cache, const HostTopology **ret_topology, GError **error)
{
    g_autofree char *key = read_key(cache->roots);
    HostTopology *topology;

    if (cache->key == NULL || !g_str_equal(cache->key, key)) {
        if (!host_topology_read(cache->roots, &topology, error))
            return false;
        host_topology_free(cache->topology);
        g_free(cache->key);
        cache->topology = topology;
        cache->key = is_settled(cache->roots, topology) ? g_steal_pointer(&key) : NULL;
    }
    *ret_topology = cache->topology;
    return true;
}
