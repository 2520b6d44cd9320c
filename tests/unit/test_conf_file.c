/* The syntax of configuration files. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "common/conf_file.h"

static ConfFile *parse(const char *text)
{
    g_autoptr(GError) error = NULL;
    ConfFile *file = conf_file_parse("x.conf", text, strlen(text), &error);

    g_assert_no_error(error);
    return file;
}

static const ConfValue *value_of(const ConfFile *file, const char *key)
{
    const ConfEntry *entry = conf_file_find(file, key);

    g_assert_nonnull(entry);
    return entry->value;
}

static void assert_string(const char *text, const char *expected)
{
    g_autoptr(ConfFile) file = parse(text);

    g_assert_cmpint(value_of(file, "key")->type, ==, CONF_STRING);
    g_assert_cmpstr(value_of(file, "key")->string, ==, expected);
}

static void assert_integer(const char *text, int64_t expected)
{
    g_autoptr(ConfFile) file = parse(text);

    g_assert_cmpint(value_of(file, "key")->type, ==, CONF_INTEGER);
    g_assert_cmpint(value_of(file, "key")->integer, ==, expected);
}

static void assert_refused_bytes(const char *text, size_t length, const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(ConfFile) file = conf_file_parse("x.conf", text, length, &error);

    g_assert_null(file);
    g_assert_error(error, error_quark(VIR_FROM_CONF), VIR_ERR_CONF_SYNTAX);
    g_assert_cmpstr(error_detail(error), ==, expected);
}

static void assert_refused(const char *text, const char *expected)
{
    assert_refused_bytes(text, strlen(text), expected);
}

static void test_empty_file_has_no_entries(void)
{
    g_autoptr(ConfFile) file = parse("");
    g_autoptr(ConfFile) comments = parse("# one\n\n  # two");

    g_assert_cmpuint(file->entries->len, ==, 0);
    g_assert_cmpuint(comments->entries->len, ==, 0);
}

static void test_integers_are_decimal_and_signed(void)
{
    assert_integer("key = 5", 5);
    assert_integer("key=-1\n", -1);
    assert_integer("key = +7 # seven", 7);
    assert_integer("key = 010", 10);
    assert_integer("key = 9223372036854775807", INT64_MAX);
    assert_integer("key = -9223372036854775808", INT64_MIN);
}

static void test_strings_have_three_kinds_of_quotes(void)
{
    assert_string("key = \"a b\"", "a b");
    assert_string("key = 'say \"a\"'", "say \"a\"");
    assert_string("key = \"\"\"one\ntwo \"2\"\nthree\"\"\"", "one\ntwo \"2\"\nthree");
    assert_string("key = \"\"", "");
    assert_string("key = \"# no comment; no end\"", "# no comment; no end");
}

static void test_strings_have_no_escapes(void)
{
    assert_string("key = \"C:\\n\\\"", "C:\\n\\");
}

static void test_lists_span_lines_and_may_end_in_a_comma(void)
{
    g_autoptr(ConfFile) file = parse("key = [\n \"a\", # first\n # none\n 'b',\n 3,\n]\nnext = 1");
    const ConfValue *list = value_of(file, "key");
    const ConfValue *last;

    g_assert_cmpint(list->type, ==, CONF_LIST);
    g_assert_cmpuint(list->items->len, ==, 3);
    last = g_ptr_array_index(list->items, 2);
    g_assert_cmpint(last->integer, ==, 3);
    g_assert_cmpint(last->line, ==, 5);
    g_assert_cmpint(conf_file_find(file, "next")->line, ==, 7);
}

static void test_empty_list(void)
{
    g_autoptr(ConfFile) file = parse("key = []");

    g_assert_cmpuint(value_of(file, "key")->items->len, ==, 0);
}

static void test_lines_count_through_strings(void)
{
    g_autoptr(ConfFile) file = parse("a = \"\"\"1\n2\n3\"\"\"\n\nb = 1\r\nc = 2");

    g_assert_cmpint(conf_file_find(file, "b")->line, ==, 5);
    g_assert_cmpint(conf_file_find(file, "c")->line, ==, 6);
}

static void test_semicolon_ends_an_entry(void)
{
    g_autoptr(ConfFile) file = parse("a = 1; b = 2;\nc = 3");

    g_assert_cmpuint(file->entries->len, ==, 3);
}

static void test_first_of_repeated_keys_is_found(void)
{
    g_autoptr(ConfFile) file = parse("a = 1\na = 2\n");

    g_assert_cmpint(value_of(file, "a")->integer, ==, 1);
    g_assert_null(conf_file_find(file, "b"));
}

static void test_malformed_keys_are_refused(void)
{
    assert_refused("1a = 1", "x.conf:1: expected a key, which begins with a letter");
    assert_refused("_a = 1", "x.conf:1: expected a key, which begins with a letter");
    assert_refused("a = 1;; b = 2", "x.conf:1: expected a key, which begins with a letter");
    assert_refused("\xef\xbb\xbf"
                   "a = 1",
                   "x.conf:1: expected a key, which begins with a letter");
    assert_refused("\n\n[section]\n", "x.conf:3: expected a key, which begins with a letter");
}

static void test_missing_assignment_is_refused(void)
{
    assert_refused("a 1", "x.conf:1: expected '=' after the key");
    assert_refused("a: 1", "x.conf:1: expected '=' after the key");
    assert_refused("a-b = 1", "x.conf:1: expected '=' after the key");
    assert_refused("# first\na\n= 1", "x.conf:2: expected '=' after the key");
    assert_refused("a", "x.conf:1: expected '=' after the key");
}

static void test_missing_value_is_refused(void)
{
    const char *expected = "x.conf:1: expected a value: a number, a quoted string or a [list]";

    assert_refused("a =", expected);
    assert_refused("a =\n5", expected);
    assert_refused("a = yes", expected);
    assert_refused("a = [,]", expected);
}

static void test_text_after_a_value_is_refused(void)
{
    const char *expected = "x.conf:1: expected the end of the line after the value";

    assert_refused("a = 3 4", expected);
    assert_refused("a = 0x10", expected);
    assert_refused("a = 5k", expected);
    assert_refused("a = \"b\" c = 1", expected);
    assert_refused("a = 1 b = 2", expected);
}

static void test_bad_numbers_are_refused(void)
{
    assert_refused("a = -", "x.conf:1: expected digits after the sign");
    assert_refused("a = 9223372036854775808", "x.conf:1: the number does not fit into 64 bits");
    assert_refused("a = -9223372036854775809", "x.conf:1: the number does not fit into 64 bits");
}

static void test_open_strings_are_refused(void)
{
    assert_refused("a = \"b\nc = 1", "x.conf:1: the string is not closed with \"");
    assert_refused("a = 'b", "x.conf:1: the string is not closed with '");
    assert_refused("\na = \"\"\"b\nc\n\"\"", "x.conf:2: the string is not closed with \"\"\"");
    assert_refused("a = \"ro\not\"", "x.conf:1: the string is not closed with \"");
}

static void test_strings_that_are_no_text_are_refused(void)
{
    assert_refused("a = \"\xff\"", "x.conf:1: the string is not valid UTF-8");
    assert_refused_bytes("a = \"b\0c\"", 9, "x.conf:1: the string is not valid UTF-8");
}

static void test_nul_outside_of_strings_is_refused(void)
{
    assert_refused_bytes("a = 1\0", 6, "x.conf:1: expected the end of the line after the value");
    assert_refused_bytes("\0a = 1", 6, "x.conf:1: expected a key, which begins with a letter");
    assert_refused_bytes("a = [\0", 6,
                         "x.conf:1: expected a value: a number, a quoted string or a [list]");
}

static void test_open_lists_are_refused_naming_where_they_begin(void)
{
    assert_refused("\na = [ \"b\",\n\"c\"\n",
                   "x.conf:4: the list that begins in line 2 is not closed with ]");
    assert_refused("a = [", "x.conf:1: expected a value: a number, a quoted string or a [list]");
    assert_refused("a = [ \"b\" \"c\" ]",
                   "x.conf:1: expected ',' or ']' after an item of a list");
}

static void test_deep_lists_are_refused(void)
{
    g_autofree char *deep = g_strnfill(100000, '[');
    g_autofree char *text = g_strconcat("a = ", deep, NULL);

    assert_refused(text, "x.conf:1: lists are nested too deeply");
}

static void test_too_many_items_are_refused(void)
{
    g_autoptr(GString) text = g_string_new("a = [");

    for (int i = 0; i <= CONF_FILE_MAX_ITEMS; i++) {
        g_string_append(text, "1,");
    }
    assert_refused(text->str, "x.conf:1: the list has too many items");
}

static void test_too_many_entries_are_refused(void)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (int i = 0; i <= CONF_FILE_MAX_ENTRIES; i++) {
        g_string_append(text, "a=1\n");
    }
    assert_refused(text->str, "x.conf:10001: the file has too many entries");
}

static void test_too_large_file_is_refused(void)
{
    g_autofree char *text = g_strnfill(CONF_FILE_MAX_BYTES + 1, ' ');

    assert_refused(text, "x.conf:1: the file is larger than 1 MiB");
}

static void test_values_survive_being_written_and_read(void)
{
    static const char *const values[] = {
        "1", "-9223372036854775808", "\"\"", "\"a'b\"", "'a\"b'",
        "\"\"\"a\nb\"c'd\"\"\"", "[]", "[ 1, \"b\", [ 'c\"' ] ]",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
        g_autofree char *text = g_strconcat("key = ", values[i], NULL);
        g_autoptr(ConfFile) file = parse(text);
        g_autofree char *again = conf_value_format(value_of(file, "key"));

        g_assert_cmpstr(again, ==, values[i]);
    }
}

static void test_file_that_cannot_be_read_is_named(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(ConfFile) file = conf_file_read("/no/such/file.conf", &error);

    g_assert_null(file);
    g_assert_nonnull(strstr(error->message, "/no/such/file.conf"));
}

static void test_folder_and_pipe_are_no_files(void)
{
    g_autofree char *folder = g_dir_make_tmp("conf-XXXXXX", NULL);
    g_autofree char *fifo = g_build_filename(folder, "fifo", NULL);

    g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);
    g_assert_null(conf_file_read(folder, NULL));
    g_assert_null(conf_file_read(fifo, NULL));
    g_assert_cmpint(remove(fifo), ==, 0);
    g_assert_cmpint(remove(folder), ==, 0);
}

static void test_dev_null_is_an_empty_file(void)
{
    g_autoptr(ConfFile) file = conf_file_read("/dev/null", NULL);

    g_assert_nonnull(file);
    g_assert_cmpuint(file->entries->len, ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add_func("/conf-file/" #name, test_##name)
    ADD(empty_file_has_no_entries);
    ADD(integers_are_decimal_and_signed);
    ADD(strings_have_three_kinds_of_quotes);
    ADD(strings_have_no_escapes);
    ADD(lists_span_lines_and_may_end_in_a_comma);
    ADD(empty_list);
    ADD(lines_count_through_strings);
    ADD(semicolon_ends_an_entry);
    ADD(first_of_repeated_keys_is_found);
    ADD(malformed_keys_are_refused);
    ADD(missing_assignment_is_refused);
    ADD(missing_value_is_refused);
    ADD(text_after_a_value_is_refused);
    ADD(bad_numbers_are_refused);
    ADD(open_strings_are_refused);
    ADD(strings_that_are_no_text_are_refused);
    ADD(nul_outside_of_strings_is_refused);
    ADD(open_lists_are_refused_naming_where_they_begin);
    ADD(deep_lists_are_refused);
    ADD(too_many_items_are_refused);
    ADD(too_many_entries_are_refused);
    ADD(too_large_file_is_refused);
    ADD(values_survive_being_written_and_read);
    ADD(file_that_cannot_be_read_is_named);
    ADD(folder_and_pipe_are_no_files);
    ADD(dev_null_is_an_empty_file);
    return g_test_run();
}
