#include "host_tree.h"

#include <ftw.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

static FILE *open_file(HostTree *tree, const char *path)
{
    g_autofree char *full = g_build_filename(tree->folder, path, NULL);
    g_autofree char *parent = g_path_get_dirname(full);
    FILE *file = fopen(full, "ae");

    if (file != NULL)
        return file;
    g_assert_cmpint(g_mkdir_with_parents(parent, 0700), ==, 0);
    file = fopen(full, "ae");
    g_assert_nonnull(file);
    return file;
}

char *host_data_path(const char *name)
{
    const char *data = g_getenv("TEST_DATA");

    return g_build_filename(data != NULL ? data : "data", "host", name, NULL);
}

static void unpack(HostTree *tree, const char *name)
{
    g_autofree char *base = g_strconcat(name, ".tree", NULL);
    g_autofree char *path = host_data_path(base);
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    g_autoptr(GError) error = NULL;
    const char *open_path = NULL;
    FILE *file = NULL;

    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    lines = g_strsplit(text, "\n", -1);
    for (gsize i = 0; lines[i] != NULL; i++) {
        char *space = strchr(lines[i], ' ');

        if (space == NULL)
            continue;
        *space = '\0';
        if (g_strcmp0(open_path, lines[i]) != 0) {
            g_clear_pointer(&file, fclose);
            file = open_file(tree, lines[i]);
            open_path = lines[i];
        }
        fprintf(file, "%s\n", space + 1);
    }
    g_clear_pointer(&file, fclose);
}

HostTree *host_tree_new(const char *name)
{
    HostTree *tree = g_new0(HostTree, 1);

    tree->folder = g_dir_make_tmp("host-XXXXXX", NULL);
    g_assert_nonnull(tree->folder);
    tree->proc = g_build_filename(tree->folder, "proc", NULL);
    tree->sys = g_build_filename(tree->folder, "sys", NULL);
    tree->dev = g_build_filename(tree->folder, "dev", NULL);
    tree->roots = (HostRoots) { tree->proc, tree->sys, tree->dev };
    if (name != NULL)
        unpack(tree, name);
    return tree;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *place)
{
    return remove(path);
}

void host_tree_free(HostTree *tree)
{
    if (tree == NULL)
        return;
    nftw(tree->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    g_free(tree->folder);
    g_free(tree->proc);
    g_free(tree->sys);
    g_free(tree->dev);
    g_free(tree);
}

void host_tree_write(HostTree *tree, const char *path, const char *data, gssize size)
{
    g_autofree char *full = g_build_filename(tree->folder, path, NULL);
    g_autofree char *parent = g_path_get_dirname(full);

    g_assert_cmpint(g_mkdir_with_parents(parent, 0700), ==, 0);
    g_assert_true(g_file_set_contents(full, data, size, NULL));
}

char *host_tree_read(HostTree *tree, const char *path)
{
    g_autofree char *full = g_build_filename(tree->folder, path, NULL);
    char *text = NULL;

    g_assert_true(g_file_get_contents(full, &text, NULL, NULL));
    return text;
}

void host_tree_remove(HostTree *tree, const char *path)
{
    g_autofree char *full = g_build_filename(tree->folder, path, NULL);

    g_assert_cmpint(nftw(full, remove_entry, 8, FTW_DEPTH | FTW_PHYS), ==, 0);
}

void assert_host_error(GError **error, int code, const char *message)
{
    g_assert_nonnull(*error);
    g_assert_cmpint((*error)->code, ==, code);
    if (message != NULL)
        g_assert_cmpstr((*error)->message, ==, message);
    g_clear_error(error);
}
