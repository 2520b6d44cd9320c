/* The SMBIOS parser and the system information made from it. Tables are put together here as
 * DMTF DSP0134 lays them out. */
#include <glib.h>
#include <string.h>

#include "base/error_codes.h"
#include "base/smbios.h"
#include "host_tree.h"
#include "virtqemud/host/smbios_names.h"
#include "virtqemud/host/sysinfo.h"

static const guint8 entry64[0x18] = { '_', 'S', 'M', '3', '_', 0, 0x18, 3, 3, 0, 1 };
static const guint8 entry32[0x1f] = { '_', 'S', 'M', '_', 0, 0x1f, 2, 5 };

/* Appends a structure: @body stands behind the header, @strings has a NUL behind each but the
 * last string. */
static void add(GByteArray *table, guint8 type, const guint8 *body, gsize body_size,
                const char *strings, gsize strings_size)
{
    guint8 header[4] = { type, (guint8) (4 + body_size), (guint8) table->len, 1 };
    static const guint8 end[2] = { 0, 0 };

    g_byte_array_append(table, header, sizeof(header));
    g_byte_array_append(table, body, (guint) body_size);
    if (strings_size > 0)
        g_byte_array_append(table, (const guint8 *) strings, (guint) strings_size);
    g_byte_array_append(table, end, 2);
}

/* @strings is a literal with "\0" between its strings. */
#define ADD(table, type, strings, ...) \
    do { \
        const guint8 body_[] = { __VA_ARGS__ }; \
        add(table, type, body_, sizeof(body_), strings, sizeof(strings) - 1); \
    } while (0)

static Sysinfo *sysinfo_of_version(const guint8 *entry, gsize entry_size, GByteArray *table)
{
    SmbiosTable parsed;

    g_assert_true(
        smbios_table_init(&parsed, entry, entry_size, table->data, table->len, NULL));
    return sysinfo_from_table(&parsed);
}

static Sysinfo *sysinfo_of(GByteArray *table)
{
    return sysinfo_of_version(entry64, sizeof(entry64), table);
}

#define UUID_BYTES 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15

static void add_processor(GByteArray *table, guint8 status, guint8 family, guint8 second_family)
{
    ADD(table, SMBIOS_PROCESSOR,
        "CPU0\0Intel(R) Corporation\0Xeon Gold\0CSER\0CASSET\0CPART",
        1, 3, family, 2, 0xa6, 0x06, 0x06, 0x00, 0xff, 0xfb, 0xeb, 0xbf, 3, 0x8e, 100, 0,
        0xa0, 0x0f, 0x28, 0x0a, status, 6, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 4, 5, 6, 8, 8, 16,
        0xfc, 0, second_family, 0);
}

static void add_memory(GByteArray *table, guint16 size, guint32 extended_mib, guint16 detail,
                       guint16 speed)
{
    ADD(table, SMBIOS_MEMORY_DEVICE, "DIMM_A1\0BANK 0\0Samsung\0" "12345678\0AT\0PART",
        0, 0x10, 0xfe, 0xff, 72, 0, 64, 0, (guint8) size, (guint8) (size >> 8), 9, 0, 1, 2, 0x1a,
        (guint8) detail, (guint8) (detail >> 8), (guint8) speed, (guint8) (speed >> 8), 3, 4, 5,
        6, 2, (guint8) extended_mib, (guint8) (extended_mib >> 8), (guint8) (extended_mib >> 16),
        (guint8) (extended_mib >> 24));
}

static GByteArray *make_server(void)
{
    GByteArray *table = g_byte_array_new();

    ADD(table, SMBIOS_BIOS, "Example BIOS & Co\0 1.2.3 \0" "04/01/2021",
        1, 2, 0, 0xe8, 3, 0xff, 8, 0, 0, 0, 0, 0, 0, 0, 3, 13, 1, 22, 0xff, 0xff);
    ADD(table, SMBIOS_SYSTEM, "Example Inc.\0Server <9000>\0v1\0SER'123\0SKU-9\0Family \"X\"",
        1, 2, 3, 4, UUID_BYTES, 6, 5, 6);
    ADD(table, SMBIOS_BASEBOARD, "BoardMaker\0Board1\0r2\0BSER\0BASSET\0Slot A",
        1, 2, 3, 4, 5, 1, 6, 0, 1, 10, 0);
    ADD(table, SMBIOS_BASEBOARD, "BoardMaker\0Board2\0   ", 1, 2, 0, 3, 0, 1, 0, 0, 1, 10, 0);
    ADD(table, SMBIOS_CHASSIS, "ChassisCo\0cv\0cs\0ca\0csku",
        1, 0x17, 2, 3, 4, 3, 3, 3, 3, 0, 0, 0, 0, 2, 1, 1, 3, 9, 9, 9, 5);
    ADD(table, SMBIOS_CHASSIS, "Second", 1, 0x17, 0, 0, 0);
    add_processor(table, 0x41, 0xb3, 0);
    add_processor(table, 0x00, 0x02, 0);
    add_memory(table, 0x4000, 0, 0x80, 2933);
    add_memory(table, 0, 0, 0x80, 2933);
    add_memory(table, 0x7fff, 65536, 0x2082, 0);
    ADD(table, SMBIOS_OEM_STRINGS, "oem one\0oem two & x\0oem <three>", 3);
    ADD(table, SMBIOS_END, "");
    return table;
}

