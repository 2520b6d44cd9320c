#include <errno.h>
#include <string.h>

#include "common/splitvirt/account.h"
#include "common/splitvirt/diagnose.h"

static const char *describe_outcome(const Diagnosis *diagnosis)
{
    if (diagnosis->finding == FINDING_NOT_LOCAL)
        return "cannot be told from here";
    return diagnosis_is_good(diagnosis) ? "connects" : "does not connect";
}

static char *describe_socket(const SocketProbe *probe)
{
    g_autofree char *owner = probe->exists ? account_user_name(probe->uid) : NULL;
    g_autofree char *group = probe->exists ? account_group_name(probe->gid) : NULL;

    if (!probe->exists)
        return probe->reason == ENOENT || probe->reason == ENOTDIR
                   ? g_strdup("is not there")
                   : g_strdup_printf("cannot be looked at: %s", g_strerror(probe->reason));
    return g_strdup_printf("%s, owner %s, group %s, mode %04o",
                           probe->has_listener ? "listens" : "nobody listens", owner, group,
                           (unsigned)probe->mode);
}

static void print_sockets(const Diagnosis *diagnosis, FILE *out)
{
    int width = 0;

    for (guint i = 0; i < diagnosis->candidates->len; i++) {
        const Candidate *candidate = g_ptr_array_index(diagnosis->candidates, i);

        width = MAX(width, (int)strlen(candidate->path));
    }
    fprintf(out, "\nsockets, the first is the one that is opened\n");
    for (guint i = 0; i < diagnosis->candidates->len; i++) {
        const Candidate *candidate = g_ptr_array_index(diagnosis->candidates, i);
        g_autofree char *text = describe_socket(&candidate->probe);

        fprintf(out, "  %-*s  %s: %s\n", width, candidate->path, candidate->role, text);
    }
}

static void print_unit(const UnitTable *units, const char *name, FILE *out)
{
    const Unit *unit = unit_table_find(units, name);

    if (!unit)
        return;
    if (strcmp(unit->load, "loaded") != 0)
        fprintf(out, "  %s: %s\n", name, unit->load);
    else
        fprintf(out, "  %s: %s (%s)%s%s%s%s\n", name, unit->active, unit->sub,
                unit->result ? ", " : "", unit->result ? unit->result : "",
                unit->file_state && *unit->file_state ? ", " : "",
                unit->file_state && *unit->file_state ? unit->file_state : "");
}

/* Each once: a daemon owns several of the sockets. */
static void print_units(const Diagnosis *diagnosis, FILE *out)
{
    g_autoptr(GHashTable) printed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    if (!diagnosis->suite->units) {
        fprintf(out, "\nunits: %s\n", diagnosis->suite->units_reason);
        return;
    }
    fprintf(out, "\nunits\n");
    for (guint i = 0; i < diagnosis->candidates->len; i++) {
        const Candidate *candidate = g_ptr_array_index(diagnosis->candidates, i);
        char *names[] = { g_strconcat(candidate->daemon, ".service", NULL),
                          suite_socket_unit(candidate->daemon, candidate->kind) };

        for (size_t n = 0; n < G_N_ELEMENTS(names); n++) {
            if (!g_hash_table_contains(printed, names[n]))
                print_unit(diagnosis->suite->units, names[n], out);
            g_hash_table_add(printed, names[n]);
        }
    }
}

void diagnosis_print(const Diagnosis *diagnosis, FILE *out)
{
    fprintf(out, "%s: %s\n", diagnosis->uri->text, describe_outcome(diagnosis));
    fprintf(out, "reason: %s\n", diagnosis->reason);
    if (diagnosis->advice)
        fprintf(out, "to do: %s\n", diagnosis->advice);
    if (!diagnosis->suite)
        return;
    print_sockets(diagnosis, out);
    print_units(diagnosis, out);
    fprintf(out, "\nfrom other hosts: by ssh and these sockets, or by virtproxyd, TLS at port 16514 "
                 "and TCP at 16509\n");
}
