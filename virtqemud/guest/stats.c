/* One function for each group. Names are those of the manual, virConnectGetAllDomainStats. */
#include "virtqemud/guest/stats.h"

#include <string.h>

#include "json/get.h"
#include "json/write.h"
#include "virtqemud/guest/block_stats.h"
#include "virtqemud/guest/usage.h"
#include "wire/api_domain.h"
#include "wire/api_domain_fields.h"

/* virVcpuState */
#define VCPU_RUNNING 1

typedef enum Question {
    ASK_BLOCK_STATS,
    ASK_BLOCK_NODES, /* behind what was written by then: block_sizes.h */
    ASK_BALLOON_STATS,
    ASK_DIRTY_RATE,
    N_QUESTIONS
} Question;

struct GuestStats {
    Guest *guest; /* a reference */
    unsigned wanted;
    GuestUsage usage; /* when it was asked */
    bool has_usage;
    unsigned n_raw_commands; /* the guest's, when it was asked */
    unsigned n_raw_at_nodes; /* the same, when it was asked for its images */
    QmpCommand *commands[N_QUESTIONS];
    JsonValue *answers[N_QUESTIONS];
};

static void ask(GuestStats *stats, Question question, const char *command, JsonValue *arguments)
{
    stats->commands[question] = qmp_send(stats->guest->monitor, command, arguments, NULL);
}

static JsonValue *balloon_stats_arguments(const BalloonDef *balloon)
{
    JsonValue *arguments = json_object();
    g_autofree char *path = g_strconcat("/machine/peripheral/", balloon->info.alias, NULL);

    json_object_put_string(arguments, "path", path);
    json_object_put_string(arguments, "property", "guest-stats");
    return arguments;
}

/* Nobody asks a QEMU that is known not to answer, or that the kernel shows as stopped. */
static bool answers(const GuestStats *stats)
{
    const Guest *guest = stats->guest;

    return guest->phase == GUEST_UP && guest->monitor &&
           !qmp_session_unanswered_since_us(guest->monitor) && !stats->usage.is_stopped;
}

/* The guest is asked for figures by QEMU only when a period was set: by the definition, or by a
 * client in QEMU's own language. */
static bool guest_gathers_balloon_stats(const Guest *guest)
{
    const BalloonDef *balloon = guest->def->balloon;

    return balloon && !balloon->is_none && (balloon->stats_period_s > 0 || guest->taints[TAINT_CUSTOM_MONITOR]);
}

/* Each node once: its image without those below, which are nodes of their own. */
static JsonValue *flat_arguments(void)
{
    JsonValue *arguments = json_object();

    json_object_put_bool(arguments, "flat", true);
    return arguments;
}

GuestStats *guest_stats_ask(Guest *guest, unsigned wanted)
{
    GuestStats *stats = g_new0(GuestStats, 1);
    const DomainDef *def = guest->def;

    stats->guest = guest_ref(guest);
    stats->wanted = wanted;
    stats->n_raw_commands = stats->n_raw_at_nodes = guest->n_raw_commands;
    stats->has_usage = guest_get_usage(guest, &stats->usage);
    if (!answers(stats))
        return stats;
    qmp_session_hold(guest->monitor);
    if (wanted & VIR_DOMAIN_STATS_BLOCK && def->disks->len > 0) {
        ask(stats, ASK_BLOCK_STATS, "query-blockstats", NULL);
        if (!guest->block_sizes || guest->writes_much)
            ask(stats, ASK_BLOCK_NODES, "query-named-block-nodes", flat_arguments());
    }
    if (wanted & VIR_DOMAIN_STATS_BALLOON && guest_gathers_balloon_stats(guest))
        ask(stats, ASK_BALLOON_STATS, "qom-get", balloon_stats_arguments(def->balloon));
    if (wanted & VIR_DOMAIN_STATS_DIRTYRATE && !guest->dirty_rate)
        ask(stats, ASK_DIRTY_RATE, "query-dirty-rate", NULL);
    qmp_session_let_go(guest->monitor);
    return stats;
}

/* Waits for one answer, once. What does not come is left out: a group is told as far as it is
 * known. */
SUSPENDS static void wait_for(GuestStats *stats, Question question, uint64_t deadline_us)
{
    QmpCommand *command = g_steal_pointer(&stats->commands[question]);

    if (command)
        qmp_command_wait(command, deadline_us, &stats->answers[question], NULL);
}

void guest_stats_ask_more(GuestStats *stats, uint64_t deadline_us)
{
    Guest *guest = stats->guest;

    wait_for(stats, ASK_BLOCK_STATS, deadline_us);
    if (!stats->answers[ASK_BLOCK_STATS] || stats->commands[ASK_BLOCK_NODES] ||
        !answers(stats) ||
        (guest->block_sizes && block_sizes_hold(guest->block_sizes, stats->answers[ASK_BLOCK_STATS],
                                                guest->n_raw_commands, fiber_now_us())))
        return;
    stats->n_raw_at_nodes = guest->n_raw_commands;
    ask(stats, ASK_BLOCK_NODES, "query-named-block-nodes", flat_arguments());
}

