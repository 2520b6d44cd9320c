/* Memory for secrets: locked, left out of dumps, empty in children, within the limit; and files
 * read into it. */
#include "base/secret_bytes.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"

/* Whether the mapping at @address has the flag ("lo": locked, "dd": not dumped) in smaps. */
static bool mapping_has_flag(const void *address, const char *flag)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    bool is_inside = false;

    g_assert_true(g_file_get_contents("/proc/self/smaps", &text, NULL, NULL));
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        unsigned long begin, end;

        if (sscanf(*line, "%lx-%lx ", &begin, &end) == 2)
            is_inside = (unsigned long)address >= begin && (unsigned long)address < end;
        else if (is_inside && g_str_has_prefix(*line, "VmFlags:"))
            return strstr(*line, flag) != NULL;
    }
    return false;
}

static void test_not_dumped(void)
{
    g_autoptr(SecretBytes) bytes = secret_bytes_copy("value", 5, NULL);

    g_assert_cmpmem(bytes->data, bytes->length, "value", 5);
    g_assert_true(mapping_has_flag(bytes->data, " dd"));
}

/* Sanitizers leave mlock() out. */
static void test_locked(void)
{
#ifdef __SANITIZE_ADDRESS__
    g_test_skip("sanitizers do not lock memory");
#else
    g_autoptr(SecretBytes) bytes = secret_bytes_new(100000, NULL);

    g_assert_true(mapping_has_flag(bytes->data, " lo"));
    g_assert_true(mapping_has_flag(bytes->data + 99999, " lo"));
#endif
}

static void test_empty_in_a_child(void)
{
    g_autoptr(SecretBytes) bytes = secret_bytes_copy("value", 5, NULL);
    int status;
    pid_t child = fork();

    if (child == 0)
        _exit(bytes->data[0] == 0 ? 0 : 1);
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_cmpint(status, ==, 0);
}

/* In a process of its own: root may lock what it likes, another user may not. */
static void test_limit_is_named(void)
{
#ifdef __SANITIZE_ADDRESS__
    g_test_skip("sanitizers do not lock memory");
#else
    if (g_test_subprocess()) {
        struct rlimit limit = { 8192, 8192 };
        g_autoptr(GError) error = NULL;

        g_assert_cmpint(setrlimit(RLIMIT_MEMLOCK, &limit), ==, 0);
        g_assert_true(geteuid() != 0 || setresuid(65534, 65534, 65534) == 0);
        g_assert_null(secret_bytes_new(65536, &error));
        g_assert_error(error, error_quark(VIR_FROM_NONE), VIR_ERR_SYSTEM_ERROR);
        g_assert_nonnull(strstr(error->message, "is 8192, see LimitMEMLOCK="));
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_passed();
#endif
}

static void test_nothing_is_no_error(void)
{
    g_autoptr(SecretBytes) empty = secret_bytes_new(0, NULL);

    g_assert_cmpuint(empty->length, ==, 0);
    secret_bytes_free(NULL);
}

static void test_files(void)
{
    g_autofree char *folder = g_dir_make_tmp("secret-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "file", NULL);
    g_autoptr(SecretBytes) bytes = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(secret_bytes_read_file(path, 10, &bytes, &error));
    g_assert_null(bytes);
    g_assert_true(g_file_set_contents(path, "0123456789", 10, NULL));
    g_assert_false(secret_bytes_read_file(path, 9, &bytes, &error));
    g_assert_nonnull(strstr(error->message, "is larger than 9 bytes"));
    g_clear_error(&error);
    g_assert_true(secret_bytes_read_file(path, 10, &bytes, &error));
    g_assert_cmpmem(bytes->data, bytes->length, "0123456789", 10);
    g_assert_null(error);
    unlink(path);
    secret_bytes_free(g_steal_pointer(&bytes));
    g_assert_false(secret_bytes_read_file(folder, 10, &bytes, &error));
    g_assert_nonnull(strstr(error->message, "is not a regular file"));
    rmdir(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/secret_bytes/not_dumped", test_not_dumped);
    g_test_add_func("/secret_bytes/locked", test_locked);
    g_test_add_func("/secret_bytes/empty_in_a_child", test_empty_in_a_child);
    g_test_add_func("/secret_bytes/limit_is_named", test_limit_is_named);
    g_test_add_func("/secret_bytes/nothing_is_no_error", test_nothing_is_no_error);
    g_test_add_func("/secret_bytes/files", test_files);
    return g_test_run();
}
