/* Unix sockets in the folders of a guest. Their paths may be longer than a socket's address
 * takes (107 bytes): folders are opened, and named by their descriptor. */
#pragma once

#include <glib.h>

/* A socket that listens at FOLDER/NAME, in place of what is there; -1 with the error.
 * Close-on-exec. Errors: SYSTEM_ERROR. */
int guest_socket_listen(const char *folder, const char *name, GError **error);
/* A connection to it, non-blocking. Errors: SYSTEM_ERROR; also when nobody accepts for long. */
int guest_socket_connect(const char *folder, const char *name, GError **error);
/* The same for a whole path. */
int guest_socket_listen_path(const char *path, GError **error);
int guest_socket_connect_path(const char *path, GError **error);
