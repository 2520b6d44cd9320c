#include "virtqemud/host/cache_bank.h"

#define BANK_LEVEL 3

/* Real ones have 4 or 5. */
#define MAX_CACHES 16

#define CACHE_FOLDER "devices/system/cpu/cpu%u/cache/index%u/"

static void clear_bank(void *data)
{
    CacheBank *bank = data;

    g_clear_pointer(&bank->cpus, bitmap_free);
}

/* The kernel's words, and those of the capabilities. */
static const char *read_type(const HostRoots *roots, guint cpu, guint index)
{
    static const char *const words[][2] = {
        { "Unified", "both" }, { "Instruction", "code" }, { "Data", "data" },
    };
    g_autofree char *text = NULL;

    if (!host_file_read(roots->sys, 64, &text, NULL, NULL, CACHE_FOLDER "type", cpu, index))
        return NULL;
    g_strstrip(text);
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        if (g_str_equal(text, words[i][0]))
            return words[i][1];
    }
    return NULL;
}

/* "8192K", always in this unit. */
static guint64 read_size_kib(const HostRoots *roots, guint cpu, guint index)
{
    g_autofree char *text = NULL;

    if (!host_file_read(roots->sys, 64, &text, NULL, NULL, CACHE_FOLDER "size", cpu, index))
        return 0;
    return g_ascii_strtoull(text, NULL, 10);
}

static bool read_bank(const HostRoots *roots, guint cpu, guint index, CacheBank *ret_bank)
{
    guint64 id;

    if (!host_file_read_number(roots->sys, &id, NULL, CACHE_FOLDER "id", cpu, index) ||
        id > G_MAXINT32)
        return false;
    ret_bank->id = (guint) id;
    ret_bank->level = BANK_LEVEL;
    ret_bank->type = read_type(roots, cpu, index);
    ret_bank->size_kib = read_size_kib(roots, cpu, index);
    if (ret_bank->type == NULL || ret_bank->size_kib == 0)
        return false;
    return host_file_read_set(roots->sys, &ret_bank->cpus, NULL, CACHE_FOLDER "shared_cpu_list",
                              cpu, index);
}

/* The kernel numbers the caches of a processor without gaps. */
static void add_banks_of_cpu(const HostRoots *roots, guint cpu, GArray *banks)
{
    guint64 level;

    for (guint i = 0; i < MAX_CACHES; i++) {
        CacheBank bank;

        if (!host_file_read_number(roots->sys, &level, NULL, CACHE_FOLDER "level", cpu, i))
            return;
        if (level == BANK_LEVEL && read_bank(roots, cpu, i, &bank))
            g_array_append_val(banks, bank);
    }
}

static bool is_in_banks(const GArray *banks, guint cpu)
{
    for (guint i = 0; i < banks->len; i++) {
        if (bitmap_has(g_array_index(banks, CacheBank, i).cpus, cpu))
            return true;
    }
    return false;
}

GArray *cache_banks_read(const HostRoots *roots, const HostTopology *topology)
{
    GArray *banks = g_array_new(FALSE, FALSE, sizeof(CacheBank));

    g_array_set_clear_func(banks, clear_bank);
    for (guint i = 0; i < topology->cpus->len; i++) {
        guint cpu = g_array_index(topology->cpus, HostCpu, i).id;

        /* Asking one processor of each bank is enough. */
        if (!is_in_banks(banks, cpu))
            add_banks_of_cpu(roots, cpu, banks);
    }
    return banks;
}
