/* Connection URIs, as far as they say which socket is opened. */
#include "base/error.h"
#include "common/splitvirt/conn_uri.h"

static ConnUri *parse(const char *text)
{
    g_autoptr(GError) error = NULL;
    ConnUri *uri = conn_uri_parse(text, &error);

    g_assert_no_error(error);
    return uri;
}

static void assert_refused(const char *text, const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *detail = g_strdup_printf("URI '%s': %s", text, expected);

    g_assert_null(conn_uri_parse(text, &error));
    g_assert_error(error, error_quark(VIR_FROM_CONF), VIR_ERR_INVALID_ARG);
    g_assert_cmpstr(error_detail(error), ==, detail);
}

static void test_local_uri(void)
{
    g_autoptr(ConnUri) uri = parse("qemu:///system");

    g_assert_false(conn_uri_is_remote(uri));
    g_assert_cmpstr(uri->scheme, ==, "qemu");
    g_assert_cmpstr(uri->path, ==, "/system");
    g_assert_cmpstr(uri->name, ==, "qemu:///system");
    g_assert_cmpint(uri->mode, ==, CONN_URI_AUTO);
    g_assert_null(uri->host);
    g_assert_null(uri->socket);
}

static void test_parameters(void)
{
    g_autoptr(ConnUri) uri =
        parse("qemu+unix:///system?mode=legacy&socket=/a%20b&name=qemu:///embed&other=1&alone");

    g_assert_false(conn_uri_is_remote(uri));
    g_assert_cmpint(uri->mode, ==, CONN_URI_LEGACY);
    g_assert_cmpstr(uri->socket, ==, "/a b");
    g_assert_cmpstr(uri->name, ==, "qemu:///embed");
}

static void test_host_means_tls(void)
{
    g_autoptr(ConnUri) uri = parse("qemu://host/system");

    g_assert_true(conn_uri_is_remote(uri));
    g_assert_cmpstr(uri->transport, ==, "tls");
    g_assert_cmpstr(uri->host, ==, "host");
    g_assert_null(uri->port);
    g_assert_cmpstr(uri->name, ==, "qemu:///system");
}

static void test_user_host_and_port(void)
{
    g_autoptr(ConnUri) uri = parse("qemu+ssh://root@host:2222/system");

    g_assert_cmpstr(uri->transport, ==, "ssh");
    g_assert_cmpstr(uri->host, ==, "host");
    g_assert_cmpstr(uri->port, ==, "2222");
}

static void test_address_in_brackets(void)
{
    g_autoptr(ConnUri) uri = parse("qemu+tcp://[::1]:16509/system");

    g_assert_cmpstr(uri->host, ==, "[::1]");
    g_assert_cmpstr(uri->port, ==, "16509");
}

static void test_uri_without_path(void)
{
    g_autoptr(ConnUri) uri = parse("qemu://?mode=direct");

    g_assert_cmpstr(uri->path, ==, "");
    g_assert_cmpint(uri->mode, ==, CONN_URI_DIRECT);
}

static void test_what_is_no_uri_is_refused(void)
{
    assert_refused("qemu", "it has to look like qemu:///system");
    assert_refused("", "it has to look like qemu:///system");
    assert_refused(":///system", "it has to begin with a driver, as in qemu:///system");
    assert_refused("a b:///system", "it has to begin with a driver, as in qemu:///system");
    assert_refused("qemu+foo:///system",
                   "its transport is none of unix, tls, tcp, ssh, libssh, libssh2, ext");
    assert_refused("qemu://[::1/system", "the bracket of its host is not closed");
    assert_refused("qemu://host:x/system", "its port is no number");
    assert_refused("qemu:///system?mode=both", "its mode is none of auto, direct, legacy");
    assert_refused("qemu:///system?socket=", "its socket is no absolute path");
    assert_refused("qemu:///system?socket=%zz", "a parameter is not escaped as it should be");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add_func("/conn_uri/" #name, test_##name)
    ADD(local_uri);
    ADD(parameters);
    ADD(host_means_tls);
    ADD(user_host_and_port);
    ADD(address_in_brackets);
    ADD(uri_without_path);
    ADD(what_is_no_uri_is_refused);
    return g_test_run();
}
