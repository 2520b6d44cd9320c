/* Chains of images: what is found, and what is refused. */
#include "virtqemud/host/image_chain.h"

#include "tests/unit/file_fixture.h"
#include "tests/unit/qcow2_head.h"

/* An image called @name; its path is to be freed. */
static char *make_image(FileCase *test, const char *name, const char *backing, const char *format)
{
    g_autoptr(GByteArray) image =
        qcow2_head_new(&(Qcow2Head){ .version = 3, .backing = backing, .format = format });

    return file_case_make(test, name, image->data, image->len);
}

static void make_raw(FileCase *test, const char *name)
{
    g_free(file_case_make(test, name, "raw", 3));
}

/* The chain below image "top"; NULL with the error. */
static DiskSource *complete(FileCase *test, GError **error)
{
    DiskSource *top = disk_source_new();

    top->path = g_build_filename(test->folder, "top", NULL);
    top->format = DISK_FORMAT_QCOW2;
    if (image_chain_complete(test->workers, top, &test->user, soon(), error))
        return top;
    disk_source_free(top);
    return NULL;
}

static void assert_source(FileCase *test, const DiskSource *source, const char *name,
                          DiskFormat format)
{
    g_autofree char *path = g_build_filename(test->folder, name, NULL);

    g_assert_nonnull(source);
    g_assert_cmpstr(source->path, ==, path);
    g_assert_cmpint(source->format, ==, format);
    g_assert_true(source->is_chain_end == !source->backing);
}

static void assert_refused(FileCase *test, ErrorCode code, const char *expected)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(complete(test, &error));
    g_test_message("%s", error->message);
    assert_error_code(error, code);
    g_assert_nonnull(strstr(error->message, expected));
}

static void test_chain_is_followed_to_its_end(FileCase *test)
{
    g_free(make_image(test, "top", "middle", "qcow2"));
    g_autofree char *middle = NULL, *base = g_build_filename(test->folder, "base", NULL);
    g_autoptr(GError) error = NULL;

    middle = make_image(test, "middle", base, "raw");
    make_raw(test, "base");
    DiskSource *chain = complete(test, &error);
    g_assert_no_error(error);
    assert_source(test, chain, "top", DISK_FORMAT_QCOW2);
    assert_source(test, chain->backing, "middle", DISK_FORMAT_QCOW2);
    assert_source(test, chain->backing->backing, "base", DISK_FORMAT_RAW);
    disk_source_free(chain);
}

static void test_raw_image_is_not_looked_into(FileCase *test)
{
    g_autofree char *top = make_image(test, "top", "/etc/shadow", "raw");
    DiskSource *source = disk_source_new();

    source->path = g_steal_pointer(&top);
    g_assert_true(image_chain_complete(test->workers, source, &test->user, soon(), NULL));
    assert_source(test, source, "top", DISK_FORMAT_RAW);
    disk_source_free(source);
}

static void test_given_chain_is_taken_as_it_is(FileCase *test)
{
    DiskSource *top = disk_source_new();

    top->path = g_strdup("/no/such/image");
    top->format = DISK_FORMAT_QCOW2;
    top->backing = disk_source_new();
    top->backing->path = g_strdup("/no/such/base");
    top->backing->format = DISK_FORMAT_QCOW2;
    top->backing->is_chain_end = true;
    g_assert_true(image_chain_complete(test->workers, top, &test->user, soon(), NULL));
    g_assert_null(top->backing->backing);
    disk_source_free(top);
}

static void test_unrecorded_format_is_raw(FileCase *test)
{
    g_free(make_image(test, "top", "base", NULL));

    make_raw(test, "base");
    DiskSource *chain = complete(test, NULL);
    assert_source(test, chain->backing, "base", DISK_FORMAT_RAW);
    disk_source_free(chain);
}

static void test_unrecorded_format_is_qcow2_if_it_names_no_file(FileCase *test)
{
    g_free(make_image(test, "top", "base", NULL));
    g_free(make_image(test, "base", NULL, NULL));
    DiskSource *chain = complete(test, NULL);

    assert_source(test, chain->backing, "base", DISK_FORMAT_QCOW2);
    disk_source_free(chain);
}

static void test_unrecorded_format_with_a_backing_file_is_refused(FileCase *test)
{
    g_free(make_image(test, "top", "base", NULL));
    g_free(make_image(test, "base", "/etc/shadow", "raw"));

    assert_refused(test, VIR_ERR_OPERATION_INVALID,
                   "was not specified in the image metadata");
}

static void test_missing_image_is_named(FileCase *test)
{
    assert_refused(test, VIR_ERR_SYSTEM_ERROR, "Cannot access storage file '");
    g_free(make_image(test, "top", "base", "qcow2"));
    assert_refused(test, VIR_ERR_SYSTEM_ERROR, "/base' of storage file '");
}

static void test_loop_is_refused(FileCase *test)
{
    g_free(make_image(test, "top", "middle", "qcow2"));
    g_free(make_image(test, "middle", "top", "qcow2"));

    assert_refused(test, VIR_ERR_OPERATION_FAILED, "has no end");
}

/* Each has another name: "top", "./top", "././top", … */
static void test_endless_chain_is_refused(FileCase *test)
{
    g_free(make_image(test, "top", "./top", "qcow2"));

    assert_refused(test, VIR_ERR_OPERATION_FAILED, "has no end");
}

static void test_what_is_not_supported_is_refused(FileCase *test)
{
    g_free(make_image(test, "top", "nbd://localhost/x", "raw"));
    assert_refused(test, VIR_ERR_CONFIG_UNSUPPORTED, "not a local file");
    g_free(make_image(test, "top", "base", "vmdk"));
    assert_refused(test, VIR_ERR_CONFIG_UNSUPPORTED, "format");
    g_autoptr(GByteArray) image =
        qcow2_head_new(&(Qcow2Head){ .version = 3, .has_data_file = TRUE });
    g_free(file_case_make(test, "top", image->data, image->len));
    assert_refused(test, VIR_ERR_CONFIG_UNSUPPORTED, "a file of its own");
}

static void test_garbage_is_refused(FileCase *test)
{
    make_raw(test, "top");
    assert_refused(test, VIR_ERR_OPERATION_FAILED, "not in the format qcow2");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_data_func("/image_chain/" #name, (void *)test_##name, file_case_run)
    TEST(chain_is_followed_to_its_end);
    TEST(raw_image_is_not_looked_into);
    TEST(given_chain_is_taken_as_it_is);
    TEST(unrecorded_format_is_raw);
    TEST(unrecorded_format_is_qcow2_if_it_names_no_file);
    TEST(unrecorded_format_with_a_backing_file_is_refused);
    TEST(missing_image_is_named);
    TEST(loop_is_refused);
    TEST(endless_chain_is_refused);
    TEST(what_is_not_supported_is_refused);
    TEST(garbage_is_refused);
    return g_test_run();
}
