#include "virtnodedevd/id_names.h"

#include <string.h>

static GMappedFile *open_list(const SysRoots *roots, const char *file)
{
    static const char *const folders[] = { "misc", "hwdata" };
    GMappedFile *mapped = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(folders) && !mapped; i++) {
        g_autofree char *path = g_build_filename(roots->ids, folders[i], file, NULL);

        mapped = g_mapped_file_new(path, FALSE, NULL);
    }
    return mapped;
}

/* The name in a line that begins with @number as four digits and a blank. */
static char *line_name(const char *line, const char *end, const char *number)
{
    if (end - line < 6 || g_ascii_strncasecmp(line, number, 4) != 0 || line[4] != ' ')
        return NULL;
    return g_strstrip(g_strndup(line + 4, (gsize)(end - line - 4)));
}

void id_names_find(const SysRoots *roots, const char *file, unsigned vendor, unsigned product,
                   char **ret_vendor, char **ret_product)
{
    g_autoptr(GMappedFile) list = open_list(roots, file);
    g_autofree char *vendor_digits = g_strdup_printf("%04x", vendor & 0xffff);
    g_autofree char *product_digits = g_strdup_printf("%04x", product & 0xffff);
    const char *line = list ? g_mapped_file_get_contents(list) : NULL;
    const char *last = line ? line + g_mapped_file_get_length(list) : NULL;

    *ret_vendor = *ret_product = NULL;
    for (const char *end; line && line < last; line = end + 1) {
        end = memchr(line, '\n', (size_t)(last - line));
        if (!end)
            end = last;
        if (!*ret_vendor) {
            *ret_vendor = line_name(line, end, vendor_digits);
            continue;
        }
        /* The next vendor, or the classes that follow all of them, end this one's products. */
        if (end > line && *line != '\t' && *line != '#')
            return;
        if (end > line && *line == '\t' && (*ret_product = line_name(line + 1, end, product_digits)))
            return;
    }
}
