/* Reading the files at start is the work of a few threads, a slice of the names each: they look at
 * a file just closely enough to know what lists show (model/definition_scan.h), and read it whole
 * when it is not laid out as daemons write it. */
#include "virtqemud/definitions.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "fiber/offload.h"
#include "virtqemud/model/definition_scan.h"

LOG_INIT("qemu.definitions");

/* Definitions that stay in memory after somebody has asked for them. */
#define WARM_MAX 32
/* Slices that are read at the same time; the threads of fiber/offload.h. */
#define N_SLICES 4
#define FILE_SUFFIX ".xml"
/* Of the link of a domain that starts with the host the next time only. */
#define ONCE_SUFFIX ".once"

struct Definitions {
    const StateFolders *folders;
    GQueue warm; /* of Domain, the one asked for last in front; links lie in the domains */
};

Definitions *definitions_new(const StateFolders *folders)
{
    Definitions *definitions = g_new0(Definitions, 1);

    definitions->folders = folders;
    return definitions;
}


/* Out of memory; the file stays what it is. */
static void definition_cool(Definitions *definitions, Domain *domain)
{
    if (!domain->definition)
        return;
    g_queue_unlink(&definitions->warm, &domain->warm_link);
    domain_def_free(g_steal_pointer(&domain->definition));
    object_unref(domain);
}

void definitions_free(Definitions *definitions)
{
    if (!definitions)
        return;
    while (definitions->warm.head)
        definition_cool(definitions, definitions->warm.head->data);
    g_free(definitions);
}

/* Takes @def. A warm domain has a reference of its own, so that the link stays valid. */
static void definition_warm(Definitions *definitions, Domain *domain, DomainDef *def)
{
    definition_cool(definitions, domain);
    domain->definition = def;
    g_queue_push_head_link(&definitions->warm, &domain->warm_link);
    object_ref(domain);
    if (definitions->warm.length > WARM_MAX)
        definition_cool(definitions, g_queue_peek_tail(&definitions->warm));
}

static DomainDef *definition_read(const char *path, GError **error)
{
    g_autofree char *text = NULL;

    return file_read_all(path, XML_SIZE_MAX, &text, NULL, error)
               ? domain_def_parse(text, DOMAIN_PARSE_INACTIVE, error)
               : NULL;
}

const DomainDef *definitions_get(Definitions *definitions, Domain *domain, GError **error)
{
    g_autofree char *path = NULL;
    g_autoptr(DomainDef) def = NULL;

    if (!domain->is_persistent) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID,
                  "transient domains do not have any persistent config");
        return NULL;
    }
    if (domain->definition) {
        g_queue_unlink(&definitions->warm, &domain->warm_link);
        g_queue_push_head_link(&definitions->warm, &domain->warm_link);
        return domain->definition;
    }
    path = state_definition_path(definitions->folders, domain->object.name);
    def = definition_read(path, error);
    if (!def)
        return NULL;
    if (strcmp(def->name, domain->object.name) || !uuid_equal(&def->uuid, &domain->object.uuid)) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                  "%s is the definition of another domain than '%s' now", path,
                  domain->object.name);
        return NULL;
    }
    definition_warm(definitions, domain, g_steal_pointer(&def));
    return domain->definition;
}

/* ---- Changes ---- */

typedef struct FileWrite {
    const char *path, *link, *once_link, *text;
    GString *content;
} FileWrite;

static bool write_file(void *data, GError **error)
{
    const FileWrite *write = data;

    return file_replace_atomic(write->path, write->content->str, write->content->len, 0600,
                               FILE_KEEP_UID, FILE_KEEP_GID, error);
}

/* The words above a definition, for whoever opens the file in an editor. */
static GString *definition_file_content(const DomainDef *def)
{
    g_autofree char *text = domain_def_format(def, DOMAIN_FORMAT_INACTIVE | DOMAIN_FORMAT_SECURE);
    GString *content = g_string_new(NULL);

    g_string_append_printf(content,
                           "<!--\nThis file belongs to a daemon, which may write it anew at any "
                           "time. To change it use\n  virsh edit %s\nor another program that "
                           "speaks to the daemon.\n-->\n\n",
                           strstr(def->name, "--") ? "NAME" : def->name);
    g_string_append(content, text);
    return content;
}

bool definitions_save(Definitions *definitions, Domain *domain, DomainDef *taken_def,
                      GError **error)
{
    g_autoptr(DomainDef) def = taken_def;
    g_autofree char *path = state_definition_path(definitions->folders, def->name);
    FileWrite write = { .path = path, .content = definition_file_content(def) };
    bool is_written = fiber_offload(write_file, &write, error);

    g_string_free(write.content, TRUE);
    if (!is_written)
        return false;
    domain->is_persistent = true;
    definition_warm(definitions, domain, g_steal_pointer(&def));
    return true;
}

