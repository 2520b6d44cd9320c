/* Connection URIs, as far as they say which socket a client opens (manual: "uri.html"):
 * DRIVER[+TRANSPORT]://[USER@][HOST][:PORT]/PATH[?PARAMETERS], and virt-admin's DAEMON:///PATH. */
#pragma once

#include <stdbool.h>

#include <glib.h>

typedef enum ConnUriMode {
    CONN_URI_AUTO,   /* the driver's daemon if its socket is there, otherwise the legacy one */
    CONN_URI_DIRECT, /* the driver's daemon */
    CONN_URI_LEGACY, /* libvirtd, or virtproxyd in its place */
} ConnUriMode;

typedef struct ConnUri {
    char *text;      /* as it was given */
    char *scheme;    /* "qemu", "virtqemud" */
    char *transport; /* "tls", "ssh", …; "unix" for a socket of this host */
    char *host;      /* NULL: this one */
    char *port;      /* NULL: the transport's usual one */
    char *path;      /* "/system", with its slash */
    char *socket;    /* of the parameter of that name, or NULL */
    char *name;      /* what the daemon is asked to open */
    ConnUriMode mode;
} ConnUri;

/* Errors: INVALID_ARG saying what is wrong with @text. */
ConnUri *conn_uri_parse(const char *text, GError **error);
void conn_uri_free(ConnUri *uri);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ConnUri, conn_uri_free)
bool conn_uri_is_remote(const ConnUri *uri);
