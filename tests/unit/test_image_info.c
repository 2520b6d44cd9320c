/* Heads of qcow2 images, and what their backing files' names mean. */
#include "virtqemud/host/image_info.h"

#include <string.h>

#include "base/error.h"
#include "tests/unit/qcow2_head.h"

static void assert_refused(GByteArray *image, const char *expected)
{
    g_autoptr(GError) error = NULL;
    ImageInfo info;

    g_assert_false(image_info_parse(image->data, image->len, &info, &error));
    g_assert_cmpint(error->code, ==, VIR_ERR_OPERATION_FAILED);
    g_assert_nonnull(strstr(error->message, expected));
}

static void test_backing_file_and_format_are_read(void)
{
    for (guint32 version = 2; version <= 3; version++) {
        g_autoptr(GByteArray) image = qcow2_head_new(
            &(Qcow2Head){ .version = version, .backing = "base.img", .format = "raw" });
        g_auto(ImageInfo) info = { 0 };

        g_assert_true(image_info_parse(image->data, image->len, &info, NULL));
        g_assert_cmpstr(info.backing_path, ==, "base.img");
        g_assert_cmpstr(info.backing_format, ==, "raw");
        g_assert_cmpuint(info.size_bytes, ==, 10 * 1024 * 1024);
        g_assert_false(info.is_encrypted || info.has_data_file);
    }
}

static void test_image_without_backing_file(void)
{
    g_autoptr(GByteArray) image = qcow2_head_new(&(Qcow2Head){ .version = 3 });
    g_auto(ImageInfo) info = { 0 };

    g_assert_true(image_info_parse(image->data, image->len, &info, NULL));
    g_assert_null(info.backing_path);
    g_assert_null(info.backing_format);
}

static void test_data_file_is_seen(void)
{
    g_autoptr(GByteArray) image =
        qcow2_head_new(&(Qcow2Head){ .version = 3, .has_data_file = TRUE });
    g_auto(ImageInfo) info = { 0 };

    g_assert_true(image_info_parse(image->data, image->len, &info, NULL));
    g_assert_true(info.has_data_file);
}

static void test_other_files_are_refused(void)
{
    g_autoptr(GByteArray) image = qcow2_head_new(&(Qcow2Head){ .version = 3 });

    qcow2_put(image, 4, 4, 4);
    assert_refused(image, "unknown version");
    qcow2_put(image, 0, 0x514649fc, 4);
    assert_refused(image, "not in the format qcow2");
    g_byte_array_set_size(image, 0);
    assert_refused(image, "not in the format qcow2");
}

static void test_lengths_are_checked(void)
{
    static const struct {
        guint offset, size;
        guint64 number;
        const char *reason;
    } cases[] = {
        { 100, 4, 103, "cut short" },       { 100, 4, 0xffffffff, "cut short" },
        { 16, 4, 1024, "too long" },        { 8, 8, G_MAXUINT64, "no text" },
        { 8, 8, 60000, "no text" },         { 16, 4, 500, "no text" },
        { 108, 4, 0xffffffff, "too long" }, { 124, 4, 16, "is no name" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GByteArray) image =
            qcow2_head_new(&(Qcow2Head){ .version = 3, .backing = "b", .format = "raw" });

        qcow2_put(image, cases[i].offset, cases[i].number, cases[i].size);
        assert_refused(image, cases[i].reason);
    }
}

static void test_names_that_are_no_text_are_refused(void)
{
    g_autoptr(GByteArray) image =
        qcow2_head_new(&(Qcow2Head){ .version = 3, .backing = "abc", .format = "raw" });

    image->data[image->len - 2] = 0;
    assert_refused(image, "no text");
    image->data[image->len - 2] = 0xff;
    assert_refused(image, "no text");
}

static void assert_path(const char *name, const char *expected)
{
    g_autofree char *path = image_backing_path("/images/top.qcow2", name);

    g_assert_cmpstr(path, ==, expected);
}

static void test_relative_names_are_beside_the_image(void)
{
    assert_path("base", "/images/base");
    assert_path("../base", "/images/../base");
    assert_path("/base", "/base");
    assert_path("sub/a:b", "/images/sub/a:b");
    assert_path("file:base", "/images/base");
    assert_path("file:/base", "/base");
}

static void test_names_that_are_no_files_have_no_path(void)
{
    assert_path("nbd://localhost/x", NULL);
    assert_path("json:{\"driver\":\"file\"}", NULL);
    assert_path("file:///base", NULL);
    assert_path("file:nbd:x", NULL);
    assert_path("fat:/etc", NULL);
    assert_path("", NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/image_info/" #name, test_##name)
    TEST(backing_file_and_format_are_read);
    TEST(image_without_backing_file);
    TEST(data_file_is_seen);
    TEST(other_files_are_refused);
    TEST(lengths_are_checked);
    TEST(names_that_are_no_text_are_refused);
    TEST(relative_names_are_beside_the_image);
    TEST(names_that_are_no_files_have_no_path);
    return g_test_run();
}
