/* An entry per path, with what is known and who finds out. Finding out runs in a fiber of its
 * own, so that a client that goes away takes nothing from the others who wait for the same. */
#include "virtqemud/qemu/caps_store.h"

#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "fiber/offload.h"
#include "fiber/sync.h"
#include "virtqemud/qemu/arch.h"
#include "virtqemud/qemu/caps_cache.h"
#include "virtqemud/qemu/caps_facts.h"
#include "virtqemud/qemu/caps_probe.h"

LOG_INIT("qemu.caps");

/* For an emulator that hangs; a healthy one needs some 150 ms. */
#define PROBE_MS 30000

/* Finding out about one emulator. The fiber and all who wait hold a reference. */
typedef struct Inquiry {
    int references;
    EmulatorStore *store;
    char *path;
    EmulatorIdentity identity; /* of before it was asked */
    EmulatorCaps *caps;        /* the result, or */
    GError *why;
    FiberCompletion done;
} Inquiry;

typedef struct Entry {
    EmulatorIdentity identity;
    EmulatorCaps *caps; /* NULL: not known yet */
    Inquiry *inquiry;   /* under way; NULL: none */
} Entry;

struct EmulatorStore {
    FiberLoop *loop;
    char *cache_dir, *kvm_device;
    EmulatorUser user;
    GHashTable *entries; /* path to Entry */
    guint n_probing, max_probing;
    FiberCond may_probe;
};

static void inquiry_unref(Inquiry *inquiry)
{
    if (!inquiry || --inquiry->references > 0)
        return;
    g_free(inquiry->path);
    emulator_caps_unref(inquiry->caps);
    g_clear_error(&inquiry->why);
    g_free(inquiry);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Inquiry, inquiry_unref)

static void entry_free(void *data)
{
    Entry *entry = data;

    emulator_caps_unref(entry->caps);
    inquiry_unref(entry->inquiry);
    g_free(entry);
}

/* Twice the processors: a probe waits now and then. */
EmulatorStore *emulator_store_new(FiberLoop *loop, const char *cache_dir, const char *kvm_device)
{
    EmulatorStore *store = g_new0(EmulatorStore, 1);
    long n_cpus = sysconf(_SC_NPROCESSORS_ONLN);

    store->loop = loop;
    store->cache_dir = g_strdup(cache_dir);
    store->kvm_device = g_strdup(kvm_device);
    store->entries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, entry_free);
    store->max_probing = (guint) (2 * CLAMP(n_cpus, 1, 512));
    return store;
}

void emulator_store_free(EmulatorStore *store)
{
    if (!store)
        return;
    g_hash_table_unref(store->entries);
    emulator_user_clear(&store->user);
    g_free(store->cache_dir);
    g_free(store->kvm_device);
    g_free(store);
}

void emulator_store_set_user(EmulatorStore *store, const EmulatorUser *user)
{
    emulator_user_clear(&store->user);
    emulator_user_copy(user, &store->user);
}

/* What an offload thread works on. */
typedef struct CacheWork {
    const char *folder, *path;
    const EmulatorIdentity *identity;
    char *key;
    JsonValue *facts;
} CacheWork;

static void cache_work_clear(CacheWork *work)
{
    g_free(work->key);
    json_free(work->facts);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CacheWork, cache_work_clear)

static bool load_in_thread(void *data, GError **error)
{
    CacheWork *work = data;

    work->key = caps_cache_make_key(work->path, work->identity);
    work->facts = caps_cache_load(work->folder, work->path, work->key, error);
    return work->facts != NULL;
}

static bool store_in_thread(void *data, GError **error)
{
    CacheWork *work = data;

    return caps_cache_store(work->folder, work->path, work->key, work->facts, error);
}

static void inquiry_load(Inquiry *inquiry, CacheWork *work)
{
    g_autoptr(GError) why = NULL;

    if (fiber_offload(load_in_thread, work, &why))
        inquiry->caps = emulator_caps_from_facts(inquiry->path, work->facts, &why);
    if (!inquiry->caps)
        LOG_DEBUG("nothing cached of %s: %s", inquiry->path, why->message);
}

