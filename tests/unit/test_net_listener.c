#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "net/address.h"
#include "net/listener.h"
#include "net_testing.h"

static const NetUnixOptions private_options = {
    .mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1, .backlog = 8
};

typedef struct Fixture {
    char *folder;
    char *path;
    GError *error;
} Fixture;

static void fixture_set_up(Fixture *fixture, const void *data)
{
    fixture->folder = testing_make_folder();
    fixture->path = g_build_filename(fixture->folder, "test-sock", NULL);
}

static void fixture_tear_down(Fixture *fixture, const void *data)
{
    g_unlink(fixture->path);
    g_free(fixture->path);
    /* Also fails if a lock file was left. */
    testing_remove_folder(fixture->folder);
}

static NetListener *listen_at(Fixture *fixture)
{
    return net_listener_new_unix(fixture->path, &private_options, &fixture->error);
}

/* Connects, blocking; returns the descriptor or -errno. */
static int connect_to(const char *path)
{
    g_auto(NetUnixAddress) address = { .folder_fd = -1 };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_assert_true(net_unix_address_init(&address, path, NULL));
    if (connect(fd, (void *)&address.address, address.length) == 0)
        return fd;
    int reason = errno;
    close(fd);
    return -reason;
}

/* Leaves the socket file of a listener that has gone. */
static void leave_stale_socket(const char *path)
{
    g_auto(NetUnixAddress) address = { .folder_fd = -1 };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_assert_true(net_unix_address_init(&address, path, NULL));
    g_assert_cmpint(bind(fd, (void *)&address.address, address.length), ==, 0);
    close(fd);
    g_assert_cmpint(connect_to(path), ==, -ECONNREFUSED);
}

static void test_client_is_accepted(Fixture *fixture, const void *data)
{
    g_autoptr(NetListener) listener = listen_at(fixture);
    g_autoptr(NetSocket) socket = NULL;
    char buffer[4];
    size_t n_fds;

    g_assert_cmpint(net_listener_accept(listener, &socket), ==, -EAGAIN);
    int client = connect_to(fixture->path);
    g_assert_cmpint(net_listener_accept(listener, &socket), ==, 0);
    g_assert_cmpint(fcntl(net_socket_get_fd(socket), F_GETFD), ==, FD_CLOEXEC);
    g_assert_cmpint(net_socket_receive(socket, buffer, 4, NULL, 0, &n_fds), ==, -EAGAIN);
    g_assert_cmpstr(net_listener_get_address(listener), ==, fixture->path);
    g_assert_true(net_listener_is_unix(listener));
    close(client);
}

static void test_mode_is_set_whatever_the_umask(Fixture *fixture, const void *data)
{
    NetUnixOptions options = private_options;
    struct stat st;
    mode_t umask_before = umask(0077);

    options.mode = 0666;
    g_autoptr(NetListener) listener = net_listener_new_unix(fixture->path, &options, NULL);
    g_assert_nonnull(listener);
    umask(umask_before);
    g_assert_cmpint(lstat(fixture->path, &st), ==, 0);
    g_assert_cmpuint(st.st_mode & 07777, ==, 0666);
}

static void test_owner_is_set(Fixture *fixture, const void *data)
{
    NetUnixOptions options = { .mode = 0660, .uid = 1234, .gid = 4321 };
    struct stat st;

    if (geteuid() != 0) {
        g_test_skip("needs root");
        return;
    }
    g_autoptr(NetListener) listener = net_listener_new_unix(fixture->path, &options, NULL);
    g_assert_nonnull(listener);
    g_assert_cmpint(lstat(fixture->path, &st), ==, 0);
    g_assert_cmpuint(st.st_uid, ==, 1234);
    g_assert_cmpuint(st.st_gid, ==, 4321);
}

static void test_socket_file_goes_with_the_listener(Fixture *fixture, const void *data)
{
    NetListener *listener = listen_at(fixture);

    g_assert_true(g_file_test(fixture->path, G_FILE_TEST_EXISTS));
    net_listener_free(listener);
    g_assert_false(g_file_test(fixture->path, G_FILE_TEST_EXISTS));
}

static void test_successors_socket_file_stays(Fixture *fixture, const void *data)
{
    NetListener *first = listen_at(fixture);

    g_assert_cmpint(g_unlink(fixture->path), ==, 0);
    g_autoptr(NetListener) second = listen_at(fixture);
    g_assert_nonnull(second);
    net_listener_free(first);
    int client = connect_to(fixture->path);
    g_assert_cmpint(client, >=, 0);
    close(client);
}

