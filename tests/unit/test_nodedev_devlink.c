/* The conversation with the kernel about switches inside network cards: a socket pair stands for the
 * kernel, whose answers are there before they are read, as they are in netlink. */
#include <linux/devlink.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <glib.h>

#include "virtnodedevd/devlink.h"

#define FAMILY 0x1f
#define LEGACY DEVLINK_ESWITCH_MODE_LEGACY
#define SWITCHDEV DEVLINK_ESWITCH_MODE_SWITCHDEV

/* One end is the daemon's. */
typedef struct Pair {
    int ours, kernels;
} Pair;

static Pair pair_new(void)
{
    int fds[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds), ==, 0);
    return (Pair){ fds[0], fds[1] };
}

static void pair_close(Pair *pair)
{
    close(pair->ours);
    close(pair->kernels);
}

static GByteArray *message(uint16_t type, uint8_t command)
{
    struct genlmsghdr generic = { .cmd = command, .version = 1 };
    struct nlmsghdr header = { .nlmsg_type = type };
    GByteArray *bytes = g_byte_array_new();

    g_byte_array_append(bytes, (const guint8 *)&header, sizeof(header));
    g_byte_array_append(bytes, (const guint8 *)&generic, sizeof(generic));
    return bytes;
}

static void add_attr(GByteArray *bytes, uint16_t type, const void *data, uint16_t size)
{
    static const guint8 zeros[NLA_ALIGNTO] = { 0 };
    struct nlattr attr = { .nla_len = (uint16_t)(NLA_HDRLEN + size), .nla_type = type };

    g_byte_array_append(bytes, (const guint8 *)&attr, sizeof(attr));
    g_byte_array_append(bytes, data, size);
    g_byte_array_append(bytes, zeros, (guint)(NLA_ALIGN(attr.nla_len) - attr.nla_len));
}

/* Fills in the size, sends the message and frees it. */
static void say(const Pair *pair, GByteArray *bytes)
{
    guint32 size = bytes->len;

    memcpy(bytes->data, &size, sizeof(size));
    g_assert_cmpint(send(pair->kernels, bytes->data, bytes->len, 0), ==, (ssize_t)bytes->len);
    g_byte_array_unref(bytes);
}

static void say_family(const Pair *pair, uint16_t family)
{
    GByteArray *bytes = message(GENL_ID_CTRL, CTRL_CMD_NEWFAMILY);

    add_attr(bytes, CTRL_ATTR_FAMILY_NAME, "devlink", 8);
    add_attr(bytes, CTRL_ATTR_FAMILY_ID, &family, sizeof(family));
    say(pair, bytes);
}

static void say_mode(const Pair *pair, uint16_t family, uint16_t mode)
{
    GByteArray *bytes = message(family, DEVLINK_CMD_ESWITCH_GET);

    add_attr(bytes, DEVLINK_ATTR_BUS_NAME, "pci", 4);
    add_attr(bytes, DEVLINK_ATTR_DEV_NAME, "0000:03:00.0", 13);
    add_attr(bytes, DEVLINK_ATTR_ESWITCH_MODE, &mode, sizeof(mode));
    say(pair, bytes);
}

static void say_error(const Pair *pair)
{
    GByteArray *bytes = message(NLMSG_ERROR, 0);
    static const guint8 more[20] = { 0 };

    g_byte_array_append(bytes, more, sizeof(more));
    say(pair, bytes);
}

static bool ask(const Pair *pair)
{
    return devlink_is_switchdev(pair->ours, "pci", "0000:03:00.0");
}

static bool with_mode(uint16_t mode)
{
    Pair pair = pair_new();
    bool is_switchdev;

    say_family(&pair, FAMILY);
    say_mode(&pair, FAMILY, mode);
    is_switchdev = ask(&pair);
    pair_close(&pair);
    return is_switchdev;
}

static void test_mode(void)
{
    g_assert_true(with_mode(SWITCHDEV));
    g_assert_false(with_mode(LEGACY));
}

/* Byte by byte, as documented. */
static void test_questions(void)
{
    static const guint8 family[] = { 32, 0, 0, 0, 16, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                     3, 1, 0, 0, 12, 0, 2, 0, 'd', 'e', 'v', 'l', 'i', 'n', 'k', 0 };
    static const guint8 mode[] = { 48, 0, 0, 0, 31, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                   29, 1, 0, 0, 8, 0, 1, 0, 'p', 'c', 'i', 0,
                                   17, 0, 2, 0, '0', '0', '0', '0', ':', '0', '3', ':', '0', '0',
                                   '.', '0', 0, 0, 0, 0 };
    Pair pair = pair_new();
    guint8 bytes[512];

    say_family(&pair, FAMILY);
    say_mode(&pair, FAMILY, SWITCHDEV);
    g_assert_true(ask(&pair));
    if (G_BYTE_ORDER != G_LITTLE_ENDIAN) {
        pair_close(&pair);
        g_test_skip("the bytes are those of little endian machines");
        return;
    }
    g_assert_cmpint(recv(pair.kernels, bytes, sizeof(bytes), 0), ==, sizeof(family));
    g_assert_cmpmem(bytes, sizeof(family), family, sizeof(family));
    g_assert_cmpint(recv(pair.kernels, bytes, sizeof(bytes), 0), ==, sizeof(mode));
    g_assert_cmpmem(bytes, sizeof(mode), mode, sizeof(mode));
    pair_close(&pair);
}

static void test_refusals(void)
{
    Pair pair = pair_new();

    say_error(&pair);
    g_assert_false(ask(&pair)); /* no such family */
    say_family(&pair, FAMILY);
    say_error(&pair);
    g_assert_false(ask(&pair)); /* no such device */
    say_family(&pair, FAMILY);
    g_assert_false(ask(&pair)); /* no answer */
    pair_close(&pair);
}

/* Whatever is cut off or says that it is longer than it is. */
static void test_broken_answers(void)
{
    GByteArray *whole = message(FAMILY, DEVLINK_CMD_ESWITCH_GET);
    uint16_t mode = SWITCHDEV;

    add_attr(whole, DEVLINK_ATTR_ESWITCH_MODE, &mode, sizeof(mode));
    for (guint size = 0; size < whole->len - 2; size++) {
        for (guint32 said = size; said < size + 40; said += 3) {
            Pair pair = pair_new();
            guint8 bytes[512];

            say_family(&pair, FAMILY);
            memcpy(bytes, whole->data, whole->len);
            memcpy(bytes, &said, sizeof(said));
            g_assert_cmpint(send(pair.kernels, bytes, size, 0), ==, (ssize_t)size);
            g_assert_false(ask(&pair));
            pair_close(&pair);
        }
    }
    g_byte_array_unref(whole);
}

static void test_names_without_room(void)
{
    g_autofree char *long_name = g_strnfill(300, 'x');
    g_autofree char *half = g_strnfill(200, 'x');
    Pair pair = pair_new();

    say_family(&pair, FAMILY);
    g_assert_false(devlink_is_switchdev(pair.ours, "pci", long_name));
    say_family(&pair, FAMILY);
    g_assert_false(devlink_is_switchdev(pair.ours, half, half));
    pair_close(&pair);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/devlink/mode", test_mode);
    g_test_add_func("/devlink/questions", test_questions);
    g_test_add_func("/devlink/refusals", test_refusals);
    g_test_add_func("/devlink/broken", test_broken_answers);
    g_test_add_func("/devlink/names", test_names_without_room);
    return g_test_run();
}
