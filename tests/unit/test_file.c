/* Files: limits, atomic replacement and what failure leaves behind. */
#include "base/file.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

typedef struct Fixture {
    char *folder;
    char *path; /* of a file in it that is not there yet */
} Fixture;

static void fixture_set_up(Fixture *fixture, gconstpointer unused)
{
    fixture->folder = g_dir_make_tmp("test-file-XXXXXX", NULL);
    g_assert_nonnull(fixture->folder);
    fixture->path = g_build_filename(fixture->folder, "file", NULL);
}

static void remove_tree(const char *path)
{
    GDir *dir = g_file_test(path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open(path, 0, NULL);
    const char *name;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *child = g_build_filename(path, name, NULL);

        remove_tree(child);
    }
    g_clear_pointer(&dir, g_dir_close);
    g_remove(path);
}

static void fixture_tear_down(Fixture *fixture, gconstpointer unused)
{
    remove_tree(fixture->folder);
    g_free(fixture->folder);
    g_free(fixture->path);
}

static unsigned int count_entries(const char *path)
{
    GDir *dir = g_dir_open(path, 0, NULL);
    unsigned int count = 0;

    g_assert_nonnull(dir);
    while (g_dir_read_name(dir) != NULL)
        count++;
    g_dir_close(dir);
    return count;
}

static void assert_content(const char *path, const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *data = NULL;
    size_t length;

    g_assert_true(file_read_all(path, 1000, &data, &length, &error));
    g_assert_cmpstr(data, ==, expected);
    g_assert_cmpuint(length, ==, strlen(expected));
}

static bool replace(const char *path, const char *text, GError **error)
{
    return file_replace_atomic(path, text, strlen(text), 0600, FILE_KEEP_UID, FILE_KEEP_GID, error);
}

static void test_what_was_written_is_read(Fixture *fixture, gconstpointer unused)
{
    g_assert_true(replace(fixture->path, "one", NULL));
    assert_content(fixture->path, "one");
    g_assert_true(replace(fixture->path, "", NULL));
    assert_content(fixture->path, "");
    g_assert_cmpuint(count_entries(fixture->folder), ==, 1);
}

static void test_limit_is_exact(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *data = NULL;

    g_assert_true(replace(fixture->path, "12345", NULL));
    g_assert_false(file_read_all(fixture->path, 4, &data, NULL, &error));
    g_assert_error(error, error_quark(VIR_FROM_NONE), VIR_ERR_OPERATION_FAILED);
    g_assert_null(data);
    g_assert_true(file_read_all(fixture->path, 5, &data, NULL, NULL));
    g_assert_cmpstr(data, ==, "12345");
}

static void test_files_of_proc_are_read_whole(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *data = NULL;
    size_t length;

    g_assert_true(file_read_all("/proc/self/status", 1 << 20, &data, &length, NULL));
    g_assert_cmpuint(length, >, 100);
    g_assert_true(g_str_has_prefix(data, "Name:"));
}

static void test_endless_device_is_refused(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    char *data = NULL;

    g_assert_false(file_read_all("/dev/zero", 1 << 20, &data, NULL, &error));
    g_assert_error(error, error_quark(VIR_FROM_NONE), VIR_ERR_OPERATION_FAILED);
}

static void test_pipe_and_folder_are_refused_without_waiting(Fixture *fixture,
                                                             gconstpointer unused)
{
    char *data = NULL;

    g_assert_cmpint(mkfifo(fixture->path, 0600), ==, 0);
    g_assert_false(file_read_all(fixture->path, 10, &data, NULL, NULL));
    g_assert_false(file_read_all(fixture->folder, 10, &data, NULL, NULL));
}

static void test_missing_file_is_an_error_or_nothing(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    char *data = fixture->path;
    size_t length = 77;

    g_assert_false(file_read_all(fixture->path, 10, &data, NULL, &error));
    g_assert_error(error, error_quark(VIR_FROM_NONE), VIR_ERR_SYSTEM_ERROR);
    g_assert_true(g_str_has_suffix(error->message, ": No such file or directory"));
    g_assert_true(file_read_if_exists(fixture->path, 10, &data, &length, NULL));
    g_assert_null(data);
    g_assert_cmpuint(length, ==, 0);
}

static void test_mode_is_exact(Fixture *fixture, gconstpointer unused)
{
    mode_t mask = umask(0077);
    struct stat status;

    g_assert_true(file_replace_atomic(fixture->path, "x", 1, 0644, getuid(), getgid(), NULL));
    umask(mask);
    g_assert_cmpint(stat(fixture->path, &status), ==, 0);
    g_assert_cmpint(status.st_mode & 07777, ==, 0644);
    g_assert_cmpuint(status.st_uid, ==, getuid());
}

static void test_failed_replacement_leaves_no_temporary(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *inside = g_build_filename(fixture->path, "x", NULL);

    /* A folder with something in it cannot be replaced by a file. */
    g_assert_true(mkdir_parents(inside, 0700, NULL));
    g_assert_false(replace(fixture->path, "x", &error));
    g_assert_error(error, error_quark(VIR_FROM_NONE), VIR_ERR_SYSTEM_ERROR);
    g_assert_cmpuint(count_entries(fixture->folder), ==, 1);
}

static void test_replacement_in_missing_folder_fails(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *inside = g_build_filename(fixture->path, "x", NULL);

    g_assert_false(replace(inside, "x", NULL));
}