static void test_stale_socket_is_replaced(Fixture *fixture, const void *data)
{
    leave_stale_socket(fixture->path);
    g_autoptr(NetListener) listener = listen_at(fixture);
    g_assert_nonnull(listener);
    g_assert_no_error(fixture->error);
    int client = connect_to(fixture->path);
    g_assert_cmpint(client, >=, 0);
    close(client);
}

static void test_second_listener_is_refused(Fixture *fixture, const void *data)
{
    g_autoptr(NetListener) first = listen_at(fixture);

    g_assert_nonnull(first);
    g_assert_null(listen_at(fixture));
    testing_assert_error(fixture->error, VIR_ERR_SYSTEM_ERROR, "Address already in use");
    int client = connect_to(fixture->path);
    g_assert_cmpint(client, >=, 0);
    close(client);
}

/* A process that listens at @path for a moment and leaves the file. Returns when it listens. */
static pid_t hold_briefly(const char *path)
{
    NetListener *listener = net_listener_new_unix(path, &private_options, NULL);
    pid_t pid = fork();

    g_assert_nonnull(listener);
    g_assert_cmpint(pid, >=, 0);
    if (pid == 0) {
        g_usleep(60 * 1000);
        _exit(0);
    }
    /* Its own descriptor goes, and the file stays as if it had been killed. */
    g_autofree char *aside = g_strconcat(path, ".aside", NULL);
    g_assert_cmpint(rename(path, aside), ==, 0);
    net_listener_free(listener);
    g_assert_cmpint(rename(aside, path), ==, 0);
    return pid;
}

/* As after kill -9 while a child was being made: that has the sockets until it executes. */
static void test_child_that_soon_lets_go_is_waited_for(Fixture *fixture, const void *data)
{
    int held = hold_briefly(fixture->path);
    g_autoptr(NetListener) listener = listen_at(fixture);

    g_assert_no_error(fixture->error);
    g_assert_nonnull(listener);
    g_assert_cmpint(waitpid(held, NULL, 0), ==, held);
}

static void test_busy_listener_is_not_taken_for_stale(Fixture *fixture, const void *data)
{
    NetUnixOptions options = { .mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1, .backlog = 1 };
    g_autoptr(NetListener) first = net_listener_new_unix(fixture->path, &options, NULL);
    int clients[2] = { connect_to(fixture->path), connect_to(fixture->path) };

    g_assert_nonnull(first);
    g_assert_null(listen_at(fixture));
    testing_assert_error(fixture->error, VIR_ERR_SYSTEM_ERROR, "Address already in use");
    close(clients[0]);
    close(clients[1]);
}

/* Tries to listen, tells how it went, and stays until the other end is closed. */
static void contender_run(const char *path, int report_fd, int stay_fd)
{
    NetListener *listener = net_listener_new_unix(path, &private_options, NULL);
    char byte = listener ? '1' : '0';

    if (write(report_fd, &byte, 1) != 1 || read(stay_fd, &byte, 1) != 0)
        _exit(1);
    _exit(0);
}

static void test_one_of_many_contenders_wins(Fixture *fixture, const void *data)
{
    enum { N_CONTENDERS = 6 };
    int report[2];
    int stay[2];
    int n_winners = 0;
    char byte;

    leave_stale_socket(fixture->path);
    g_assert_cmpint(pipe2(report, O_CLOEXEC), ==, 0);
    g_assert_cmpint(pipe2(stay, O_CLOEXEC), ==, 0);
    for (int i = 0; i < N_CONTENDERS; i++) {
        pid_t pid = fork();
        g_assert_cmpint(pid, >=, 0);
        if (pid == 0) {
            close(stay[1]);
            contender_run(fixture->path, report[1], stay[0]);
        }
    }
    for (int i = 0; i < N_CONTENDERS; i++) {
        g_assert_cmpint(read(report[0], &byte, 1), ==, 1);
        n_winners += byte == '1';
    }
    int client = connect_to(fixture->path);
    g_assert_cmpint(client, >=, 0);
    g_assert_cmpint(n_winners, ==, 1);
    close(stay[1]);
    for (int i = 0; i < N_CONTENDERS; i++)
        g_assert_cmpint(wait(NULL), >, 0);
    close(client);
    close(stay[0]);
    close(report[0]);
    close(report[1]);
}

static void test_file_that_is_no_socket_is_kept(Fixture *fixture, const void *data)
{
    g_assert_true(g_file_set_contents(fixture->path, "precious", -1, NULL));
    g_assert_null(listen_at(fixture));
    testing_assert_error(fixture->error, VIR_ERR_SYSTEM_ERROR, "not a socket");
    g_assert_true(g_file_test(fixture->path, G_FILE_TEST_IS_REGULAR));
}

