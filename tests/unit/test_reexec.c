/* What is passed from one execution to the next: this program executes itself. */
#include <fcntl.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/reexec.h"

#define VARIABLE "SPLITVIRT_REEXEC"

static GPtrArray *receive(const char *list)
{
    bool is_anew;
    int fd = memfd_create("list", 0);
    g_autofree char *number = g_strdup_printf("%d", fd);

    g_assert_cmpint(write(fd, list, strlen(list)), ==, (ssize_t)strlen(list));
    setenv(VARIABLE, number, 1);
    GPtrArray *fds = reexec_receive(&is_anew);
    g_assert_true(is_anew);
    g_assert_null(getenv(VARIABLE));
    g_assert_cmpint(fcntl(fd, F_GETFD), ==, -1);
    return fds;
}

static void test_first_execution_gets_nothing(void)
{
    bool is_anew = true;
    g_autoptr(GPtrArray) fds = reexec_receive(&is_anew);

    g_assert_false(is_anew);
    g_assert_cmpuint(fds->len, ==, 0);
}

static void test_list_is_received(void)
{
    int fd = open("/dev/null", O_RDONLY);
    g_autofree char *list = g_strdup_printf("%d k p1\n%d o /run/a b/c-sock\n", fd, fd);
    g_autoptr(GPtrArray) fds = receive(list);
    const ReexecFd *first = g_ptr_array_index(fds, 0), *second = g_ptr_array_index(fds, 1);

    g_assert_cmpuint(fds->len, ==, 2);
    g_assert_cmpint(first->kind, ==, REEXEC_KEPT);
    g_assert_cmpstr(first->name, ==, "p1");
    g_assert_cmpint(second->kind, ==, REEXEC_OWN_SOCKET);
    g_assert_cmpstr(second->name, ==, "/run/a b/c-sock");
    g_assert_cmpint(fcntl(fd, F_GETFD), ==, FD_CLOEXEC);
    close(fd);
}

static void test_bad_lines_are_left_out(void)
{
    g_autoptr(GPtrArray) fds = receive("\nx\n1 k a\n-4 k a\n99999 k a\n3\n3 \n3 z a\n3 k\n"
                                       "99999999999999999999 k a\n3x k a\n");

    g_assert_cmpuint(fds->len, ==, 0);
}

static void test_what_is_no_list_is_nothing(void)
{
    static const char *const numbers[] = { "", "x", "-1", "0", "1", "77777" };

    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        bool is_anew = true;

        setenv(VARIABLE, numbers[i], 1);
        g_autoptr(GPtrArray) fds = reexec_receive(&is_anew);
        g_assert_false(is_anew);
        g_assert_cmpuint(fds->len, ==, 0);
    }
}

static void test_failure_leaves_everything(void)
{
    g_autoptr(GPtrArray) fds = reexec_fds_new();
    g_autoptr(GError) error = NULL;
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    g_autofree char *huge = g_strnfill(1 << 20, 'x');
    char name[] = "name";
    char *argv[] = { name, huge, NULL };

    reexec_fds_add(fds, REEXEC_KEPT, fd, "p1");
    reexec_run("/no/such/program", argv, fds, &error);
    g_assert_nonnull(error);
    g_assert_cmpint(fcntl(fd, F_GETFD), ==, FD_CLOEXEC);
    g_assert_null(getenv(VARIABLE));
    close(fd);
}

static void test_own_program_is_found(void)
{
    g_autofree char *program = reexec_find_program();

    g_assert_true(g_file_test(program, G_FILE_TEST_IS_EXECUTABLE));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/reexec/first_execution_gets_nothing", test_first_execution_gets_nothing);
    g_test_add_func("/reexec/list_is_received", test_list_is_received);
    g_test_add_func("/reexec/bad_lines_are_left_out", test_bad_lines_are_left_out);
    g_test_add_func("/reexec/what_is_no_list_is_nothing", test_what_is_no_list_is_nothing);
    g_test_add_func("/reexec/failure_leaves_everything", test_failure_leaves_everything);
    g_test_add_func("/reexec/own_program_is_found", test_own_program_is_found);
    return g_test_run();
}
