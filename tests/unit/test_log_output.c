/* Log outputs over sockets: what arrives at syslog and at the journal. */
#include "base/log_output.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"

typedef struct Fixture {
    char *folder;
    char *path;
    int receiver;
    GString *line;
    LogRecord record;
} Fixture;

static int receiver_new(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    g_assert_cmpint(bind(fd, (const struct sockaddr *) &address, sizeof(address)), ==, 0);
    return fd;
}

static void fixture_set_up(Fixture *fixture, gconstpointer unused)
{
    fixture->folder = g_dir_make_tmp("test-log-output-XXXXXX", NULL);
    g_assert_nonnull(fixture->folder);
    fixture->path = g_build_filename(fixture->folder, "socket", NULL);
    fixture->receiver = receiver_new(fixture->path);
    fixture->line = g_string_new("HEAD main:7 : two\n\tlines\n");
    fixture->record = (LogRecord){ .level = 3,
                                   .file = "src/x.c",
                                   .line_number = 7,
                                   .func = "main",
                                   .message = "two\nlines",
                                   .line = fixture->line,
                                   .text_offset = 5 };
}

static void fixture_tear_down(Fixture *fixture, gconstpointer unused)
{
    close(fixture->receiver);
    g_remove(fixture->path);
    g_rmdir(fixture->folder);
    g_free(fixture->folder);
    g_free(fixture->path);
    g_string_free(fixture->line, TRUE);
}

/* The next message, with zero bytes as they are; NULL if there is none. */
static GString *receive(int receiver)
{
    char buffer[4096];
    ssize_t n = recv(receiver, buffer, sizeof(buffer), 0);

    return n < 0 ? NULL : g_string_new_len(buffer, n);
}

static LogOutput *open_at(const char *text, const char *path)
{
    LogOutput *output = log_output_parse(text, NULL);

    g_assert_nonnull(output);
    output->socket_path = path;
    g_assert_true(log_output_open(output, NULL));
    return output;
}

static void test_syslog_message(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(LogOutput) output = open_at("1:syslog:ident", fixture->path);
    g_autofree char *pattern =
        g_strdup_printf("^<28>[A-Z][a-z][a-z] [ \\d]\\d \\d\\d:\\d\\d:\\d\\d ident\\[%d\\]: "
                        "main:7 : two\n\tlines$",
                        (int) getpid());
    g_autoptr(GString) message = NULL;

    log_output_write(output, &fixture->record);
    message = receive(fixture->receiver);
    g_assert_nonnull(message);
    g_assert_true(g_regex_match_simple(pattern, message->str, G_REGEX_DOTALL, 0));
}

static bool has_text(const GString *message, const char *text)
{
    return memmem(message->str, message->len, text, strlen(text)) != NULL;
}

static void test_journal_fields(Fixture *fixture, gconstpointer unused)
{
    static const char message_field[] = "MESSAGE\n\x09\0\0\0\0\0\0\0two\nlines\n";
    g_autoptr(LogOutput) output = open_at("1:journald", fixture->path);
    g_autoptr(GString) message = NULL;

    log_output_write(output, &fixture->record);
    message = receive(fixture->receiver);
    g_assert_nonnull(message);
    g_assert_cmpmem(message->str, sizeof(message_field) - 1, message_field,
                    sizeof(message_field) - 1);
    g_assert_true(has_text(message, "\nPRIORITY=4\nCODE_LINE=7\nLIBVIRT_SOURCE=file\n"));
    g_assert_true(has_text(message, "src/x.c\n"));
    g_assert_false(has_text(message, "LIBVIRT_CODE"));
}

static void test_journal_has_code_and_domain_of_errors(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(LogOutput) output = open_at("1:journald", fixture->path);
    g_autoptr(GString) message = NULL;
    g_autoptr(GError) error = NULL;

    error_set(&error, VIR_FROM_NETWORK, VIR_ERR_NO_NETWORK, "x");
    fixture->record.error = error;
    log_output_write(output, &fixture->record);
    message = receive(fixture->receiver);
    g_assert_true(has_text(message, "\nLIBVIRT_SOURCE=error\n"));
    g_assert_true(has_text(message, "\nLIBVIRT_DOMAIN=19\nLIBVIRT_CODE=43\n"));
}

static void test_journal_that_is_not_there_is_an_error(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(LogOutput) output = log_output_parse("1:journald", NULL);
    g_autoptr(GError) error = NULL;

    output->socket_path = "/nonexistent/socket";
    g_assert_false(log_output_open(output, &error));
    g_assert_error(error, error_quark(VIR_FROM_NONE), VIR_ERR_SYSTEM_ERROR);
    log_output_write(output, &fixture->record);
}

static void test_receiver_that_comes_back_is_found(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(LogOutput) output = open_at("1:syslog:x", fixture->path);
    g_autoptr(GString) message = NULL;

    close(fixture->receiver);
    g_remove(fixture->path);
    log_output_write(output, &fixture->record);
    fixture->receiver = receiver_new(fixture->path);
    log_output_write(output, &fixture->record);
    message = receive(fixture->receiver);
    g_assert_nonnull(message);
}

static void test_syslog_may_come_later(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *later = g_strconcat(fixture->path, ".later", NULL);
    g_autoptr(LogOutput) output = open_at("1:syslog:x", later);
    g_autoptr(GString) message = NULL;
    int receiver;

    log_output_write(output, &fixture->record);
    receiver = receiver_new(later);
    log_output_write(output, &fixture->record);
    message = receive(receiver);
    g_assert_nonnull(message);
    close(receiver);
    g_remove(later);
}

static void test_receiver_that_never_reads_does_not_block(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(LogOutput) output = open_at("1:journald", fixture->path);

    for (int i = 0; i < 10000; i++)
        log_output_write(output, &fixture->record);
}

#define ADD(name)                                                                            \
    g_test_add("/log_output/" #name, Fixture, NULL, fixture_set_up, test_##name,             \
               fixture_tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(syslog_message);
    ADD(journal_fields);
    ADD(journal_has_code_and_domain_of_errors);
    ADD(journal_that_is_not_there_is_an_error);
    ADD(receiver_that_comes_back_is_found);
    ADD(syslog_may_come_later);
    ADD(receiver_that_never_reads_does_not_block);
    return g_test_run();
}