/* The definition first: with it everything is gone, and a link to nothing goes at the next
 * start. */
static bool remove_files(void *data, GError **error)
{
    const FileWrite *write = data;

    return (!write->path || file_remove_durable(write->path, error)) &&
           (!write->once_link || file_remove_durable(write->once_link, error)) &&
           file_remove_durable(write->link, error);
}

static const char *const link_suffixes[N_AUTOSTART_KINDS] = { "", ONCE_SUFFIX };

static char *link_path(const Definitions *definitions, const Domain *domain, AutostartKind kind)
{
    g_autofree char *path = state_autostart_path(definitions->folders, domain->object.name);

    return g_strconcat(path, link_suffixes[kind], NULL);
}

static bool *autostart_flag(Domain *domain, AutostartKind kind)
{
    return kind == AUTOSTART_ONCE ? &domain->is_autostarted_once : &domain->is_autostarted;
}

bool definitions_get_autostart(const Domain *domain, AutostartKind kind)
{
    return kind == AUTOSTART_ONCE ? domain->is_autostarted_once : domain->is_autostarted;
}

bool definitions_remove(Definitions *definitions, Domain *domain, GError **error)
{
    g_autofree char *path = state_definition_path(definitions->folders, domain->object.name);
    g_autofree char *link = link_path(definitions, domain, AUTOSTART_ALWAYS);
    g_autofree char *once_link = link_path(definitions, domain, AUTOSTART_ONCE);
    FileWrite write = { .path = path, .link = link, .once_link = once_link };

    if (!fiber_offload(remove_files, &write, error))
        return false;
    domain->is_persistent = domain->is_autostarted = domain->is_autostarted_once = false;
    definition_cool(definitions, domain);
    return true;
}

static bool make_link(void *data, GError **error)
{
    const FileWrite *write = data;
    g_autofree char *folder = g_path_get_dirname(write->link);

    return mkdir_parents(folder, 0755, error) &&
           symlink_replace_atomic(write->link, write->path, error);
}

bool definitions_set_autostart(Definitions *definitions, Domain *domain, AutostartKind kind,
                               bool is_autostarted, GError **error)
{
    g_autofree char *path = state_definition_path(definitions->folders, domain->object.name);
    g_autofree char *link = link_path(definitions, domain, kind);
    FileWrite write = { .path = is_autostarted ? path : NULL, .link = link };

    if (!fiber_offload(is_autostarted ? make_link : remove_files, &write, error))
        return false;
    *autostart_flag(domain, kind) = is_autostarted;
    return true;
}

/* ---- Loading ---- */

/* A slice of the folder for one thread. */
typedef struct Slice {
    const char *folder;
    const GPtrArray *names; /* shared, of file names */
    guint first, step;
    GPtrArray *domains; /* of Domain, at the places of the names; NULL where there is none */
    FiberCompletion done;
} Slice;

/* Whether the file of that name may hold a domain of that name. */
static bool file_name_fits(const char *file_name, const char *name)
{
    size_t length = strlen(name);

    return strncmp(file_name, name, length) == 0 && strcmp(file_name + length, FILE_SUFFIX) == 0;
}

static Domain *definition_load(const char *folder, const char *file_name, GError **error)
{
    g_autofree char *path = g_build_filename(folder, file_name, NULL);
    g_autofree char *text = NULL;
    g_auto(DefinitionSummary) summary = { 0 };
    g_autoptr(DomainDef) def = NULL;
    Domain *domain;
    gsize length;

    if (!file_read_all(path, XML_SIZE_MAX, &text, &length, error))
        return NULL;
    if (!definition_scan(text, length, &summary)) {
        def = domain_def_parse(text, DOMAIN_PARSE_INACTIVE, error);
        if (!def)
            return NULL;
        summary.name = g_strdup(def->name);
        summary.uuid = def->uuid;
    }
    if (!file_name_fits(file_name, summary.name)) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                  "it defines the domain '%s', whose file has another name", summary.name);
        return NULL;
    }
    domain = domain_new(summary.name, &summary.uuid);
    domain->is_persistent = true;
    return domain;
}

