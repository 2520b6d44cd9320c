#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "net/activation.h"
#include "net_testing.h"

/* What each case checks in a process of its own: its descriptors start at 3. */
typedef void (*ChildFunc)(const char *path);

/* Becomes a process that a service manager started: descriptor 3 listens at @path, 4 is
 * a file, as from the descriptor store. */
static void child_prepare(const char *path)
{
    NetUnixOptions options = { .mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1 };
    g_autofree char *pid = g_strdup_printf("%d", getpid());
    NetListener *listener = net_listener_new_unix(path, &options, NULL);
    int file = open("/dev/null", O_RDONLY);
    int high = fcntl(net_listener_get_fd(listener), F_DUPFD, 100);
    int high_file = fcntl(file, F_DUPFD, 100);

    /* Without close-on-exec, as after exec. The child never frees @listener. */
    g_assert_cmpint(dup2(high, 3), ==, 3);
    g_assert_cmpint(dup2(high_file, 4), ==, 4);
    close(high);
    close(high_file);
    g_setenv("LISTEN_PID", pid, TRUE);
    g_setenv("LISTEN_FDS", "2", TRUE);
    g_setenv("LISTEN_FDNAMES", "main.socket:pipe-1", TRUE);
}

static void run_in_child(ChildFunc func)
{
    g_autofree char *folder = testing_make_folder();
    g_autofree char *path = g_build_filename(folder, "sock", NULL);
    int status = 0;
    pid_t pid = fork();

    g_assert_cmpint(pid, >=, 0);
    if (pid == 0) {
        child_prepare(path);
        func(path);
        _exit(0);
    }
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    g_unlink(path);
    g_rmdir(folder);
    g_assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void child_reads_list(const char *path)
{
    g_autoptr(GPtrArray) fds = NULL;

    g_assert_true(net_activation_receive(&fds, NULL));
    g_assert_cmpuint(fds->len, ==, 2);
    const NetActivatedFd *listening = fds->pdata[0];
    const NetActivatedFd *stored = fds->pdata[1];
    g_assert_cmpint(listening->fd, ==, 3);
    g_assert_cmpstr(listening->name, ==, "main.socket");
    g_assert_cmpstr(listening->address, ==, path);
    g_assert_true(listening->is_listening);
    g_assert_cmpint(stored->fd, ==, 4);
    g_assert_cmpstr(stored->name, ==, "pipe-1");
    g_assert_null(stored->address);
    g_assert_false(stored->is_listening);
    g_assert_cmpint(fcntl(3, F_GETFD), ==, FD_CLOEXEC);
    g_assert_cmpint(fcntl(4, F_GETFD), ==, FD_CLOEXEC);
}

static void test_list_has_names_and_addresses(void)
{
    run_in_child(child_reads_list);
}

static void child_reads_twice(const char *path)
{
    GPtrArray *fds = NULL;

    g_assert_true(net_activation_receive(&fds, NULL));
    g_assert_null(g_getenv("LISTEN_FDS"));
    g_assert_null(g_getenv("LISTEN_PID"));
    g_assert_null(g_getenv("LISTEN_FDNAMES"));
    g_ptr_array_unref(fds);
    g_assert_true(net_activation_receive(&fds, NULL));
    g_assert_cmpuint(fds->len, ==, 0);
    g_ptr_array_unref(fds);
    /* What nobody took is closed. */
    g_assert_cmpint(fcntl(3, F_GETFD), ==, -1);
}

static void test_environment_is_cleared(void)
{
    run_in_child(child_reads_twice);
}

static void child_makes_listener(const char *path)
{
    g_autoptr(GPtrArray) fds = NULL;
    GError *error = NULL;

    g_assert_true(net_activation_receive(&fds, NULL));
    g_autoptr(NetListener) listener = net_activated_fd_to_listener(fds->pdata[0], NULL);
    g_assert_cmpstr(net_listener_get_address(listener), ==, path);
    g_assert_cmpint(fcntl(3, F_GETFL) & O_NONBLOCK, ==, O_NONBLOCK);
    g_assert_null(net_activated_fd_to_listener(fds->pdata[1], &error));
    testing_assert_error(error, VIR_ERR_SYSTEM_ERROR, "'pipe-1'");
    g_assert_cmpint(((NetActivatedFd *)fds->pdata[1])->fd, ==, 4);
}

static void test_only_listening_sockets_become_listeners(void)
{
    run_in_child(child_makes_listener);
}

static void child_is_for_another(const char *path)
{
    g_autoptr(GPtrArray) fds = NULL;

    g_setenv("LISTEN_PID", "1", TRUE);
    g_assert_true(net_activation_receive(&fds, NULL));
    g_assert_cmpuint(fds->len, ==, 0);
    g_assert_cmpint(fcntl(3, F_GETFD), >=, 0);
}

static void test_descriptors_for_another_process_are_left_alone(void)
{
    run_in_child(child_is_for_another);
}

static void child_has_bad_number(const char *path)
{
    g_autoptr(GPtrArray) fds = NULL;
    GError *error = NULL;

    g_setenv("LISTEN_FDS", "many", TRUE);
    g_assert_false(net_activation_receive(&fds, &error));
    testing_assert_error(error, VIR_ERR_SYSTEM_ERROR, "service manager");
}

static void test_bad_environment_is_an_error(void)
{
    run_in_child(child_has_bad_number);
}

#define ADD(name) g_test_add_func("/net/activation/" #name, test_##name)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(list_has_names_and_addresses);
    ADD(environment_is_cleared);
    ADD(only_listening_sockets_become_listeners);
    ADD(descriptors_for_another_process_are_left_alone);
    ADD(bad_environment_is_an_error);
    return g_test_run();
}
