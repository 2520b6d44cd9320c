/* A set of numbers, and a bind() to see what others have. */
#include "virtqemud/guest/ports.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"

struct Ports {
    GHashTable *taken; /* of port numbers */
};

Ports *ports_new(void)
{
    Ports *ports = g_new0(Ports, 1);

    ports->taken = g_hash_table_new(NULL, NULL);
    return ports;
}

void ports_free(Ports *ports)
{
    if (!ports)
        return;
    g_hash_table_unref(ports->taken);
    g_free(ports);
}

/* The wildcard for what is no address: names are QEMU's to resolve. */
static socklen_t make_address(const char *text, unsigned port, struct sockaddr_storage *ret)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;

    memset(ret, 0, sizeof(*ret));
    if (text && inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)port);
        return sizeof(*v6);
    }
    if (!text || inet_pton(AF_INET, text, &v4->sin_addr) != 1)
        v4->sin_addr.s_addr = htonl(INADDR_ANY);
    v4->sin_family = AF_INET;
    v4->sin_port = htons((uint16_t)port);
    return sizeof(*v4);
}

/* Only a port that somebody else has is taken: what else is wrong with an address is wrong with
 * every port of it, and QEMU says it better. */
static bool is_free(const char *text, unsigned port)
{
    struct sockaddr_storage address;
    socklen_t length = make_address(text, port, &address);
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool could_bind;

    if (fd < 0)
        return false;
    /* As QEMU does: a port whose last connections linger counts as free. */
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
    could_bind = (bind(fd, (struct sockaddr *)&address, length) == 0 && listen(fd, 1) == 0) ||
                 errno != EADDRINUSE;
    close(fd);
    return could_bind;
}

bool ports_take(Ports *ports, const char *address, unsigned min, unsigned max, const char *what,
                unsigned *ret_port, GError **error)
{
    for (unsigned port = min; port <= max; port++) {
        if (g_hash_table_contains(ports->taken, GUINT_TO_POINTER(port)) ||
            !is_free(address, port))
            continue;
        ports_claim(ports, port);
        *ret_port = port;
        return true;
    }
    error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
              "Unable to find an unused port in range '%s' (%u-%u)", what, min, max);
    return false;
}

void ports_claim(Ports *ports, unsigned port)
{
    g_hash_table_add(ports->taken, GUINT_TO_POINTER(port));
}

void ports_release(Ports *ports, unsigned port)
{
    g_hash_table_remove(ports->taken, GUINT_TO_POINTER(port));
}
