/* The daemon's side of its holder (common/holder/protocol.h): one connection, one request at a
 * time. Belongs to kept_fds.c, whose fiber is the only one that asks. */
#pragma once

#include "fiber/fiber.h"

typedef struct HolderClient HolderClient;
/* The connection has gone while nothing was being asked. Runs in the loop. */
typedef void (*HolderLostFunc)(void *data);

HolderClient *holder_client_new(FiberLoop *loop, const char *path, HolderLostFunc lost, void *data);
void holder_client_free(HolderClient *client);

bool holder_client_is_connected(const HolderClient *client);
/* Sets *@ret_is_absent when nobody serves the socket, which is no mistake of anybody's.
 * Errors: SYSTEM_ERROR naming the socket. */
bool holder_client_connect(HolderClient *client, bool *ret_is_absent, GError **error);
/* After an error in any of these the connection is closed.
 * Errors: OPERATION_FAILED, OPERATION_TIMEOUT, SYSTEM_ERROR, all naming the socket. */
SUSPENDS bool holder_client_put(HolderClient *client, const char *name, int fd, GError **error);
SUSPENDS bool holder_client_drop(HolderClient *client, const char *name, GError **error);
/* Sets @ret_name (to be freed) and @ret_fd (close-on-exec; NULL: not wanted, and then there is none to
 * close, which may wait), or NULL behind the last. */
SUSPENDS bool holder_client_get(HolderClient *client, size_t index, char **ret_name, int *ret_fd,
                                GError **error);