static void test_full_disk_keeps_the_old_content(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    if (!g_test_subprocess()) {
        g_test_trap_subprocess(NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
        g_test_trap_assert_passed();
        return;
    }
    /* The limit on file sizes stands for a disk that fills in the middle of a write. */
    signal(SIGXFSZ, SIG_IGN);
    g_assert_true(replace(fixture->path, "old", NULL));
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 10, 10 }), ==, 0);
    g_assert_false(replace(fixture->path, "longer than ten bytes", &error));
    assert_content(fixture->path, "old");
    g_assert_cmpuint(count_entries(fixture->folder), ==, 1);
}

static void test_removal_twice_is_fine(Fixture *fixture, gconstpointer unused)
{
    g_assert_true(replace(fixture->path, "x", NULL));
    g_assert_true(file_remove_durable(fixture->path, NULL));
    g_assert_cmpuint(count_entries(fixture->folder), ==, 0);
    g_assert_true(file_remove_durable(fixture->path, NULL));
    g_assert_false(file_remove_durable(fixture->folder, NULL));
}

static void test_parents_are_made_once(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *deep = g_build_filename(fixture->folder, "a", "b", "c/", NULL);
    g_autofree char *through_file = g_build_filename(fixture->path, "x", NULL);

    g_assert_true(mkdir_parents(deep, 0700, NULL));
    g_assert_true(mkdir_parents(deep, 0700, NULL));
    g_assert_true(g_file_test(deep, G_FILE_TEST_IS_DIR));
    g_assert_true(replace(fixture->path, "x", NULL));
    g_assert_false(mkdir_parents(through_file, 0700, &error));
    g_assert_error(error, error_quark(VIR_FROM_NONE), VIR_ERR_SYSTEM_ERROR);
    g_assert_false(mkdir_parents(fixture->path, 0700, NULL));
}

/* Whether anything is read behind the end of the path the sanitizers see. */
static void test_empty_path_is_no_folder(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(mkdir_parents("", 0700, &error));
    g_assert_error(error, error_quark(VIR_FROM_NONE), VIR_ERR_SYSTEM_ERROR);
}

static void test_links_are_made_replaced_and_read(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *target = NULL;
    g_autofree char *other = g_build_filename(fixture->folder, "other", NULL);

    g_assert_true(symlink_replace_atomic(fixture->path, "one", NULL));
    g_assert_true(symlink_replace_atomic(fixture->path, "two", NULL));
    g_assert_true(symlink_read(fixture->path, &target, NULL));
    g_assert_cmpstr(target, ==, "two");
    g_assert_cmpuint(count_entries(fixture->folder), ==, 1);
    g_clear_pointer(&target, g_free);
    g_assert_false(symlink_read(other, &target, NULL));
    g_assert_true(replace(other, "x", NULL));
    g_assert_false(symlink_read(other, &target, NULL));
}

static void test_replacing_a_link_spares_its_target(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *other = g_build_filename(fixture->folder, "other", NULL);

    g_assert_true(replace(other, "old", NULL));
    g_assert_true(symlink_replace_atomic(fixture->path, other, NULL));
    g_assert_true(replace(fixture->path, "new", NULL));
    assert_content(other, "old");
    assert_content(fixture->path, "new");
}

static void test_listing_is_sorted_and_skips_dots(Fixture *fixture, gconstpointer unused)
{
    static const char *const names[] = { "b.xml", "a.xml", ".hidden.xml", "c.txt" };
    g_autoptr(GPtrArray) found = NULL;
    g_autoptr(GPtrArray) all = NULL;
    g_autoptr(GPtrArray) none = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(fixture->folder, names[i], NULL);

        g_assert_true(replace(path, "x", NULL));
    }
    g_assert_true(dir_list(fixture->folder, ".xml", &found, NULL));
    g_assert_cmpuint(found->len, ==, 2);
    g_assert_cmpstr(found->pdata[0], ==, "a.xml");
    g_assert_cmpstr(found->pdata[1], ==, "b.xml");
    g_assert_true(dir_list(fixture->folder, NULL, &all, NULL));
    g_assert_cmpuint(all->len, ==, 3);
    g_assert_false(dir_list(fixture->path, NULL, &none, NULL));
}

static void test_stale_temporaries_are_removed(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *stale = g_build_filename(fixture->folder, ".splitvirt-tmp-abc123", NULL);

    g_assert_true(replace(fixture->path, "x", NULL));
    g_assert_true(g_file_set_contents(stale, "half", -1, NULL));
    g_assert_true(dir_remove_temporaries(fixture->folder, NULL));
    g_assert_cmpuint(count_entries(fixture->folder), ==, 1);
    assert_content(fixture->path, "x");
}

#define ADD(name)                                                                            \
    g_test_add("/file/" #name, Fixture, NULL, fixture_set_up, test_##name, fixture_tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(what_was_written_is_read);
    ADD(limit_is_exact);
    ADD(files_of_proc_are_read_whole);
    ADD(endless_device_is_refused);
    ADD(pipe_and_folder_are_refused_without_waiting);
    ADD(missing_file_is_an_error_or_nothing);
    ADD(mode_is_exact);
    ADD(failed_replacement_leaves_no_temporary);
    ADD(replacement_in_missing_folder_fails);
    ADD(full_disk_keeps_the_old_content);
    ADD(removal_twice_is_fine);
    ADD(parents_are_made_once);
    ADD(empty_path_is_no_folder);
    ADD(links_are_made_replaced_and_read);
    ADD(replacing_a_link_spares_its_target);
    ADD(listing_is_sorted_and_skips_dots);
    ADD(stale_temporaries_are_removed);
    return g_test_run();
}
