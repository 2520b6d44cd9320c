#include <glib.h>

#include "json/parse.h"
#include "virtqemud/guest/block_sizes.h"

#define NODES                                                                                      \
    "[{'node-name':'n1','image':{'virtual-size':1000,'actual-size':10}},"                          \
    " {'node-name':'n2','image':{'virtual-size':2000}}, {'node-name':'n3'}, 7]"
#define STATS(WRITTEN, HIGHEST)                                                                    \
    "[{'node-name':'n1','stats':{'wr_operations':" WRITTEN ",'rd_operations':1},"                  \
    "'parent':{'stats':{'wr_highest_offset':" HIGHEST "}}}]"

static JsonValue *parse(const char *text)
{
    g_autofree char *quoted = g_strdelimit(g_strdup(text), "'", '"');
    GError *error = NULL;
    JsonValue *value = json_parse(quoted, &error);

    g_assert_no_error(error);
    return value;
}

static BlockSizes *sizes_of(const char *nodes_text, const char *stats_text)
{
    g_autoptr(JsonValue) nodes = parse(nodes_text);
    g_autoptr(JsonValue) stats = parse(stats_text);

    return block_sizes_new(nodes, stats, 3, 100);
}

static bool hold(const BlockSizes *sizes, const char *stats_text, unsigned n_raw, uint64_t now_us)
{
    g_autoptr(JsonValue) stats = parse(stats_text);

    return block_sizes_hold(sizes, stats, n_raw, now_us);
}

static void test_sizes_are_found_by_node(void)
{
    g_autoptr(BlockSizes) sizes = sizes_of(NODES, STATS("1", "2"));
    ImageSize size;

    g_assert_true(block_sizes_find(sizes, "n1", &size));
    g_assert_cmpuint(size.virtual_bytes, ==, 1000);
    g_assert_true(size.has_actual);
    g_assert_cmpuint(size.actual_bytes, ==, 10);
    g_assert_true(block_sizes_find(sizes, "n2", &size));
    g_assert_false(size.has_actual);
    g_assert_false(block_sizes_find(sizes, "n3", &size));
    g_assert_false(block_sizes_find(sizes, "n4", &size));
}

static void test_nothing_written_keeps_them(void)
{
    g_autoptr(BlockSizes) sizes = sizes_of(NODES, STATS("1", "2"));

    g_assert_true(hold(sizes, STATS("1", "2"), 3, 100));
}

static void test_writes_end_them(void)
{
    g_autoptr(BlockSizes) sizes = sizes_of(NODES, STATS("1", "2"));

    g_assert_false(hold(sizes, STATS("2", "2"), 3, 100));
    g_assert_false(hold(sizes, STATS("1", "3"), 3, 100));
    g_assert_false(hold(sizes, "[]", 3, 100));
    g_assert_false(hold(sizes, "{}", 3, 100));
}

static void test_foreign_commands_and_time_end_them(void)
{
    g_autoptr(BlockSizes) sizes = sizes_of(NODES, STATS("1", "2"));

    g_assert_false(hold(sizes, STATS("1", "2"), 4, 100));
    g_assert_true(hold(sizes, STATS("1", "2"), 3, 100 + 30 * G_USEC_PER_SEC));
    g_assert_false(hold(sizes, STATS("1", "2"), 3, 101 + 30 * G_USEC_PER_SEC));
}

static void test_same_writes_are_seen(void)
{
    g_autoptr(BlockSizes) sizes = sizes_of(NODES, STATS("1", "2"));
    g_autoptr(BlockSizes) same = sizes_of("[]", STATS("1", "2"));
    g_autoptr(BlockSizes) other = sizes_of(NODES, STATS("9", "2"));

    g_assert_true(block_sizes_same_writes(same, sizes));
    g_assert_false(block_sizes_same_writes(other, sizes));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/block_sizes/by_node", test_sizes_are_found_by_node);
    g_test_add_func("/block_sizes/keep", test_nothing_written_keeps_them);
    g_test_add_func("/block_sizes/writes", test_writes_end_them);
    g_test_add_func("/block_sizes/commands_and_time", test_foreign_commands_and_time_end_them);
    g_test_add_func("/block_sizes/same_writes", test_same_writes_are_seen);
    return g_test_run();
}
