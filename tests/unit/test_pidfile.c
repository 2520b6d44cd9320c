/* Pid files: one holder at a time. */
#include "base/pidfile.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"

typedef struct Fixture {
    char *folder;
    char *path;
} Fixture;

static void fixture_set_up(Fixture *fixture, gconstpointer unused)
{
    fixture->folder = g_dir_make_tmp("test-pidfile-XXXXXX", NULL);
    g_assert_nonnull(fixture->folder);
    fixture->path = g_build_filename(fixture->folder, "x.pid", NULL);
}

static void fixture_tear_down(Fixture *fixture, gconstpointer unused)
{
    g_remove(fixture->path);
    g_rmdir(fixture->folder);
    g_free(fixture->folder);
    g_free(fixture->path);
}

static void test_holds_the_pid_until_release(Fixture *fixture, gconstpointer unused)
{
    PidFile *pid_file = pid_file_acquire(fixture->path, NULL);
    g_autofree char *expected = g_strdup_printf("%d\n", (int) getpid());
    g_autofree char *content = NULL;

    g_assert_nonnull(pid_file);
    g_assert_true(g_file_get_contents(fixture->path, &content, NULL, NULL));
    g_assert_cmpstr(content, ==, expected);
    pid_file_release(pid_file);
    g_assert_false(g_file_test(fixture->path, G_FILE_TEST_EXISTS));
}

static void test_second_is_refused_naming_the_first(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(PidFile) first = pid_file_acquire(fixture->path, NULL);
    g_autoptr(GError) error = NULL;
    g_autofree char *expected = g_strdup_printf("process %d", (int) getpid());

    g_assert_nonnull(first);
    g_assert_null(pid_file_acquire(fixture->path, &error));
    g_assert_error(error, error_quark(VIR_FROM_NONE), VIR_ERR_RESOURCE_BUSY);
    g_assert_nonnull(strstr(error->message, expected));
    g_assert_true(g_file_test(fixture->path, G_FILE_TEST_EXISTS));
}

static void test_other_process_is_refused(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(PidFile) first = pid_file_acquire(fixture->path, NULL);
    int status;
    pid_t child;

    g_assert_nonnull(first);
    child = fork();
    if (child == 0)
        _exit(pid_file_acquire(fixture->path, NULL) == NULL ? 0 : 1);
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_cmpint(status, ==, 0);
}

static void test_file_of_a_killed_daemon_is_taken_over(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(PidFile) pid_file = NULL;
    g_autofree char *content = NULL;

    g_assert_true(g_file_set_contents(fixture->path, "123456789012\n", -1, NULL));
    pid_file = pid_file_acquire(fixture->path, NULL);
    g_assert_nonnull(pid_file);
    g_assert_true(g_file_get_contents(fixture->path, &content, NULL, NULL));
    g_assert_cmpint((int) g_ascii_strtoll(content, NULL, 10), ==, (int) getpid());
}

static void test_lock_of_the_classic_kind_is_respected(Fixture *fixture, gconstpointer unused)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    int fd = open(fixture->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    g_assert_cmpint(fcntl(fd, F_SETLK, &lock), ==, 0);
    g_assert_null(pid_file_acquire(fixture->path, NULL));
    close(fd);
}

static void test_release_spares_the_file_of_another(Fixture *fixture, gconstpointer unused)
{
    PidFile *pid_file = pid_file_acquire(fixture->path, NULL);

    g_remove(fixture->path);
    g_assert_true(g_file_set_contents(fixture->path, "1\n", -1, NULL));
    pid_file_release(pid_file);
    g_assert_true(g_file_test(fixture->path, G_FILE_TEST_EXISTS));
}

static void test_onlooker_sees_who_holds_it(Fixture *fixture, gconstpointer unused)
{
    pid_t pid = -1;
    PidFile *pid_file;

    g_assert_false(pid_file_read_holder(fixture->path, &pid));
    pid_file = pid_file_acquire(fixture->path, NULL);
    g_assert_true(pid_file_read_holder(fixture->path, &pid));
    g_assert_cmpint(pid, ==, getpid());
    pid_file_release(pid_file);
    g_assert_true(g_file_set_contents(fixture->path, "1\n", -1, NULL));
    g_assert_true(pid_file_read_holder(fixture->path, &pid));
    g_assert_cmpint(pid, ==, 0);
}

static void test_unusable_paths_are_errors(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *target = g_build_filename(fixture->folder, "target", NULL);

    g_assert_null(pid_file_acquire(fixture->folder, &error));
    g_assert_error(error, error_quark(VIR_FROM_NONE), VIR_ERR_SYSTEM_ERROR);
    g_assert_cmpint(symlink(target, fixture->path), ==, 0);
    g_assert_null(pid_file_acquire(fixture->path, NULL));
    pid_file_release(NULL);
}

#define ADD(name)                                                                            \
    g_test_add("/pidfile/" #name, Fixture, NULL, fixture_set_up, test_##name, fixture_tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(holds_the_pid_until_release);
    ADD(second_is_refused_naming_the_first);
    ADD(other_process_is_refused);
    ADD(file_of_a_killed_daemon_is_taken_over);
    ADD(lock_of_the_classic_kind_is_respected);
    ADD(release_spares_the_file_of_another);
    ADD(onlooker_sees_who_holds_it);
    ADD(unusable_paths_are_errors);
    return g_test_run();
}
