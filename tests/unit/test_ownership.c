/* Files that change hands with a guest. Root and a file system with "trusted" attributes are
 * needed for most of it. */
#include "virtqemud/host/ownership.h"

#include <errno.h>
#include <sys/xattr.h>

#include "tests/unit/file_fixture.h"
#include "virtqemud/host/owner_journal.h"

typedef struct OwnerCase {
    QemuConf conf;
    char *path;
    char *journal; /* NULL: none */
} OwnerCase;

static OwnerCase owner_case(FileCase *test)
{
    OwnerCase owner = { .conf = { .run_as = test->user, .dynamic_ownership = true,
                                  .remember_owner = true } };

    owner.path = file_case_make(test, "disk", "data", 4);
    g_assert_cmpint(chmod(owner.path, 0600), ==, 0);
    g_assert_cmpint(chown(owner.path, 1001, 1002), ==, 0);
    return owner;
}

static void owner_case_clear(OwnerCase *owner)
{
    g_free(owner->path);
    g_free(owner->journal);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(OwnerCase, owner_case_clear)

static void take(FileCase *test, OwnerCase *owner, FileUse use)
{
    g_autoptr(GError) error = NULL;

    file_take(test->workers, &owner->conf, owner->path, owner->journal, use, true, soon(), &error);
    g_assert_no_error(error);
}

static void give_back(FileCase *test, OwnerCase *owner, FileUse use)
{
    g_autoptr(GError) error = NULL;

    file_give_back(test->workers, &owner->conf, owner->path, owner->journal, use, soon(), &error);
    g_assert_no_error(error);
}

static void assert_owner(const OwnerCase *owner, uid_t uid, gid_t gid)
{
    struct stat info;

    g_assert_cmpint(stat(owner->path, &info), ==, 0);
    g_assert_cmpuint(info.st_uid, ==, uid);
    g_assert_cmpuint(info.st_gid, ==, gid);
}

/* NULL: there is none. */
static void assert_attribute(const OwnerCase *owner, const char *name, const char *expected)
{
    char text[64] = "";
    ssize_t n = getxattr(owner->path, name, text, sizeof(text) - 1);

    g_assert_cmpstr(n < 0 ? NULL : text, ==, expected);
}

static void test_owner_is_kept_and_restored(FileCase *test)
{
    g_auto(OwnerCase) owner = owner_case(test);

    take(test, &owner, FILE_USE_EXCLUSIVE);
    assert_owner(&owner, 61001, 61002);
    assert_attribute(&owner, FILE_XATTR_OWNER, "+1001:+1002");
    assert_attribute(&owner, FILE_XATTR_USERS, "1");
    give_back(test, &owner, FILE_USE_EXCLUSIVE);
    assert_owner(&owner, 1001, 1002);
    assert_attribute(&owner, FILE_XATTR_OWNER, NULL);
    assert_attribute(&owner, FILE_XATTR_USERS, NULL);
    assert_attribute(&owner, FILE_XATTR_BOOT, NULL);
}

static void make_journal(FileCase *test, OwnerCase *owner)
{
    g_autoptr(GError) error = NULL;

    owner->journal = g_build_filename(test->folder, "a.files", NULL);
    owner_journal_create(owner->journal, &error);
    g_assert_no_error(error);
}

static void assert_journal(const OwnerCase *owner, guint n_files)
{
    g_autoptr(GPtrArray) files = owner_journal_read(owner->journal);

    g_assert_cmpuint(files->len, ==, n_files);
    for (guint i = 0; i < n_files; i++)
        g_assert_cmpstr(files->pdata[i], ==, owner->path);
}

static void test_journal_has_what_is_to_be_given_back(FileCase *test)
{
    g_auto(OwnerCase) owner = owner_case(test);

    make_journal(test, &owner);
    assert_journal(&owner, 0);
    take(test, &owner, FILE_USE_EXCLUSIVE);
    take(test, &owner, FILE_USE_EXCLUSIVE);
    assert_journal(&owner, 2);
    give_back(test, &owner, FILE_USE_EXCLUSIVE);
    assert_journal(&owner, 1);
    give_back(test, &owner, FILE_USE_EXCLUSIVE);
    assert_journal(&owner, 0);
    take(test, &owner, FILE_USE_SHARED);
    assert_journal(&owner, 0);
}

static void test_nothing_is_taken_without_the_journal(FileCase *test)
{
    g_auto(OwnerCase) owner = owner_case(test);
    g_autoptr(GError) error = NULL;

    make_journal(test, &owner);
    g_assert_cmpint(unlink(owner.journal), ==, 0);
    g_assert_false(file_take(test->workers, &owner.conf, owner.path, owner.journal,
                             FILE_USE_EXCLUSIVE, true, soon(), &error));
    assert_owner(&owner, 1001, 1002);
    assert_attribute(&owner, FILE_XATTR_OWNER, NULL);
}

static void test_torn_record_of_the_journal_does_not_count(FileCase *test)
{
    static const char text[] = "+/a\0+/b\0-/a\0?/c\0\0+/d";
    g_autofree char *path = file_case_make(test, "a.files", text, sizeof(text) - 1);
    g_autoptr(GPtrArray) files = owner_journal_read(path);

    g_assert_cmpuint(files->len, ==, 1);
    g_assert_cmpstr(files->pdata[0], ==, "/b");
}

static void test_last_user_gives_it_back(FileCase *test)
{
    g_auto(OwnerCase) owner = owner_case(test);

    take(test, &owner, FILE_USE_EXCLUSIVE);
    take(test, &owner, FILE_USE_EXCLUSIVE);
    assert_attribute(&owner, FILE_XATTR_USERS, "2");
    give_back(test, &owner, FILE_USE_EXCLUSIVE);
    assert_owner(&owner, 61001, 61002);
    give_back(test, &owner, FILE_USE_EXCLUSIVE);
    assert_owner(&owner, 1001, 1002);
}

static void test_users_before_a_reboot_do_not_count(FileCase *test)
{
    g_auto(OwnerCase) owner = owner_case(test);

    take(test, &owner, FILE_USE_EXCLUSIVE);
    take(test, &owner, FILE_USE_EXCLUSIVE);
    g_assert_cmpint(setxattr(owner.path, FILE_XATTR_BOOT, "1000000", 7, 0), ==, 0);
    take(test, &owner, FILE_USE_EXCLUSIVE);
    assert_attribute(&owner, FILE_XATTR_USERS, "1");
    give_back(test, &owner, FILE_USE_EXCLUSIVE);
    assert_owner(&owner, 1001, 1002);
}

static void test_foreign_record_is_replaced(FileCase *test)
{
    static const char *const records[] = { "", "+1:+", "1:1", "+-1:+1", "+4294967295:+0", "+1:+1x" };

    for (size_t i = 0; i < G_N_ELEMENTS(records); i++) {
        g_auto(OwnerCase) owner = owner_case(test);

        g_assert_cmpint(setxattr(owner.path, FILE_XATTR_OWNER, records[i], strlen(records[i]), 0),
                        ==, 0);
        take(test, &owner, FILE_USE_EXCLUSIVE);
        assert_attribute(&owner, FILE_XATTR_OWNER, "+1001:+1002");
        g_assert_cmpint(unlink(owner.path), ==, 0);
    }
}

static void test_shared_file_is_given_for_good(FileCase *test)
{
    g_auto(OwnerCase) owner = owner_case(test);

    take(test, &owner, FILE_USE_SHARED);
    assert_owner(&owner, 61001, 61002);
    assert_attribute(&owner, FILE_XATTR_OWNER, NULL);
    give_back(test, &owner, FILE_USE_SHARED);
    assert_owner(&owner, 61001, 61002);
}

static void test_without_memory_it_goes_to_root(FileCase *test)
{
    g_auto(OwnerCase) owner = owner_case(test);

    owner.conf.remember_owner = false;
    take(test, &owner, FILE_USE_EXCLUSIVE);
    assert_attribute(&owner, FILE_XATTR_OWNER, NULL);
    give_back(test, &owner, FILE_USE_EXCLUSIVE);
    assert_owner(&owner, 0, 0);
}

static void test_without_dynamic_ownership_nothing_changes(FileCase *test)
{
    g_auto(OwnerCase) owner = owner_case(test);
    g_autoptr(GError) error = NULL;
    g_autofree char *expected = NULL;

    owner.conf.dynamic_ownership = false;
    g_assert_false(file_take(test->workers, &owner.conf, owner.path, NULL, FILE_USE_EXCLUSIVE, true,
                             soon(), &error));
    assert_error_code(error, VIR_ERR_SYSTEM_ERROR);
    expected = g_strdup_printf("Cannot access storage file '%s' (as uid:61001, gid:61002): "
                               "Permission denied", owner.path);
    g_assert_cmpstr(error_detail(error), ==, expected);
    assert_owner(&owner, 1001, 1002);
    g_assert_cmpint(chmod(owner.path, 0666), ==, 0);
    take(test, &owner, FILE_USE_EXCLUSIVE);
    assert_owner(&owner, 1001, 1002);
}

static void test_supplementary_groups_count(FileCase *test)
{
    g_auto(OwnerCase) owner = owner_case(test);
    gid_t group = 1002;

    g_array_append_val(test->user.groups, group);
    owner.conf.dynamic_ownership = false;
    g_assert_cmpint(chmod(owner.path, 0060), ==, 0);
    take(test, &owner, FILE_USE_EXCLUSIVE);
}

static void test_file_in_a_closed_folder_is_given_back(FileCase *test)
{
    g_auto(OwnerCase) owner = owner_case(test);
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(chmod(test->folder, 0700), ==, 0);
    g_assert_false(file_take(test->workers, &owner.conf, owner.path, NULL, FILE_USE_EXCLUSIVE, true,
                             soon(), &error));
    g_assert_nonnull(strstr(error->message, "Permission denied"));
    assert_owner(&owner, 1001, 1002);
    assert_attribute(&owner, FILE_XATTR_OWNER, NULL);
}

static void test_missing_file(FileCase *test)
{
    g_auto(OwnerCase) owner = owner_case(test);
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(unlink(owner.path), ==, 0);
    g_assert_false(file_take(test->workers, &owner.conf, owner.path, NULL, FILE_USE_EXCLUSIVE, true,
                             soon(), &error));
    g_assert_nonnull(strstr(error->message, "No such file or directory"));
    give_back(test, &owner, FILE_USE_EXCLUSIVE);
}

static void test_folder_is_refused(FileCase *test)
{
    g_auto(OwnerCase) owner = owner_case(test);
    g_autoptr(GError) error = NULL;

    g_assert_false(file_take(test->workers, &owner.conf, test->folder, NULL, FILE_USE_EXCLUSIVE, true,
                             soon(), &error));
    g_assert_nonnull(strstr(error->message, "Is a directory"));
}

static void test_link_is_followed(FileCase *test)
{
    g_auto(OwnerCase) owner = owner_case(test);
    g_autofree char *link = g_build_filename(test->folder, "link", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(symlink("disk", link), ==, 0);
    g_assert_true(file_take(test->workers, &owner.conf, link, NULL, FILE_USE_EXCLUSIVE, true, soon(),
                            &error));
    assert_owner(&owner, 61001, 61002);
}

typedef struct Together {
    FileCase *test;
    OwnerCase *owner;
} Together;

static void take_together(void *data)
{
    Together *together = data;

    take(together->test, together->owner, FILE_USE_EXCLUSIVE);
}

static void test_users_at_the_same_time_are_counted(FileCase *test)
{
    g_auto(OwnerCase) owner = owner_case(test);
    Together together = { test, &owner };
    Fiber *fibers[8];

    for (size_t i = 0; i < G_N_ELEMENTS(fibers); i++)
        fibers[i] = fixture_spawn(fiber_get_loop(fiber_current()), take_together, &together);
    for (size_t i = 0; i < G_N_ELEMENTS(fibers); i++) {
        g_assert_true(fiber_join(fibers[i], soon(), NULL));
        fiber_unref(fibers[i]);
    }
    assert_attribute(&owner, FILE_XATTR_USERS, "8");
}

static bool can_keep_owners(void)
{
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("xattr-XXXXXX", &path, NULL);
    bool ok = geteuid() == 0 && fd >= 0 && setxattr(path, "trusted.test", "", 0, 0) == 0;

    close(fd);
    unlink(path);
    return ok;
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (!can_keep_owners()) {
        printf("1..0 # SKIP needs root and a file system with trusted attributes\n");
        return 0;
    }
#define TEST(name) g_test_add_data_func("/ownership/" #name, (void *)test_##name, file_case_run)
    TEST(owner_is_kept_and_restored);
    TEST(journal_has_what_is_to_be_given_back);
    TEST(nothing_is_taken_without_the_journal);
    TEST(torn_record_of_the_journal_does_not_count);
    TEST(last_user_gives_it_back);
    TEST(users_before_a_reboot_do_not_count);
    TEST(foreign_record_is_replaced);
    TEST(shared_file_is_given_for_good);
    TEST(without_memory_it_goes_to_root);
    TEST(without_dynamic_ownership_nothing_changes);
    TEST(supplementary_groups_count);
    TEST(file_in_a_closed_folder_is_given_back);
    TEST(missing_file);
    TEST(folder_is_refused);
    TEST(link_is_followed);
    TEST(users_at_the_same_time_are_counted);
    return g_test_run();
}
