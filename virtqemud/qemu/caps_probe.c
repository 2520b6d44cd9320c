/* Two fibers: one runs the process to its end and keeps what it prints, the other talks to it.
 * All questions are sent at once, "quit" behind them; answers are collected in order. CPU models
 * are usable or not depending on the accelerator, so an emulator that has KVM is started a
 * second time without it, for that question alone. */
#include "virtqemud/qemu/caps_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "fiber/process.h"
#include "json/get.h"
#include "json/write.h"
#include "virtqemud/qemu/caps_answers.h"
#include "virtqemud/qemu/qmp.h"

/* How long an emulator may take to leave once it has answered. */
#define LEAVE_MS 2000
#define LAST_WORDS_MAX 1000
/* An emulator that prints more is not one. */
#define OUTPUT_MAX (256 * 1024)

/* One start of the emulator; both fibers have a reference. */
typedef struct Probe {
    int references;
    char *path, *accel;
    EmulatorUser user;
    uint64_t deadline_us;
    int fd, peer_fd;               /* ours (a duplicate of the session's) and the emulator's */
    int status_fd, status_peer_fd; /* the launcher's, where there is one */
    QmpSession *session;
    Fiber *process_fiber;
    ProcessResult result;
    GError *why; /* it could not be started, or not be left to end by itself */
} Probe;

static void fd_clear(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void probe_unref(Probe *probe)
{
    if (--probe->references > 0)
        return;
    fd_clear(&probe->fd);
    fd_clear(&probe->peer_fd);
    fd_clear(&probe->status_fd);
    fd_clear(&probe->status_peer_fd);
    emulator_user_clear(&probe->user);
    qmp_session_free(probe->session);
    fiber_unref(probe->process_fiber);
    process_result_clear(&probe->result);
    g_clear_error(&probe->why);
    g_free(probe->path);
    g_free(probe->accel);
    g_free(probe);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Probe, probe_unref)

/* Runs the launcher in the emulator's place; it becomes the emulator. */
static void probe_run_as_user(Probe *probe, ProcessSpec *spec)
{
    int fds[] = { emulator_user_make_plan(&probe->user, spec->argv, spec->envp),
                  probe->status_peer_fd, probe->peer_fd };
    const char *argv[] = { probe->user.launcher, NULL };

    if (fds[0] < 0) {
        error_set_errno(&probe->why, VIR_FROM_QEMU, -fds[0], "Cannot write what to do");
        return;
    }
    spec->argv = argv;
    spec->fds = fds;
    spec->n_fds = G_N_ELEMENTS(fds);
    process_run(spec, &probe->result, &probe->why);
    close(fds[0]);
}

/* In a fiber of its own. When the process is gone, what it said last may still be unread, and
 * somebody that it left behind may hold its end of the socket: the session reads to the end
 * of what came and no further. */
static void probe_run_process(void *data)
{
    g_autoptr(Probe) probe = data;
    const char *argv[] = { probe->path, "-S", "-no-user-config", "-nodefaults", "-nographic",
                           "-machine", probe->accel, "-chardev", "socket,id=qmp,fd=3",
                           "-mon", "chardev=qmp,mode=control", NULL };
    g_autofree char *path = g_strconcat("PATH=", g_getenv("PATH"), NULL);
    const char *envp[] = { "LC_ALL=C", path, NULL };
    ProcessSpec spec = { .argv = argv, .envp = envp, .max_output = OUTPUT_MAX,
                         .deadline_us = probe->deadline_us, .fds = &probe->peer_fd, .n_fds = 1 };

    if (probe->deadline_us < FIBER_FOREVER - LEAVE_MS * 1000)
        spec.deadline_us += LEAVE_MS * 1000; /* who talks to it gives up first */
    if (probe->user.launcher)
        probe_run_as_user(probe, &spec);
    else
        process_run(&spec, &probe->result, &probe->why);
    shutdown(probe->fd, SHUT_RD);
}

static bool probe_connect(Probe *probe, GError **error)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        error_set_errno(error, VIR_FROM_QEMU, errno, "Cannot make a socket to probe %s",
                        probe->path);
        return false;
    }
    probe->peer_fd = pair[1];
    if (probe->user.launcher) {
        int status[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, status) == 0) {
            probe->status_fd = status[0];
            probe->status_peer_fd = status[1];
        }
    }
    probe->fd = fcntl(pair[0], F_DUPFD_CLOEXEC, 0);
    probe->session = qmp_session_new(fiber_get_loop(fiber_current()), pair[0], probe->path, NULL,
                                     NULL, error);
    return probe->session != NULL;
}

/* The process has been started, or could not be, when this returns. */
static SUSPENDS Probe *probe_start(const char *path, const EmulatorUser *user, const char *accel,
                                   uint64_t deadline_us, GError **error)
{
    g_autoptr(Probe) probe = g_new0(Probe, 1);

    probe->references = 1;
    probe->fd = probe->peer_fd = probe->status_fd = probe->status_peer_fd = -1;
    emulator_user_copy(user, &probe->user);
    probe->path = g_strdup(path);
    probe->accel = g_strconcat("none,accel=", accel, NULL);
    probe->deadline_us = deadline_us;
    if (!probe_connect(probe, error))
        return NULL;
    probe->references++;
    if (!fiber_spawn(fiber_get_loop(fiber_current()), "emulator probe", probe_run_process, probe,
                     &probe->process_fiber, error)) {
        probe->references--;
        return NULL;
    }
    if (!fiber_yield(error)) {
        fiber_cancel(probe->process_fiber);
        return NULL;
    }
    fd_clear(&probe->peer_fd);
    fd_clear(&probe->status_peer_fd);
    return g_steal_pointer(&probe);
}

