/* File workers and a folder for files, for one test in a fiber. */
#pragma once

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/fiber_fixture.h"
#include "virtqemud/host/file_worker.h"

typedef struct FileCase FileCase;
struct FileCase {
    void (*func)(FileCase *test);
    FileWorkers *workers;
    char *folder;
    QemuUser user; /* another one than the daemon's */
};

static inline void file_case_body(void *data)
{
    FileCase *test = data;

    test->workers = file_workers_new(fiber_get_loop(fiber_current()));
    test->func(test);
    file_workers_free(test->workers);
}

static inline void file_case_run(gconstpointer func)
{
    FileCase test = { .user = { .is_switched = true, .uid = 61001, .gid = 61002 } };
    g_autoptr(GError) error = NULL;
    gid_t group = 61002;

    memcpy(&test.func, &func, sizeof(func));
    test.folder = g_dir_make_tmp("files-XXXXXX", &error);
    g_assert_no_error(error);
    g_assert_cmpint(chmod(test.folder, 0755), ==, 0);
    test.user.groups = g_array_new(FALSE, FALSE, sizeof(gid_t));
    g_array_append_val(test.user.groups, group);
    fixture_run(file_case_body, &test);
    g_autofree char *remove = g_strdup_printf("rm -rf %s", test.folder);
    g_assert_cmpint(system(remove), ==, 0);
    g_array_unref(test.user.groups);
    g_free(test.folder);
}

/* A file with @length bytes of @data; its path is to be freed. */
static inline char *file_case_make(FileCase *test, const char *name, const void *data,
                                   size_t length)
{
    char *path = g_build_filename(test->folder, name, NULL);

    g_assert_true(g_file_set_contents(path, data, (gssize)length, NULL));
    return path;
}

static inline uint64_t soon(void)
{
    return fiber_deadline_ms(30000);
}
