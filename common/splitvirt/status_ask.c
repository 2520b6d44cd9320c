/* The second half of a look at the suite: what only the daemons themselves can say, and what their
 * files say in their absence. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "common/splitvirt/ask.h"
#include "common/splitvirt/status_private.h"
#include "common/state_folders.h"
#include "fiber/process.h"
#include "fiber/sync.h"

/* A daemon that does not answer within this is said to hang. */
#define ANSWER_PATIENCE_MS 5000
#define VERSION_PATIENCE_MS 5000
#define PID_FILE_LIMIT 64

/* What the fibers of one look share; one of them for each daemon. */
typedef struct Look {
    ChannelPool *pool;
    const Paths *paths;
    guint n_questions; /* that have no answer yet */
    FiberCompletion all_answered;
} Look;

typedef struct Question {
    Look *look;
    DaemonStatus *status;
} Question;

/* "virtqemud (splitvirt-0.1.0) 11.3.0" is "0.1.0"; the namesake of another make, "virtlogd (libvirt)
 * 9.0.0", keeps that make's name: "libvirt-9.0.0". NULL for what is neither. */
static char *parse_version(const char *line)
{
    g_auto(GStrv) words = g_strsplit_set(line, " \n", 4);

    if (g_strv_length(words) < 3 || words[1][0] != '(' || !g_str_has_suffix(words[1], ")"))
        return NULL;
    words[1][strlen(words[1]) - 1] = '\0';
    if (g_str_has_prefix(words[1] + 1, "splitvirt-"))
        return g_strdup(words[1] + 1 + strlen("splitvirt-"));
    return g_strdup_printf("%s-%s", words[1] + 1, words[2]);
}

SUSPENDS static void read_version(DaemonStatus *status)
{
    const char *argv[] = { status->program, "--version", NULL };
    ProcessSpec spec = { .argv = argv, .deadline_us = fiber_deadline_ms(VERSION_PATIENCE_MS) };
    g_autofree char *output = NULL;
    g_autoptr(GError) error = NULL;

    if (!status->program)
        return;
    if (process_run_checked(&spec, &output, &error))
        status->installed_version = parse_version(output);
    else
        daemon_status_note(status, "its version cannot be read: %s", error->message);
}

/* proc(5): the name of a program whose file has gone ends so. */
static void look_at_program(DaemonStatus *status)
{
    g_autofree char *link = g_strdup_printf("/proc/%d/exe", (int)status->pid);
    g_autofree char *target = status->pid > 0 ? g_file_read_link(link, NULL) : NULL;

    if (!target || !g_str_has_suffix(target, " (deleted)"))
        return;
    status->is_outdated = true;
    daemon_status_note(status, "it runs a program that has been replaced since: restart it");
}

static const char *find_socket(const DaemonStatus *status, SuiteSocketKind kind)
{
    for (guint i = 0; i < status->sockets->len; i++) {
        const SocketStatus *found = &g_array_index(status->sockets, SocketStatus, i);

        if (found->names->kind == kind && found->probe.has_listener)
            return found->names->path;
    }
    return NULL;
}

/* Only the user whose daemon it is may use the admin socket, usually root. */
SUSPENDS static void read_clients(const Look *look, DaemonStatus *status)
{
    const char *path = find_socket(status, SUITE_SOCKET_ADMIN);
    AskClients clients;
    g_autoptr(GError) error = NULL;

    if (!path)
        return;
    if (!ask_clients(look->pool, path, fiber_deadline_ms(ANSWER_PATIENCE_MS), &clients, &error)) {
        status->hangs = error->code == VIR_ERR_OPERATION_TIMEOUT;
        if (status->hangs)
            daemon_status_note(status, "it does not answer at %s", path);
        else
            daemon_status_note(status, "its clients are not known: %s", error->message);
        return;
    }
    status->has_clients = true;
    status->n_clients = clients.connected;
    status->max_clients = clients.limit;
    status->protocol_level = clients.level;
}