/* Waits for the process, or kills it. Whether it ended by itself. */
static SUSPENDS bool probe_end(Probe *probe, uint64_t patience_ms)
{
    if (!fiber_join(probe->process_fiber, fiber_deadline_ms(patience_ms), NULL))
        fiber_cancel(probe->process_fiber);
    return fiber_has_ended(probe->process_fiber) && !probe->why;
}

/* The end of what it printed to standard error, fit to be part of a message. */
static char *probe_last_words(const Probe *probe)
{
    const GString *text = probe->result.error_output;
    char *words = probe->status_fd >= 0 ? emulator_user_read_failure(probe->status_fd) : NULL;
    gsize skip;

    if (words || !text)
        return words ? words : g_strdup("");
    skip = text->len > LAST_WORDS_MAX ? text->len - LAST_WORDS_MAX : 0;
    words = g_utf8_make_valid(text->str + skip, (gssize) strlen(text->str + skip));
    for (char *c = words; *c; c++) {
        if (g_ascii_iscntrl(*c) && *c != '\n')
            *c = ' ';
    }
    return g_strstrip(words);
}

static char *probe_describe_end(const Probe *probe)
{
    const ProcessResult *result = &probe->result;

    return result->exit_status < 0
               ? g_strdup_printf("it was ended by signal %d", result->signal)
               : g_strdup_printf("it ended with status %d", result->exit_status);
}

/* Talking to it failed with @why: the process itself knows the reason better, if it ended. A
 * timeout is told as such. */
static SUSPENDS void probe_report(Probe *probe, const GError *why, GError **error)
{
    /* Who closes the monitor is about to end; whoever does not has a second. */
    bool has_ended = why->code != VIR_ERR_OPERATION_TIMEOUT ? probe_end(probe, 1000)
                                                            : probe_end(probe, 0);
    g_autofree char *words = probe_last_words(probe);
    g_autofree char *end = has_ended ? probe_describe_end(probe) : NULL;

    if (!has_ended && probe->why && why->code != VIR_ERR_OPERATION_TIMEOUT)
        why = probe->why;
    error_set(error, VIR_FROM_QEMU,
              why->code == VIR_ERR_OPERATION_TIMEOUT ? VIR_ERR_OPERATION_TIMEOUT
                                                     : VIR_ERR_INTERNAL_ERROR,
              "Failed to start QEMU binary %s for probing: %s", probe->path,
              *words ? words : end ? end : error_detail(why));
}

/* Starts the emulator and puts @questions to it. */
static SUSPENDS bool probe_ask(const char *path, const EmulatorUser *user, const char *accel,
                               const QmpQuestion *questions, guint count, JsonValue **answers,
                               uint64_t deadline_us, GError **error)
{
    g_autoptr(Probe) probe = probe_start(path, user, accel, deadline_us, error);
    g_autoptr(GError) why = NULL;

    if (!probe)
        return false;
    if (!qmp_session_negotiate(probe->session, deadline_us, &why) ||
        !qmp_questions_ask(probe->session, questions, count, answers, deadline_us, &why)) {
        probe_report(probe, why, error);
        return false;
    }
    /* Whether it leaves in time does not matter any more. */
    qmp_command_forget(qmp_send(probe->session, "quit", NULL, NULL));
    probe_end(probe, LEAVE_MS);
    return true;
}

/* CPU models without KVM: "kvm-cpus" are known already. */
static SUSPENDS bool probe_ask_tcg(const char *path, const EmulatorUser *user, JsonValue *facts,
                                   uint64_t deadline_us, GError **error)
{
    g_autoptr(JsonValue) answer = NULL;
    const QmpQuestion question = CPU_QUESTION;

    return probe_ask(path, user, "tcg", &question, 1, &answer, deadline_us, error) &&
           caps_answers_put_cpus(facts, "tcg-cpus", answer, error);
}

bool emulator_probe(const char *path, const EmulatorUser *user, bool with_kvm,
                    uint64_t deadline_us, JsonValue **ret_facts, GError **error)
{
    g_autoptr(CapsAnswers) answers = caps_answers_new();
    g_autoptr(JsonValue) facts = NULL;
    g_autoptr(GError) why = NULL;
    bool has_kvm;

    if (!probe_ask(path, user, with_kvm ? "kvm:tcg" : "tcg", answers->questions,
                   answers->count, answers->values, deadline_us, error))
        return false;
    facts = caps_answers_to_facts(answers, &has_kvm, &why);
    if (!facts) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "Emulator %s gives no sense: %s",
                  path, error_detail(why));
        return false;
    }
    if (has_kvm && !probe_ask_tcg(path, user, facts, deadline_us, error))
        return false;
    *ret_facts = g_steal_pointer(&facts);
    return true;
}