/* Waits for its turn, then asks. */
static SUSPENDS bool inquiry_probe(Inquiry *inquiry, JsonValue **ret_facts, GError **error)
{
    EmulatorStore *store = inquiry->store;
    g_auto(EmulatorUser) user = { 0 }; /* the store's may change meanwhile */
    bool is_done;

    /* Every probe ends by its deadline at the latest, so the turn comes. */
    while (store->n_probing >= store->max_probing) {
        if (!fiber_cond_wait(&store->may_probe, FIBER_FOREVER, error))
            return false;
    }
    store->n_probing++;
    emulator_user_copy(&store->user, &user);
    is_done = emulator_probe(inquiry->path, &user, inquiry->identity.has_kvm,
                             fiber_deadline_ms(PROBE_MS), ret_facts, error);
    store->n_probing--;
    fiber_cond_signal(&store->may_probe);
    return is_done;
}

/* Those who wait need not wait for the disk, nor hear of its troubles. */
static void inquiry_finish(Inquiry *inquiry)
{
    Entry *entry = g_hash_table_lookup(inquiry->store->entries, inquiry->path);

    if (inquiry->caps) {
        emulator_caps_unref(entry->caps);
        entry->caps = emulator_caps_ref(inquiry->caps);
        entry->identity = inquiry->identity;
    }
    inquiry_unref(g_steal_pointer(&entry->inquiry));
    if (!entry->caps)
        g_hash_table_remove(inquiry->store->entries, inquiry->path);
    fiber_completion_signal(&inquiry->done);
}

static void inquiry_run(void *data)
{
    g_autoptr(Inquiry) inquiry = data;
    g_auto(CacheWork) work = { .folder = inquiry->store->cache_dir, .path = inquiry->path,
                               .identity = &inquiry->identity };
    g_autoptr(GError) why = NULL;
    bool is_new = false;

    inquiry_load(inquiry, &work);
    if (!inquiry->caps) {
        g_clear_pointer(&work.facts, json_free);
        is_new = inquiry_probe(inquiry, &work.facts, &inquiry->why);
        if (is_new)
            inquiry->caps = emulator_caps_from_facts(inquiry->path, work.facts, &inquiry->why);
    }
    inquiry_finish(inquiry);
    if (is_new && inquiry->caps && work.key && !fiber_offload(store_in_thread, &work, &why))
        LOG_WARN("what %s can do is not cached: %s", inquiry->path, why->message);
}

static bool inquiry_start(EmulatorStore *store, const char *path, const EmulatorIdentity *identity,
                          Entry *entry, GError **error)
{
    g_autoptr(Inquiry) inquiry = g_new0(Inquiry, 1);

    inquiry->references = 1;
    inquiry->store = store;
    inquiry->path = g_strdup(path);
    inquiry->identity = *identity;
    if (!fiber_spawn(store->loop, "emulator", inquiry_run, inquiry, NULL, error))
        return false;
    inquiry->references++;
    entry->inquiry = g_steal_pointer(&inquiry);
    return true;
}

static bool store_identify(const EmulatorStore *store, const char *path,
                           EmulatorIdentity *ret_identity, GError **error)
{
    uid_t uid = store->user.launcher ? store->user.uid : geteuid();

    return emulator_identity_read(path, store->kvm_device, uid, ret_identity, error);
}

/* Gives the caps that are right now, or the inquiry after them (references); starts one
 * where needed. */
static bool store_look_up(EmulatorStore *store, const char *path, EmulatorCaps **ret_caps,
                          Inquiry **ret_inquiry, GError **error)
{
    Entry *entry = g_hash_table_lookup(store->entries, path);
    EmulatorIdentity identity;

    *ret_caps = NULL;
    if (!store_identify(store, path, &identity, error))
        return false;
    if (entry && entry->caps && emulator_identity_equal(&entry->identity, &identity)) {
        *ret_caps = emulator_caps_ref(entry->caps);
        return true;
    }
    if (!entry) {
        entry = g_new0(Entry, 1);
        g_hash_table_insert(store->entries, g_strdup(path), entry);
    }
    if (!entry->inquiry && !inquiry_start(store, path, &identity, entry, error)) {
        if (!entry->caps)
            g_hash_table_remove(store->entries, path);
        return false;
    }
    *ret_inquiry = entry->inquiry;
    entry->inquiry->references++;
    return true;
}