void guest_stats_free(GuestStats *stats)
{
    if (!stats)
        return;
    for (int i = 0; i < N_QUESTIONS; i++) {
        qmp_command_forget(stats->commands[i]);
        json_free(stats->answers[i]);
    }
    guest_unref(stats->guest);
    g_free(stats);
}

/* ---- The groups ---- */

static void add_cpu(const GuestStats *stats, TypedParams *params)
{
    const GuestUsage *usage = &stats->usage;

    if (!stats->has_usage)
        return;
    typed_params_add_ullong(params, VIR_DOMAIN_STATS_CPU_TIME, usage->user_ns + usage->system_ns);
    typed_params_add_ullong(params, VIR_DOMAIN_STATS_CPU_USER, usage->user_ns);
    typed_params_add_ullong(params, VIR_DOMAIN_STATS_CPU_SYSTEM, usage->system_ns);
    typed_params_add_uint(params, VIR_DOMAIN_STATS_CPU_CACHE_MONITOR_COUNT, 0);
}

static const struct {
    const char *qemu, *name;
    uint64_t divisor; /* bytes become KiB */
} balloon_stats[] = {
    { "stat-swap-in", VIR_DOMAIN_STATS_BALLOON_SWAP_IN, 1024 },
    { "stat-swap-out", VIR_DOMAIN_STATS_BALLOON_SWAP_OUT, 1024 },
    { "stat-major-faults", VIR_DOMAIN_STATS_BALLOON_MAJOR_FAULT, 1 },
    { "stat-minor-faults", VIR_DOMAIN_STATS_BALLOON_MINOR_FAULT, 1 },
    { "stat-free-memory", VIR_DOMAIN_STATS_BALLOON_UNUSED, 1024 },
    { "stat-total-memory", VIR_DOMAIN_STATS_BALLOON_AVAILABLE, 1024 },
    { "stat-available-memory", VIR_DOMAIN_STATS_BALLOON_USABLE, 1024 },
    { "stat-disk-caches", VIR_DOMAIN_STATS_BALLOON_DISK_CACHES, 1024 },
    { "stat-htlb-pgalloc", VIR_DOMAIN_STATS_BALLOON_HUGETLB_PGALLOC, 1 },
    { "stat-htlb-pgfail", VIR_DOMAIN_STATS_BALLOON_HUGETLB_PGFAIL, 1 },
};

/* A value that the guest has not told is -1 (as an unsigned number of 64 bits). */
static void add_balloon_stats(const JsonValue *answer, TypedParams *params)
{
    const JsonValue *values;
    int64_t last_update_s;
    uint64_t value;

    if (!answer || json_type(answer) != JSON_OBJECT)
        return;
    if (json_object_get_int64(answer, "last-update", &last_update_s, NULL))
        typed_params_add_ullong(params, VIR_DOMAIN_STATS_BALLOON_LAST_UPDATE,
                                (uint64_t)last_update_s);
    if (!json_object_get_object(answer, "stats", &values, NULL))
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(balloon_stats); i++) {
        if (json_object_get_uint64(values, balloon_stats[i].qemu, &value, NULL) &&
            value != UINT64_MAX)
            typed_params_add_ullong(params, balloon_stats[i].name,
                                    value / balloon_stats[i].divisor);
    }
}

static void add_balloon(const GuestStats *stats, TypedParams *params)
{
    const DomainDef *def = stats->guest->def;

    typed_params_add_ullong(params, VIR_DOMAIN_STATS_BALLOON_CURRENT, def->current_memory_kib);
    typed_params_add_ullong(params, VIR_DOMAIN_STATS_BALLOON_MAXIMUM, def->memory_kib);
    if (guest_gathers_balloon_stats(stats->guest))
        add_balloon_stats(stats->answers[ASK_BALLOON_STATS], params);
    else if (def->balloon && !def->balloon->is_none)
        typed_params_add_ullong(params, VIR_DOMAIN_STATS_BALLOON_LAST_UPDATE, 0);
    if (stats->has_usage)
        typed_params_add_ullong(params, VIR_DOMAIN_STATS_BALLOON_RSS, stats->usage.resident_kib);
}

static void add_vcpu_value(TypedParams *params, guint i, const char *suffix, uint64_t value)
{
    g_autofree char *name = g_strdup_printf(VIR_DOMAIN_STATS_VCPU_PREFIX "%u%s", i, suffix);

    typed_params_add_ullong(params, name, value);
}

static void add_vcpus(const GuestStats *stats, TypedParams *params)
{
    const Guest *guest = stats->guest;

    typed_params_add_uint(params, VIR_DOMAIN_STATS_VCPU_CURRENT, guest->def->vcpus);
    typed_params_add_uint(params, VIR_DOMAIN_STATS_VCPU_MAXIMUM, guest->def->max_vcpus);
    for (guint i = 0; guest->vcpu_threads && i < guest->vcpu_threads->len; i++) {
        g_autofree char *name = g_strdup_printf(
            VIR_DOMAIN_STATS_VCPU_PREFIX "%u" VIR_DOMAIN_STATS_VCPU_SUFFIX_STATE, i);
        GuestThreadTime time;

        if (!guest_get_thread_time(guest, g_array_index(guest->vcpu_threads, pid_t, i), &time))
            continue;
        typed_params_add_int(params, name, VCPU_RUNNING);
        add_vcpu_value(params, i, VIR_DOMAIN_STATS_VCPU_SUFFIX_TIME, time.run_ns);
        add_vcpu_value(params, i, VIR_DOMAIN_STATS_VCPU_SUFFIX_WAIT, time.wait_ns);
        add_vcpu_value(params, i, VIR_DOMAIN_STATS_VCPU_SUFFIX_DELAY, time.delay_ns);
    }
}

