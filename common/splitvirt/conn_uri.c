#include "common/splitvirt/conn_uri.h"

#include <string.h>

#include "base/error.h"

static const char *const transports[] = { "unix", "tls", "tcp", "ssh", "libssh", "libssh2", "ext",
                                          NULL };
static const char *const modes[] = { "auto", "direct", "legacy", NULL };

static void fail(const char *text, const char *what, GError **error)
{
    error_set(error, VIR_FROM_CONF, VIR_ERR_INVALID_ARG, "URI '%s': %s", text, what);
}

static bool check_scheme(const char *scheme)
{
    for (const char *c = scheme; *c; c++) {
        if (!g_ascii_isalnum(*c) && *c != '-' && *c != '.')
            return false;
    }
    return *scheme != '\0';
}

/* DRIVER[+TRANSPORT]. */
static bool parse_driver(ConnUri *uri, const char *driver, GError **error)
{
    const char *plus = strchr(driver, '+');

    uri->scheme = plus ? g_strndup(driver, (gsize)(plus - driver)) : g_strdup(driver);
    uri->transport = plus ? g_strdup(plus + 1) : NULL;
    if (!check_scheme(uri->scheme)) {
        fail(uri->text, "it has to begin with a driver, as in qemu:///system", error);
        return false;
    }
    if (uri->transport && !g_strv_contains(transports, uri->transport)) {
        fail(uri->text, "its transport is none of unix, tls, tcp, ssh, libssh, libssh2, ext", error);
        return false;
    }
    return true;
}

/* [USER@][HOST][:PORT]; the host may be an IPv6 address in brackets. */
static bool parse_authority(ConnUri *uri, const char *authority, GError **error)
{
    const char *at = strrchr(authority, '@');
    const char *host = at ? at + 1 : authority;
    const char *end = *host == '[' ? strchr(host, ']') : NULL;
    const char *colon = strchr(end ? end : host, ':');

    if (*host == '[' && !end) {
        fail(uri->text, "the bracket of its host is not closed", error);
        return false;
    }
    if (colon && strspn(colon + 1, "0123456789") != strlen(colon + 1)) {
        fail(uri->text, "its port is no number", error);
        return false;
    }
    uri->port = colon && colon[1] ? g_strdup(colon + 1) : NULL;
    uri->host = colon ? g_strndup(host, (gsize)(colon - host)) : g_strdup(host);
    if (!*uri->host)
        g_clear_pointer(&uri->host, g_free);
    return true;
}

static bool set_mode(ConnUri *uri, const char *value, GError **error)
{
    for (int mode = 0; modes[mode]; mode++) {
        if (strcmp(value, modes[mode]) == 0) {
            uri->mode = (ConnUriMode)mode;
            return true;
        }
    }
    fail(uri->text, "its mode is none of auto, direct, legacy", error);
    return false;
}

/* Parameters that say nothing about sockets are somebody else's. */
static bool parse_parameter(ConnUri *uri, const char *parameter, GError **error)
{
    g_auto(GStrv) both = g_strsplit(parameter, "=", 2);
    g_autofree char *value = both[0] && both[1] ? g_uri_unescape_string(both[1], NULL) : NULL;

    if (both[0] && both[1] && !value) {
        fail(uri->text, "a parameter is not escaped as it should be", error);
        return false;
    }
    if (!value)
        return true;
    if (strcmp(both[0], "mode") == 0)
        return set_mode(uri, value, error);
    if (strcmp(both[0], "socket") == 0) {
        if (!g_path_is_absolute(value)) {
            fail(uri->text, "its socket is no absolute path", error);
            return false;
        }
        g_free(uri->socket);
        uri->socket = g_steal_pointer(&value);
    } else if (strcmp(both[0], "name") == 0) {
        g_free(uri->name);
        uri->name = g_steal_pointer(&value);
    }
    return true;
}

static bool parse_parameters(ConnUri *uri, const char *query, GError **error)
{
    g_auto(GStrv) parameters = g_strsplit_set(query, "&;", -1);

    for (char **parameter = parameters; *parameter; parameter++) {
        if (!parse_parameter(uri, *parameter, error))
            return false;
    }
    return true;
}

/* The URI without transport, host and parameters, unless it names another itself. */
static void complete(ConnUri *uri)
{
    if (!uri->transport)
        uri->transport = g_strdup(uri->host ? "tls" : "unix");
    if (!uri->name)
        uri->name = g_strdup_printf("%s://%s", uri->scheme, uri->path);
}

ConnUri *conn_uri_parse(const char *text, GError **error)
{
    g_autoptr(ConnUri) uri = g_new0(ConnUri, 1);
    const char *rest = strstr(text, "://");
    g_autofree char *driver = NULL;
    g_autofree char *authority = NULL;
    const char *path, *query;

    uri->text = g_strdup(text);
    if (!g_utf8_validate(text, -1, NULL) || !rest) {
        fail(text, "it has to look like qemu:///system", error);
        return NULL;
    }
    driver = g_strndup(text, (gsize)(rest - text));
    rest += strlen("://");
    path = rest + strcspn(rest, "/?");
    query = path + strcspn(path, "?");
    authority = g_strndup(rest, (gsize)(path - rest));
    uri->path = g_strndup(path, (gsize)(query - path));
    if (!parse_driver(uri, driver, error) || !parse_authority(uri, authority, error) ||
        (*query && !parse_parameters(uri, query + 1, error)))
        return NULL;
    complete(uri);
    return g_steal_pointer(&uri);
}

void conn_uri_free(ConnUri *uri)
{
    if (!uri)
        return;
    g_free(uri->text);
    g_free(uri->scheme);
    g_free(uri->transport);
    g_free(uri->host);
    g_free(uri->port);
    g_free(uri->path);
    g_free(uri->socket);
    g_free(uri->name);
    g_free(uri);
}

bool conn_uri_is_remote(const ConnUri *uri)
{
    return strcmp(uri->transport, "unix") != 0;
}
