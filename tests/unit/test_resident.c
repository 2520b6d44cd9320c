/* Code that is given back to the page cache works on, and what a program has written stays. */
#include "base/resident.h"

#include <stdio.h>

#include <glib.h>

static int counter = 1;
/* Relocated when the program starts, and read-only from then on. */
static int *const pointers[] = { &counter };

/* Pages of files that this process has mapped. */
static unsigned long mapped_file_pages(void)
{
    g_autofree char *text = NULL;
    unsigned long size, resident, of_files;

    g_assert_true(g_file_get_contents("/proc/self/statm", &text, NULL, NULL));
    g_assert_cmpint(sscanf(text, "%lu %lu %lu", &size, &resident, &of_files), ==, 3);
    return of_files;
}

static void test_pages_of_code_go(void)
{
    unsigned long before = mapped_file_pages(), after;

    resident_give_back();
    after = mapped_file_pages();
    g_assert_cmpuint(after, <, before);
}

static void test_what_was_written_stays(void)
{
    g_autofree char *text = g_strdup("kept");

    counter = 2;
    resident_give_back();
    g_assert_cmpint(*pointers[0], ==, 2);
    g_assert_cmpstr(text, ==, "kept");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/resident/pages_of_code_go", test_pages_of_code_go);
    g_test_add_func("/resident/what_was_written_stays", test_what_was_written_stays);
    return g_test_run();
}