static void test_missing_folder_is_named(Fixture *fixture, const void *data)
{
    g_autofree char *path = g_build_filename(fixture->folder, "missing", "sock", NULL);

    g_assert_null(net_listener_new_unix(path, &private_options, &fixture->error));
    testing_assert_error(fixture->error, VIR_ERR_SYSTEM_ERROR, path);
}

static void test_long_path_works(Fixture *fixture, const void *data)
{
    g_autofree char *name = g_strnfill(100, 'd');
    g_autofree char *folder = g_build_filename(fixture->folder, name, NULL);
    g_autofree char *path = g_build_filename(folder, "sock", NULL);
    size_t n_before = testing_count_fds();

    g_assert_cmpuint(strlen(path), >, NET_UNIX_PATH_MAX);
    g_assert_cmpint(g_mkdir(folder, 0700), ==, 0);
    NetListener *listener = net_listener_new_unix(path, &private_options, &fixture->error);
    g_assert_no_error(fixture->error);
    int client = connect_to(path);
    g_assert_cmpint(client, >=, 0);
    close(client);
    net_listener_free(listener);
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    g_assert_cmpint(g_rmdir(folder), ==, 0);
    g_assert_cmpint(testing_count_fds(), ==, n_before);
}

static void test_too_long_name_is_refused_with_the_limit(Fixture *fixture, const void *data)
{
    g_autofree char *name = g_strnfill(120, 's');
    g_autofree char *path = g_build_filename(fixture->folder, name, NULL);

    g_assert_null(net_listener_new_unix(path, &private_options, &fixture->error));
    testing_assert_error(fixture->error, VIR_ERR_SYSTEM_ERROR, "107");
    g_assert_null(net_listener_new_unix("", &private_options, &fixture->error));
    testing_assert_error(fixture->error, VIR_ERR_SYSTEM_ERROR, "empty");
}

/* Leaves @n_free descriptors to this process; returns the limit to restore. */
static struct rlimit limit_descriptors(rlim_t n_free)
{
    struct rlimit limit;
    struct rlimit tight;
    int next = dup(STDERR_FILENO);

    close(next);
    g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &limit), ==, 0);
    tight = limit;
    tight.rlim_cur = (rlim_t)next + n_free;
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &tight), ==, 0);
    return limit;
}

static void test_without_descriptors_a_client_is_turned_away(Fixture *fixture, const void *data)
{
    g_autoptr(NetListener) listener = listen_at(fixture);
    g_autoptr(NetSocket) socket = NULL;
    int client = connect_to(fixture->path);
    char byte;
    struct rlimit limit = limit_descriptors(0);
    int first = net_listener_accept(listener, &socket);
    int second = net_listener_accept(listener, &socket);

    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &limit), ==, 0);
    g_assert_cmpint(first, ==, -EMFILE);
    /* The listener is no longer readable: nobody waits. */
    g_assert_true(second == -EAGAIN || second == -EMFILE);
    g_assert_cmpint(read(client, &byte, 1), ==, 0);
    close(client);
    client = connect_to(fixture->path);
    g_assert_cmpint(net_listener_accept(listener, &socket), ==, 0);
    close(client);
}

static void test_inherited_socket_file_stays(Fixture *fixture, const void *data)
{
    g_autoptr(NetListener) maker = listen_at(fixture);
    NetListener *listener = net_listener_new_inherited(dup(net_listener_get_fd(maker)), NULL);

    g_assert_cmpstr(net_listener_get_address(listener), ==, fixture->path);
    net_listener_free(listener);
    g_assert_true(g_file_test(fixture->path, G_FILE_TEST_EXISTS));
}

static void check_inherited_is_refused(int fd, const char *reason)
{
    GError *error = NULL;

    g_assert_null(net_listener_new_inherited(fd, &error));
    if (!strstr(error->message, reason))
        g_error("'%s' is not in '%s'", reason, error->message);
    g_error_free(error);
    close(fd);
}

static void test_inherited_descriptors_are_checked(void)
{
    check_inherited_is_refused(open("/dev/null", O_RDONLY), "not a socket");
    check_inherited_is_refused(socket(AF_UNIX, SOCK_DGRAM, 0), "listening stream socket");
    check_inherited_is_refused(socket(AF_UNIX, SOCK_STREAM, 0), "listening stream socket");
}