static void test_server_matches_golden_file(void)
{
    g_autoptr(GByteArray) table = make_server();
    g_autoptr(Sysinfo) sysinfo = sysinfo_of(table);
    g_autofree char *path = host_data_path("sysinfo.xml");
    g_autofree char *text = sysinfo_format(sysinfo);
    g_autofree char *expected = NULL;

    g_assert_true(g_file_get_contents(path, &expected, NULL, NULL));
    g_assert_cmpstr(text, ==, expected);
}

static void test_uuid_of_old_version_is_big_endian(void)
{
    g_autoptr(GByteArray) table = make_server();
    g_autoptr(Sysinfo) old = sysinfo_of_version(entry32, sizeof(entry32), table);
    g_autoptr(Sysinfo) new = sysinfo_of(table);

    g_assert_cmpstr(sysinfo_find(old, "system", "uuid"), ==,
                    "00010203-0405-0607-0809-0a0b0c0d0e0f");
    g_assert_cmpstr(sysinfo_find(new, "system", "uuid"), ==,
                    "03020100-0504-0706-0809-0a0b0c0d0e0f");
}

static char *uuid_of_byte(guint8 byte)
{
    g_autoptr(GByteArray) table = g_byte_array_new();
    g_autoptr(Sysinfo) sysinfo = NULL;
    guint8 body[0x17] = { 1 };

    memset(body + 4, byte, 16);
    add(table, SMBIOS_SYSTEM, body, sizeof(body), "Maker", 5);
    sysinfo = sysinfo_of(table);
    return g_strdup(sysinfo_find(sysinfo, "system", "uuid"));
}

static void test_uuid_that_is_not_set_is_told(void)
{
    g_autofree char *absent = uuid_of_byte(0xff);
    g_autofree char *unset = uuid_of_byte(0);

    g_assert_cmpstr(absent, ==, "Not Present");
    g_assert_cmpstr(unset, ==, "Not Settable");
}

static void test_strings_are_made_plain_ascii(void)
{
    g_autoptr(GByteArray) table = g_byte_array_new();
    g_autoptr(Sysinfo) sysinfo = NULL;

    ADD(table, SMBIOS_BIOS, "E\x01\x7f\xe9\0v\t1 ", 1, 2, 0, 0, 0);
    sysinfo = sysinfo_of(table);
    g_assert_cmpstr(sysinfo_find(sysinfo, "bios", "vendor"), ==, "E...");
    g_assert_cmpstr(sysinfo_find(sysinfo, "bios", "version"), ==, "v.1");
}

static void test_string_that_is_not_there_is_left_out(void)
{
    g_autoptr(GByteArray) table = g_byte_array_new();
    g_autoptr(Sysinfo) sysinfo = NULL;

    ADD(table, SMBIOS_BIOS, "Vendor", 1, 7, 0, 0, 255);
    sysinfo = sysinfo_of(table);
    g_assert_cmpstr(sysinfo_find(sysinfo, "bios", "vendor"), ==, "Vendor");
    g_assert_null(sysinfo_find(sysinfo, "bios", "version"));
    g_assert_null(sysinfo_find(sysinfo, "bios", "date"));
}

static void test_short_structure_gives_what_it_has(void)
{
    g_autoptr(GByteArray) table = g_byte_array_new();
    g_autoptr(Sysinfo) sysinfo = NULL;

    ADD(table, SMBIOS_SYSTEM, "Maker\0Product", 1, 2);
    sysinfo = sysinfo_of(table);
    g_assert_cmpstr(sysinfo_find(sysinfo, "system", "product"), ==, "Product");
    g_assert_null(sysinfo_find(sysinfo, "system", "version"));
    g_assert_null(sysinfo_find(sysinfo, "system", "uuid"));
}