bool emulator_store_get(EmulatorStore *store, const char *path, EmulatorCaps **ret_caps,
                        GError **error)
{
    g_autoptr(Inquiry) inquiry = NULL;
    g_autoptr(EmulatorCaps) caps = NULL;

    if (!store_look_up(store, path, &caps, &inquiry, error))
        return false;
    if (!caps) {
        /* The inquiry has deadlines of its own. */
        if (!fiber_completion_wait(&inquiry->done, FIBER_FOREVER, error))
            return false;
        if (!inquiry->caps) {
            g_propagate_error(error, g_error_copy(inquiry->why));
            return false;
        }
        caps = emulator_caps_ref(inquiry->caps);
    }
    *ret_caps = g_steal_pointer(&caps);
    return true;
}

EmulatorCaps *emulator_store_peek(EmulatorStore *store, const char *path)
{
    const Entry *entry = g_hash_table_lookup(store->entries, path);
    EmulatorIdentity identity;

    if (!entry || !entry->caps ||
        !store_identify(store, path, &identity, NULL) ||
        !emulator_identity_equal(&entry->identity, &identity))
        return NULL;
    return emulator_caps_ref(entry->caps);
}

static char *find_target(const char *target)
{
    g_autofree char *name = g_strconcat("qemu-system-", target, NULL);

    return g_find_program_in_path(name);
}

char *emulator_find_for_arch(const char *arch_name)
{
    const Arch *arch = arch_find(arch_name);
    char *path = arch ? find_target(arch->target) : NULL;

    if (!path && arch && arch->stand_in)
        path = find_target(arch->stand_in);
    if (!path && arch == arch_find_host()) /* where some distributions put their only one */
        path = g_find_program_in_path("/usr/libexec/qemu-kvm");
    return path;
}

const char *emulator_host_arch(void)
{
    return arch_find_host()->name;
}

bool emulator_store_default_for_arch(EmulatorStore *store, const char *arch,
                                     EmulatorCaps **ret_caps, GError **error)
{
    g_autofree char *path = emulator_find_for_arch(arch);

    if (path)
        return emulator_store_get(store, path, ret_caps, error);
    if (arch_find(arch))
        error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "No emulator found for arch '%s'",
                  arch);
    else
        error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "Unknown architecture %s", arch);
    return false;
}

static void guest_clear(void *data)
{
    emulator_caps_unref(((EmulatorGuest *) data)->caps);
}

/* Sets them all going, so that the waits that follow take no longer than the slowest. */
static void store_start_all(EmulatorStore *store, char *const *paths)
{
    for (guint i = 0; i < arch_table_length; i++) {
        g_autoptr(EmulatorCaps) caps = NULL;
        g_autoptr(Inquiry) inquiry = NULL;

        if (paths[i])
            store_look_up(store, paths[i], &caps, &inquiry, NULL);
    }
}

static SUSPENDS bool store_append_guest(EmulatorStore *store, const Arch *arch, const char *path,
                                        GArray *guests, GError **error)
{
    g_autoptr(GError) why = NULL;
    EmulatorGuest guest = { .arch = arch->name, .word_size = arch->word_size };

    if (emulator_store_get(store, path, &guest.caps, &why))
        g_array_append_val(guests, guest);
    else if (why->code == VIR_ERR_OPERATION_ABORTED) {
        g_propagate_error(error, g_steal_pointer(&why));
        return false;
    } else
        LOG_WARN("%s", why->message);
    return true;
}

bool emulator_store_get_guests(EmulatorStore *store, GArray **ret_guests, GError **error)
{
    g_autoptr(GArray) guests = g_array_new(FALSE, FALSE, sizeof(EmulatorGuest));
    g_auto(GStrv) paths = g_new0(char *, arch_table_length + 1);
    bool is_fine = true;

    g_array_set_clear_func(guests, guest_clear);
    for (guint i = 0; i < arch_table_length; i++)
        paths[i] = emulator_find_for_arch(arch_table[i].name);
    store_start_all(store, paths);
    for (guint i = 0; i < arch_table_length && is_fine; i++) {
        if (paths[i])
            is_fine = store_append_guest(store, &arch_table[i], paths[i], guests, error);
    }
    /* g_strfreev() would stop at the first that is missing. */
    for (guint i = 0; i < arch_table_length; i++)
        g_clear_pointer(&paths[i], g_free);
    if (is_fine)
        *ret_guests = g_steal_pointer(&guests);
    return is_fine;
}
