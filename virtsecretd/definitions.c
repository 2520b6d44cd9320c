/* Files of secrets, by threads: what a call does to disk is one job, so that nothing else of this
 * daemon comes in between its steps. The order of the steps is what makes a kill at any of them
 * harmless. */
#include "virtsecretd/definitions.h"

#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "fiber/offload.h"
#include "virtsecretd/folder_lock.h"
#include "xml/doc.h"

LOG_INIT("secret.definitions");

#define SUFFIX ".xml"

/* What a thread is given, and what it gives back. */
typedef struct Job {
    const ValuePlace *place;
    const char *xml_path, *xml;
    const SecretBytes *value;
    SecretBytes *ret_value;
    bool is_new, is_gone;
} Job;

static char *xml_path(const ValuePlace *place)
{
    char uuid[UUID_TEXT_SIZE];

    return g_strconcat(place->folder, "/", uuid_format(&place->uuid, uuid), SUFFIX, NULL);
}

/* A value that lies there without a definition is nobody's. */
static bool save(void *data, GError **error)
{
    Job *job = data;

    if (job->is_new && !job->value && !value_remove(job->place, error))
        return false;
    if (job->value && !value_write(job->place, job->value, error))
        return false;
    return file_replace_atomic(job->xml_path, job->xml, strlen(job->xml), 0600, FILE_KEEP_UID,
                               FILE_KEEP_GID, error);
}

bool definitions_save(const ValuePlace *place, const SecretDef *def, const SecretBytes *value,
                      bool is_new, GError **error)
{
    g_autofree char *path = xml_path(place);
    g_autofree char *xml = secret_def_format(def);
    Job job = { .place = place, .xml_path = path, .xml = xml, .value = value, .is_new = is_new };

    return fiber_offload(save, &job, error);
}

/* The other way round a definition could be left without the value that it had. */
static bool remove_both(void *data, GError **error)
{
    Job *job = data;

    if (!file_remove_durable(job->xml_path, error))
        return false;
    job->is_gone = true;
    return value_remove(job->place, error);
}

bool definitions_remove(const ValuePlace *place, bool *ret_is_gone, GError **error)
{
    g_autofree char *path = xml_path(place);
    Job job = { .place = place, .xml_path = path };
    bool is_removed = fiber_offload(remove_both, &job, error);

    *ret_is_gone = job.is_gone;
    return is_removed;
}

static bool read_value(void *data, GError **error)
{
    Job *job = data;

    return value_read(job->place, &job->ret_value, error);
}

bool definitions_read_value(const ValuePlace *place, SecretBytes **ret_value, GError **error)
{
    Job job = { .place = place };

    if (!fiber_offload(read_value, &job, error))
        return false;
    *ret_value = job.ret_value;
    return true;
}

static bool write_value(void *data, GError **error)
{
    const Job *job = data;

    return value_write(job->place, job->value, error);
}

bool definitions_write_value(const ValuePlace *place, const SecretBytes *value, GError **error)
{
    Job job = { .place = place, .value = value };

    return fiber_offload(write_value, &job, error);
}

/* ---- At the start ---- */

typedef struct Load {
    const char *folder;
    GPtrArray *defs; /* of SecretDef */
} Load;

/* NULL for a file that is not to be used. The scanner first: it is faster by far, and the parser
 * makes the daemon larger for good. */
static SecretDef *load_file(const char *folder, const char *name, GError **error)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *xml = NULL;
    g_autoptr(SecretDef) def = NULL;
    char uuid[UUID_TEXT_SIZE];

    if (!file_read_all(path, XML_SIZE_MAX, &xml, NULL, error))
        return NULL;
    def = secret_def_scan(xml);
    if (!def)
        def = secret_def_parse(xml, false, error);
    if (!def)
        return NULL;
    uuid_format(&def->uuid, uuid);
    if (strncmp(name, uuid, strlen(uuid)) != 0 || strcmp(name + strlen(uuid), SUFFIX) != 0) {
        error_set(error, VIR_FROM_SECRET, VIR_ERR_INTERNAL_ERROR,
                  "it defines secret '%s', whose file has another name", uuid);
        return NULL;
    }
    /* Whatever it says, it is on disk. */
    def->is_ephemeral = false;
    return g_steal_pointer(&def);
}

/* One bad file is no reason to be without all others. */
static void load_definitions(Load *load, const GPtrArray *names)
{
    for (guint i = 0; i < names->len; i++) {
        g_autoptr(GError) reason = NULL;
        SecretDef *def = load_file(load->folder, names->pdata[i], &reason);

        if (def)
            g_ptr_array_add(load->defs, def);
        else
            LOG_ERROR("%s/%s is no definition of a secret and is left alone: %s", load->folder,
                      (const char *)names->pdata[i], reason->message);
    }
}

/* Removes a file that a write or a removal has left which was cut short. */
static void remove_leftover(const char *path, const char *why)
{
    g_autoptr(GError) reason = NULL;

    if (file_remove_durable(path, &reason))
        LOG_WARN("%s was removed: %s", path, why);
    else
        LOG_GERROR(reason);
}

/* Values without a definition, and plain ones beside an encrypted one. */
static bool clean_values(const char *folder, const char *suffix, GError **error)
{
    g_autoptr(GPtrArray) names = NULL;

    if (!dir_list(folder, suffix, &names, error))
        return false;
    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        g_autofree char *stem = g_strndup(name, strlen(name) - strlen(suffix));
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_autofree char *xml = g_strconcat(folder, "/", stem, SUFFIX, NULL);
        g_autofree char *sealed = g_strconcat(folder, "/", stem, VALUE_SEALED_SUFFIX, NULL);
        Uuid uuid;

        if (strlen(stem) != UUID_TEXT_SIZE - 1 || !uuid_parse(stem, &uuid, NULL))
            continue;
        if (access(xml, F_OK) != 0)
            remove_leftover(path, "there is no secret that it could be the value of");
        else if (strcmp(suffix, VALUE_PLAIN_SUFFIX) == 0 && access(sealed, F_OK) == 0)
            remove_leftover(path, "the value is there encrypted");
    }
    return true;
}

/* Nobody else is in the middle of a write meanwhile. */
static bool load_folder(void *data, GError **error)
{
    Load *load = data;
    g_autoptr(GPtrArray) names = NULL;
    g_auto(FolderLock) lock = FOLDER_LOCK_NONE;

    if (!mkdir_parents(load->folder, 0700, error) ||
        !folder_lock_take(&lock, load->folder, FOLDER_ALONE, error) ||
        !dir_remove_temporaries(load->folder, error) ||
        !dir_list(load->folder, SUFFIX, &names, error) ||
        !clean_values(load->folder, VALUE_PLAIN_SUFFIX, error) ||
        !clean_values(load->folder, VALUE_SEALED_SUFFIX, error))
        return false;
    load_definitions(load, names);
    return true;
}

/* The store is the loop's, so it is filled here and not by the thread. */
bool definitions_load(const char *folder, SecretStore *store, GError **error)
{
    g_autoptr(GPtrArray) defs = g_ptr_array_new();
    Load load = { folder, defs };
    bool is_loaded = fiber_offload(load_folder, &load, error);

    for (guint i = 0; i < defs->len; i++) {
        g_autoptr(GError) reason = NULL;
        Secret *secret = secret_new(defs->pdata[i]);

        /* Two files may claim one usage: the first by name has it. */
        if (is_loaded && !secret_store_add(store, secret, &reason))
            LOG_ERROR("the definition of secret '%s' is left alone: %s", secret->object.name,
                      reason->message);
        object_unref(secret);
    }
    return is_loaded;
}
