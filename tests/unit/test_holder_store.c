/* What a holder does with each packet, and with packets that are none. */
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/holder/store.h"

typedef struct Answer {
    char bytes[HOLDER_PACKET_MAX + 1];
    size_t length;
    int fd;
} Answer;

static void ask(HolderStore *store, const char *packet, int fd, Answer *ret_answer)
{
    memset(ret_answer, 0, sizeof(*ret_answer));
    ret_answer->length = holder_store_serve(store, packet, strlen(packet), fd, ret_answer->bytes,
                                            &ret_answer->fd);
}

static int new_fd(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static void store_end(HolderStore *store)
{
    while (store->n_items > 0) {
        char name[HOLDER_NAME_MAX + 1];

        g_strlcpy(name, store->items[0].name, sizeof(name));
        holder_store_drop(store, name);
    }
    free(store->items);
}

static void test_put_is_found(void)
{
    HolderStore store = { 0 };
    int fd = new_fd();
    Answer answer;

    ask(&store, "Pp1", fd, &answer);
    g_assert_cmpstr(answer.bytes, ==, "O");
    ask(&store, "G0", -1, &answer);
    g_assert_cmpstr(answer.bytes, ==, "Fp1");
    g_assert_cmpint(answer.fd, ==, fd);
    ask(&store, "G1", -1, &answer);
    g_assert_cmpstr(answer.bytes, ==, "O");
    g_assert_cmpint(answer.fd, ==, -1);
    store_end(&store);
    g_assert_false(is_open(fd));
}

static void test_put_again_replaces(void)
{
    HolderStore store = { 0 };
    int first = new_fd(), second = new_fd();
    Answer answer;

    ask(&store, "Pp1", first, &answer);
    ask(&store, "Pp1", second, &answer);
    g_assert_cmpuint(store.n_items, ==, 1);
    g_assert_false(is_open(first));
    ask(&store, "G0", -1, &answer);
    g_assert_cmpint(answer.fd, ==, second);
    store_end(&store);
}

static void test_put_without_descriptor_is_refused(void)
{
    HolderStore store = { 0 };
    Answer answer;

    ask(&store, "Pp1", -1, &answer);
    g_assert_cmpint(answer.bytes[0], ==, 'E');
    g_assert_cmpuint(store.n_items, ==, 0);
}

static void test_drop_closes_and_keeps_order(void)
{
    HolderStore store = { 0 };
    int fd = new_fd();
    Answer answer;

    ask(&store, "Pa", new_fd(), &answer);
    ask(&store, "Pb", fd, &answer);
    for (int i = 0; i < 40; i++) {
        g_autofree char *packet = g_strdup_printf("Pc%d", i);

        ask(&store, packet, new_fd(), &answer);
    }
    ask(&store, "Db", -1, &answer);
    g_assert_cmpstr(answer.bytes, ==, "O");
    g_assert_false(is_open(fd));
    ask(&store, "G1", -1, &answer);
    g_assert_cmpstr(answer.bytes, ==, "Fc0");
    ask(&store, "G40", -1, &answer);
    g_assert_cmpstr(answer.bytes, ==, "Fc39");
    store_end(&store);
}

static void test_drop_of_nothing_is_done(void)
{
    HolderStore store = { 0 };
    Answer answer;

    ask(&store, "Dnobody", -1, &answer);
    g_assert_cmpstr(answer.bytes, ==, "O");
}

/* A descriptor that came with such a packet is closed. */
static void test_bad_packets_have_no_answer(void)
{
    static const char *const packets[] = {
        "", "P", "D", "G", "X", "Xname", "Pa b", "Pa/b", "Pa\nb", "Gx", "G-1", "G0x",
        "G99999999999999999999", "Pthis-name-has-25-letters.", "D:",
    };
    HolderStore store = { 0 };

    for (size_t i = 0; i < G_N_ELEMENTS(packets); i++) {
        int fd = new_fd();
        Answer answer;

        ask(&store, packets[i], fd, &answer);
        g_assert_cmpuint(answer.length, ==, 0);
        g_assert_false(is_open(fd));
    }
    g_assert_cmpuint(store.n_items, ==, 0);
}

static void test_names(void)
{
    g_assert_true(holder_name_is_valid("p-1.a_Z", 7));
    g_assert_true(holder_name_is_valid("name-of-24-letters-it-is", 24));
    g_assert_false(holder_name_is_valid("name-of-25-letters-it-is.", 25));
    g_assert_false(holder_name_is_valid("", 0));
    g_assert_false(holder_name_is_valid("a\0b", 3));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/holder_store/put_is_found", test_put_is_found);
    g_test_add_func("/holder_store/put_again_replaces", test_put_again_replaces);
    g_test_add_func("/holder_store/put_without_descriptor_is_refused",
                    test_put_without_descriptor_is_refused);
    g_test_add_func("/holder_store/drop_closes_and_keeps_order", test_drop_closes_and_keeps_order);
    g_test_add_func("/holder_store/drop_of_nothing_is_done", test_drop_of_nothing_is_done);
    g_test_add_func("/holder_store/bad_packets_have_no_answer", test_bad_packets_have_no_answer);
    g_test_add_func("/holder_store/names", test_names);
    return g_test_run();
}