static void test_release_that_firmware_lacks_is_left_out(void)
{
    g_autoptr(GByteArray) table = g_byte_array_new();
    g_autoptr(Sysinfo) sysinfo = NULL;

    ADD(table, SMBIOS_BIOS, "Vendor",
        1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff);
    sysinfo = sysinfo_of(table);
    g_assert_null(sysinfo_find(sysinfo, "bios", "release"));
}

static void test_wide_family_names_processor(void)
{
    g_autoptr(GByteArray) table = g_byte_array_new();
    g_autoptr(Sysinfo) sysinfo = NULL;

    add_processor(table, 0x41, 0xfe, 0x6b);
    sysinfo = sysinfo_of(table);
    g_assert_cmpstr(sysinfo_find(sysinfo, "processor", "family"), ==, "Zen");
    g_assert_cmpstr(sysinfo_find(sysinfo, "processor", "signature"), ==,
                    "Family 6, Model 10, Stepping 6");
}

static char *memory_entry(guint16 size, guint32 extended_mib, guint16 detail, guint16 speed,
                          const char *name)
{
    g_autoptr(GByteArray) table = g_byte_array_new();
    g_autoptr(Sysinfo) sysinfo = NULL;

    add_memory(table, size, extended_mib, detail, speed);
    sysinfo = sysinfo_of(table);
    return g_strdup(sysinfo_find(sysinfo, "memory_device", name));
}

static void assert_memory_size(guint16 size, guint32 extended_mib, const char *expected)
{
    g_autofree char *text = memory_entry(size, extended_mib, 0, 0, "size");

    g_assert_cmpstr(text, ==, expected);
}

static void test_memory_sizes(void)
{
    assert_memory_size(0x4000, 0, "16 GB");
    assert_memory_size(1536, 0, "1536 MB");
    assert_memory_size(0x8000 | 512, 0, "512 kB");
    assert_memory_size(0x7fff, 65536, "64 GB");
    assert_memory_size(0x7fff, 0x80000000u | 2097152, "2 TB");
    assert_memory_size(0xffff, 0, "Unknown");
    assert_memory_size(0, 0, NULL);
}

static void test_memory_details_are_listed(void)
{
    g_autofree char *several = memory_entry(1, 0, 0x2082, 0, "type_detail");
    g_autofree char *none = memory_entry(1, 0, 0, 0, "type_detail");

    g_assert_cmpstr(several, ==, "Other Synchronous Registered (Buffered)");
    g_assert_cmpstr(none, ==, "None");
}

static void test_memory_speed_that_is_unknown_is_told(void)
{
    g_autofree char *zero = memory_entry(1, 0, 0, 0, "speed");
    g_autofree char *wide = memory_entry(1, 0, 0, 0xffff, "speed");

    g_assert_cmpstr(zero, ==, "Unknown");
    g_assert_cmpstr(wide, ==, "Unknown");
}

static void test_names_outside_standard_are_unknown(void)
{
    SmbiosProcessorKind kind;

    g_assert_null(smbios_processor_family(0xffff, &kind));
    g_assert_null(smbios_processor_type(7));
    g_assert_null(smbios_processor_status(5));
    g_assert_null(smbios_memory_form_factor(0x30));
    g_assert_null(smbios_memory_type(0x15));
    g_assert_null(smbios_memory_detail(16));
}

static void test_entry_point_of_other_kind_is_refused(void)
{
    g_autoptr(GError) error = NULL;
    SmbiosTable table;

    g_assert_false(
        smbios_table_init(&table, (const guint8 *) "_DMI_", 5, entry64, 0, &error));
    assert_host_error(&error, VIR_ERR_INTERNAL_ERROR, NULL);
    g_assert_false(smbios_table_init(&table, entry64, 8, entry64, 0, &error));
    assert_host_error(&error, VIR_ERR_INTERNAL_ERROR, NULL);
}

static guint count_structures(const guint8 *data, gsize size)
{
    /* A copy that ends where the table ends, so that sanitizers see reading too far. */
    g_autofree guint8 *copy = g_memdup2(data, size);
    SmbiosTable table = { .data = copy, .size = size, .version = 0x0303 };
    SmbiosStructure structure;
    gsize offset = 0;
    guint count = 0;

    while (smbios_next(&table, &offset, &structure))
        count++;
    return count;
}