static int tcp_connect_to(const char *address)
{
    const char *port = strrchr(address, ':') + 1;
    struct sockaddr_in target = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    target.sin_port = htons((uint16_t)g_ascii_strtoull(port, NULL, 10));
    g_assert_cmpint(connect(fd, (void *)&target, sizeof(target)), ==, 0);
    return fd;
}

static GPtrArray *listeners_new(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)net_listener_free);
}

static void test_tcp_client_is_accepted(void)
{
    g_autoptr(GPtrArray) listeners = listeners_new();
    g_autoptr(NetSocket) socket = NULL;

    g_assert_true(net_listener_add_tcp(listeners, "127.0.0.1", "0", 0, NULL));
    g_assert_cmpuint(listeners->len, ==, 1);
    NetListener *listener = listeners->pdata[0];
    g_assert_true(g_str_has_prefix(net_listener_get_address(listener), "127.0.0.1:"));
    int client = tcp_connect_to(net_listener_get_address(listener));
    g_assert_cmpint(net_listener_accept(listener, &socket), ==, 0);
    close(client);
}

static void test_tcp_without_host_listens_in_every_family(void)
{
    g_autoptr(GPtrArray) listeners = listeners_new();
    g_autoptr(GString) addresses = g_string_new(NULL);
    int probe = socket(AF_INET6, SOCK_STREAM, 0);

    g_assert_true(net_listener_add_tcp(listeners, NULL, "0", 0, NULL));
    for (guint i = 0; i < listeners->len; i++)
        g_string_append_printf(addresses, "%s ", net_listener_get_address(listeners->pdata[i]));
    g_assert_nonnull(strstr(addresses->str, "0.0.0.0:"));
    if (probe >= 0) {
        g_assert_nonnull(strstr(addresses->str, "[::]:"));
        close(probe);
    }
}

static void test_tcp_port_in_use_is_refused(void)
{
    g_autoptr(GPtrArray) listeners = listeners_new();
    GError *error = NULL;

    g_assert_true(net_listener_add_tcp(listeners, "127.0.0.1", "0", 0, NULL));
    const char *address = net_listener_get_address(listeners->pdata[0]);
    g_assert_false(
        net_listener_add_tcp(listeners, "127.0.0.1", strrchr(address, ':') + 1, 0, &error));
    testing_assert_error(error, VIR_ERR_SYSTEM_ERROR, address);
    g_assert_cmpuint(listeners->len, ==, 1);
}

static void test_tcp_bad_port_is_refused(void)
{
    g_autoptr(GPtrArray) listeners = listeners_new();
    GError *error = NULL;

    g_assert_false(net_listener_add_tcp(listeners, "127.0.0.1", "65537", 0, &error));
    testing_assert_error(error, VIR_ERR_INVALID_ARG, "65537");
    g_assert_false(net_listener_add_tcp(listeners, "127.0.0.1", "", 0, &error));
    testing_assert_error(error, VIR_ERR_INVALID_ARG, "port");
    g_assert_false(net_listener_add_tcp(listeners, "127.0.0.1", "no-such-service", 0, &error));
    testing_assert_error(error, VIR_ERR_SYSTEM_ERROR, "no-such-service");
}

#define ADD(name)                                                                                  \
    g_test_add("/net/listener/" #name, Fixture, NULL, fixture_set_up, test_##name,                 \
               fixture_tear_down)
#define ADD_PLAIN(name) g_test_add_func("/net/listener/" #name, test_##name)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(client_is_accepted);
    ADD(mode_is_set_whatever_the_umask);
    ADD(owner_is_set);
    ADD(socket_file_goes_with_the_listener);
    ADD(successors_socket_file_stays);
    ADD(stale_socket_is_replaced);
    ADD(child_that_soon_lets_go_is_waited_for);
    ADD(second_listener_is_refused);
    ADD(busy_listener_is_not_taken_for_stale);
    ADD(one_of_many_contenders_wins);
    ADD(file_that_is_no_socket_is_kept);
    ADD(missing_folder_is_named);
    ADD(long_path_works);
    ADD(too_long_name_is_refused_with_the_limit);
    ADD(without_descriptors_a_client_is_turned_away);
    ADD(inherited_socket_file_stays);
    ADD_PLAIN(inherited_descriptors_are_checked);
    ADD_PLAIN(tcp_client_is_accepted);
    ADD_PLAIN(tcp_without_host_listens_in_every_family);
    ADD_PLAIN(tcp_port_in_use_is_refused);
    ADD_PLAIN(tcp_bad_port_is_refused);
    return g_test_run();
}