SUSPENDS static void ask_for_guests(const Look *look, DaemonStatus *status)
{
    const char *path = find_socket(status, SUITE_SOCKET_RO);
    AskOpen open = { .path = path ? path : find_socket(status, SUITE_SOCKET_MAIN),
                     .uri = look->paths->is_session ? "qemu:///session" : "qemu:///system",
                     .is_read_only = path != NULL,
                     .deadline_us = fiber_deadline_ms(ANSWER_PATIENCE_MS) };
    g_autoptr(GError) error = NULL;

    if (!open.path)
        return;
    if (!ask_guests(look->pool, &open, &status->n_running_guests,
                    &status->n_shut_off_guests, &error)) {
        daemon_status_note(status, "it was not asked for its guests: %s", error->message);
        return;
    }
    status->has_guests = true;
}

/* Whether the guest of the state file @name ("a.xml") lives: its pid is in the file beside it. */
static bool is_guest_running(const char *folder, const char *name)
{
    g_autofree char *base = g_strndup(name, strlen(name) - strlen(".xml"));
    g_autofree char *path = g_strdup_printf("%s/%s.pid", folder, base);
    g_autofree char *text = NULL;
    gint64 pid;

    if (!file_read_if_exists(path, PID_FILE_LIMIT, &text, NULL, NULL) || !text)
        return false;
    pid = g_ascii_strtoll(text, NULL, 10);
    /* That it is not ours to send signals to means that it is there. */
    return pid > 0 && (kill((pid_t)pid, 0) == 0 || errno == EPERM);
}

/* Guests outlive their daemon: with it stopped, its files tell which there are. */
static void count_guests(const Paths *paths, DaemonStatus *status)
{
    g_autoptr(StateFolders) folders = state_folders_new(paths, "qemu", "qemu");
    g_autoptr(GPtrArray) live = NULL;
    g_autoptr(GPtrArray) defined = NULL;
    g_autoptr(GHashTable) running = g_hash_table_new(g_str_hash, g_str_equal);

    if ((access(folders->config_dir, F_OK) == 0 || errno != ENOENT) &&
        !dir_list(folders->config_dir, ".xml", &defined, NULL))
        return;
    if ((access(folders->run_dir, F_OK) == 0 || errno != ENOENT) &&
        !dir_list(folders->run_dir, ".xml", &live, NULL))
        return;
    for (guint i = 0; live && i < live->len; i++) {
        if (is_guest_running(folders->run_dir, g_ptr_array_index(live, i)))
            g_hash_table_add(running, g_ptr_array_index(live, i));
    }
    for (guint i = 0; defined && i < defined->len; i++)
        status->n_shut_off_guests += !g_hash_table_contains(running, g_ptr_array_index(defined, i));
    status->n_running_guests = g_hash_table_size(running);
    status->has_guests = status->guests_are_from_files = true;
}

static void answer_question(const Question *question)
{
    DaemonStatus *status = question->status;

    read_version(status);
    if (status->state == DAEMON_RUNNING) {
        look_at_program(status);
        read_clients(question->look, status);
        if (status->daemon->config == CONFIG_VIRTQEMUD && !status->hangs)
            ask_for_guests(question->look, status);
    }
    if (status->daemon->config == CONFIG_VIRTQEMUD && !status->has_guests)
        count_guests(question->look->paths, status);
}

static void look_finish_one(Look *look)
{
    if (--look->n_questions == 0)
        fiber_completion_signal(&look->all_answered);
}

/* Runs beside those for the other daemons. */
static void answer(void *data)
{
    const Question *question = data;

    answer_question(question);
    look_finish_one(question->look);
}

/* The fibers end at their deadlines. They are waited for also when the caller is cancelled: what they
 * share is freed here. */
bool suite_status_ask(SuiteStatus *suite, FiberLoop *loop, const Paths *paths, GError **error)
{
    g_autofree Question *questions = g_new0(Question, suite->daemons->len);
    Look look = { .pool = channel_pool_new(loop, error), .paths = paths,
                  .n_questions = suite->daemons->len };

    if (!look.pool)
        return false;
    for (guint i = 0; i < suite->daemons->len; i++) {
        questions[i] = (Question){ &look, g_ptr_array_index(suite->daemons, i) };
        if (!fiber_spawn(loop, "daemon", answer, &questions[i], NULL, NULL))
            look_finish_one(&look);
    }
    if (look.n_questions > 0)
        fiber_completion_await(&look.all_answered);
    channel_pool_free(look.pool);
    return true;
}