/* Interfaces of type user have no device on the host whose packets could be counted. */
static void add_interfaces(const GuestStats *stats, TypedParams *params)
{
    typed_params_add_uint(params, VIR_DOMAIN_STATS_NET_COUNT, stats->guest->def->interfaces->len);
}

/* virDomainDirtyRateStatus, by QEMU's names (DirtyRateStatus). */
static const char *const dirty_rate_states[] = { "unstarted", "measuring", "measured" };

/* Nothing changes it but a command to measure, which only clients send; asking every QEMU each
 * time takes as long as any other group does. */
static const JsonValue *get_dirty_rate(GuestStats *stats)
{
    Guest *guest = stats->guest;
    const JsonValue *answer = stats->answers[ASK_DIRTY_RATE];
    const char *state;

    if (!answer)
        return guest->dirty_rate;
    if (guest->dirty_rate || stats->n_raw_commands != guest->n_raw_commands ||
        json_type(answer) != JSON_OBJECT ||
        !json_object_get_string(answer, "status", &state, NULL) || strcmp(state, "unstarted"))
        return answer;
    guest->dirty_rate = g_steal_pointer(&stats->answers[ASK_DIRTY_RATE]);
    return guest->dirty_rate;
}

static void add_dirty_rate(GuestStats *stats, TypedParams *params)
{
    const JsonValue *answer = get_dirty_rate(stats);
    const char *state, *mode;
    int64_t start_s, period_s, rate;

    if (!answer || json_type(answer) != JSON_OBJECT ||
        !json_object_get_string(answer, "status", &state, NULL) ||
        !json_object_get_int64(answer, "start-time", &start_s, NULL) ||
        !json_object_get_int64(answer, "calc-time", &period_s, NULL))
        return;
    for (int i = 0; i < (int)G_N_ELEMENTS(dirty_rate_states); i++) {
        if (strcmp(dirty_rate_states[i], state) == 0)
            typed_params_add_int(params, VIR_DOMAIN_STATS_DIRTYRATE_CALC_STATUS, i);
    }
    typed_params_add_llong(params, VIR_DOMAIN_STATS_DIRTYRATE_CALC_START_TIME, start_s);
    typed_params_add_int(params, VIR_DOMAIN_STATS_DIRTYRATE_CALC_PERIOD, (int)period_s);
    if (json_object_get_string(answer, "mode", &mode, NULL))
        typed_params_add_string(params, VIR_DOMAIN_STATS_DIRTYRATE_CALC_MODE, mode);
    if (json_object_get_int64(answer, "dirty-rate", &rate, NULL))
        typed_params_add_llong(params, VIR_DOMAIN_STATS_DIRTYRATE_MEGABYTES_PER_SECOND, rate);
}

/* Those that were asked for just now, or those that still hold. */
static const BlockSizes *get_block_sizes(GuestStats *stats)
{
    Guest *guest = stats->guest;
    BlockSizes *sizes;

    if (!stats->answers[ASK_BLOCK_NODES])
        return guest->block_sizes;
    sizes = block_sizes_new(stats->answers[ASK_BLOCK_NODES], stats->answers[ASK_BLOCK_STATS],
                            stats->n_raw_at_nodes, fiber_now_us());
    guest->writes_much =
        guest->block_sizes && !block_sizes_same_writes(sizes, guest->block_sizes);
    block_sizes_free(guest->block_sizes);
    guest->block_sizes = sizes;
    return sizes;
}

void guest_stats_collect(GuestStats *stats, uint64_t deadline_us, bool with_backing,
                         TypedParams *params)
{
    for (int i = 0; i < N_QUESTIONS; i++)
        wait_for(stats, i, deadline_us);
    if (stats->wanted & VIR_DOMAIN_STATS_CPU_TOTAL)
        add_cpu(stats, params);
    if (stats->wanted & VIR_DOMAIN_STATS_BALLOON)
        add_balloon(stats, params);
    if (stats->wanted & VIR_DOMAIN_STATS_VCPU)
        add_vcpus(stats, params);
    if (stats->wanted & VIR_DOMAIN_STATS_INTERFACE)
        add_interfaces(stats, params);
    if (stats->wanted & VIR_DOMAIN_STATS_BLOCK)
        block_stats_add(stats->guest->def, get_block_sizes(stats), stats->answers[ASK_BLOCK_STATS],
                        with_backing, params);
    if (stats->wanted & VIR_DOMAIN_STATS_DIRTYRATE)
        add_dirty_rate(stats, params);
}