/* In a thread. Logging may be done from any. */
static bool slice_load(void *data, GError **error)
{
    Slice *slice = data;

    for (guint i = slice->first; i < slice->names->len; i += slice->step) {
        g_autoptr(GError) reason = NULL;

        slice->domains->pdata[i] =
            definition_load(slice->folder, slice->names->pdata[i], &reason);
        if (!slice->domains->pdata[i])
            LOG_ERROR("%s/%s is no definition of a domain and is left alone: %s", slice->folder,
                      (const char *)slice->names->pdata[i], reason->message);
    }
    return true;
}

static void slice_fiber(void *data)
{
    Slice *slice = data;
    g_autoptr(GError) error = NULL;

    if (!fiber_offload(slice_load, slice, &error))
        LOG_GERROR(error);
    fiber_completion_signal(&slice->done);
}

/* All slices at the same time; each is waited for, whatever happens, for they are on the stack. */
static void load_slices(Slice *slices, guint n_slices)
{
    FiberLoop *loop = fiber_get_loop(fiber_current());

    for (guint i = 1; i < n_slices; i++) {
        if (!fiber_spawn(loop, "definitions", slice_fiber, &slices[i], NULL, NULL))
            slice_fiber(&slices[i]);
    }
    slice_fiber(&slices[0]);
    /* Offloaded work ends by itself: reading local files. */
    for (guint i = 1; i < n_slices; i++)
        fiber_completion_await(&slices[i].done);
}

/* Two files may claim one uuid: the first by name has it. */
static void add_loaded(ObjectStore *domains, const GPtrArray *loaded)
{
    for (guint i = 0; i < loaded->len; i++) {
        g_autoptr(GError) error = NULL;
        Domain *domain = loaded->pdata[i];

        if (domain && !object_store_add(domains, &domain->object, &error))
            LOG_ERROR("the definition of '%s' is left alone: %s", domain->object.name,
                      error->message);
        object_unref(domain);
    }
}

/* What an undefine leaves that was cut short: a link to a file that is gone. A domain that is
 * defined later under that name would be started for it. */
static void check_link(const char *folder, const char *file_name)
{
    g_autofree char *path = g_build_filename(folder, file_name, NULL);
    g_autoptr(GError) error = NULL;

    if (access(path, F_OK) == 0 || errno != ENOENT)
        LOG_WARN("%s starts no domain: there is none of that name", path);
    else if (file_remove_durable(path, &error))
        LOG_WARN("%s started no domain, and was removed: what it links to is gone", path);
    else
        LOG_GERROR(error);
}

static bool mark_links(const char *folder, ObjectStore *domains, AutostartKind kind,
                       GError **error)
{
    g_autofree char *suffix = g_strconcat(FILE_SUFFIX, link_suffixes[kind], NULL);
    g_autoptr(GPtrArray) names = NULL;

    if (!dir_list(folder, suffix, &names, error))
        return false;
    for (guint i = 0; i < names->len; i++) {
        const char *file_name = names->pdata[i];
        g_autofree char *name = g_strndup(file_name, strlen(file_name) - strlen(suffix));
        Domain *domain = object_store_find_name(domains, name);

        if (domain)
            *autostart_flag(domain, kind) = true;
        else
            check_link(folder, file_name);
        object_unref(domain);
    }
    return true;
}

static bool mark_autostarted(const Definitions *definitions, ObjectStore *domains, GError **error)
{
    const char *folder = definitions->folders->autostart_dir;

    if (access(folder, F_OK) && errno == ENOENT)
        return true;
    return dir_remove_temporaries(folder, error) &&
           mark_links(folder, domains, AUTOSTART_ALWAYS, error) &&
           mark_links(folder, domains, AUTOSTART_ONCE, error);
}

bool definitions_load(Definitions *definitions, ObjectStore *domains, GError **error)
{
    const char *folder = definitions->folders->config_dir;
    g_autoptr(GPtrArray) names = NULL;
    g_autoptr(GPtrArray) loaded = NULL;
    Slice slices[N_SLICES];
    guint n_slices;

    if (access(folder, F_OK) && errno == ENOENT)
        return true;
    if (!dir_remove_temporaries(folder, error) || !dir_list(folder, FILE_SUFFIX, &names, error))
        return false;
    loaded = g_ptr_array_sized_new(names->len);
    g_ptr_array_set_size(loaded, (int)names->len);
    n_slices = names->len < N_SLICES ? 1 : N_SLICES;
    for (guint i = 0; i < n_slices; i++)
        slices[i] = (Slice){ folder, names, i, n_slices, loaded, { { NULL, NULL }, false } };
    load_slices(slices, n_slices);
    add_loaded(domains, loaded);
    return mark_autostarted(definitions, domains, error);
}