static void test_table_ends_at_end_structure(void)
{
    g_autoptr(GByteArray) table = g_byte_array_new();

    ADD(table, SMBIOS_BIOS, "A", 1);
    ADD(table, SMBIOS_END, "");
    ADD(table, SMBIOS_BIOS, "B", 1);
    g_assert_cmpuint(count_structures(table->data, table->len), ==, 1);
}

static void test_structure_with_impossible_length_ends_table(void)
{
    static const guint8 too_small[] = { 1, 3, 0, 0, 0, 0 };
    static const guint8 too_large[] = { 1, 200, 0, 0, 0, 0 };

    g_assert_cmpuint(count_structures(too_small, sizeof(too_small)), ==, 0);
    g_assert_cmpuint(count_structures(too_large, sizeof(too_large)), ==, 0);
}

static void test_table_cut_anywhere_is_read_up_to_there(void)
{
    g_autoptr(GByteArray) table = make_server();

    for (gsize size = 0; size < table->len; size++) {
        g_autofree guint8 *copy = g_memdup2(table->data, size);
        SmbiosTable cut = { .data = copy, .size = size, .version = 0x0303 };
        g_autoptr(Sysinfo) sysinfo = sysinfo_from_table(&cut);

        g_assert_cmpuint(sysinfo->blocks->len, <=, 10);
    }
    g_assert_cmpuint(count_structures(table->data, table->len), ==, 12);
}

static void test_host_without_table_says_so(void)
{
    g_autoptr(HostTree) tree = host_tree_new(NULL);
    g_autoptr(GError) error = NULL;
    Sysinfo *sysinfo = NULL;

    g_assert_false(sysinfo_read(&tree->roots, &sysinfo, &error));
    assert_host_error(&error, VIR_ERR_CONFIG_UNSUPPORTED,
                      "unsupported configuration: Host SMBIOS information is not available");
}

static void test_table_is_read_from_sysfs(void)
{
    g_autoptr(HostTree) tree = host_tree_new(NULL);
    g_autoptr(GByteArray) table = make_server();
    g_autoptr(Sysinfo) sysinfo = NULL;

    host_tree_write(tree, "sys/firmware/dmi/tables/smbios_entry_point", (const char *) entry64,
                    sizeof(entry64));
    host_tree_write(tree, "sys/firmware/dmi/tables/DMI", (const char *) table->data, table->len);
    g_assert_true(sysinfo_read(&tree->roots, &sysinfo, NULL));
    g_assert_cmpstr(sysinfo_find(sysinfo, "baseBoard", "location"), ==, "Slot A");
    g_assert_null(sysinfo_find(sysinfo, "baseBoard", "nosuch"));
    g_assert_null(sysinfo_find(sysinfo, "nosuch", "location"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sysinfo/golden", test_server_matches_golden_file);
    g_test_add_func("/sysinfo/uuid-version", test_uuid_of_old_version_is_big_endian);
    g_test_add_func("/sysinfo/uuid-unset", test_uuid_that_is_not_set_is_told);
    g_test_add_func("/sysinfo/plain-strings", test_strings_are_made_plain_ascii);
    g_test_add_func("/sysinfo/missing-string", test_string_that_is_not_there_is_left_out);
    g_test_add_func("/sysinfo/short-structure", test_short_structure_gives_what_it_has);
    g_test_add_func("/sysinfo/no-release", test_release_that_firmware_lacks_is_left_out);
    g_test_add_func("/sysinfo/wide-family", test_wide_family_names_processor);
    g_test_add_func("/sysinfo/memory-sizes", test_memory_sizes);
    g_test_add_func("/sysinfo/memory-details", test_memory_details_are_listed);
    g_test_add_func("/sysinfo/memory-speed", test_memory_speed_that_is_unknown_is_told);
    g_test_add_func("/sysinfo/names", test_names_outside_standard_are_unknown);
    g_test_add_func("/smbios/entry-point", test_entry_point_of_other_kind_is_refused);
    g_test_add_func("/smbios/end", test_table_ends_at_end_structure);
    g_test_add_func("/smbios/impossible-length", test_structure_with_impossible_length_ends_table);
    g_test_add_func("/smbios/cut-table", test_table_cut_anywhere_is_read_up_to_there);
    g_test_add_func("/sysinfo/no-table", test_host_without_table_says_so);
    g_test_add_func("/sysinfo/sysfs", test_table_is_read_from_sysfs);
    return g_test_run();
}
