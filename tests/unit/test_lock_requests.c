/* What a guest needs locked: lists, their form in status files, and virtlockd's rules. */
#include <string.h>

#include "domain_fixture.h"
#include "virtqemud/lock/block_id.h"
#include "virtqemud/lock/lockd_plan.h"

#define DISK(path, target, more)                                                                   \
    "<disk type='file'><source file='" path "'/><target dev='" target "' bus='virtio'/>" more      \
    "</disk>"
#define LEASE(offset)                                                                              \
    "<lease><lockspace>area</lockspace><key>k</key><target path='/l' offset='" offset "'/></lease>"

/* One line for each lock. */
static char *list(const GPtrArray *requests)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < requests->len; i++) {
        const LockRequest *request = g_ptr_array_index(requests, i);

        g_string_append_printf(text, "%s|%s|%s%s%s;", request->space, request->name,
                               request->is_shared ? "s" : "", request->makes_file ? "f" : "",
                               request->is_lease ? "l" : "");
    }
    return g_string_free(text, FALSE);
}

static char *plan(const QemuLockdConf *lockd, const char *devices, GError **error)
{
    g_autoptr(DomainDef) def = domain_of("", devices);
    g_autoptr(GPtrArray) requests = lock_requests_new();
    QemuConf conf = { .lockd = *lockd };

    return lockd_plan(&conf, def, requests, error) ? list(requests) : NULL;
}

static void assert_plan(const QemuLockdConf *lockd, const char *devices, const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = plan(lockd, devices, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(text, ==, expected);
}

static void assert_refused(const QemuLockdConf *lockd, const char *devices, const char *part)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(plan(lockd, devices, &error));
    g_assert_nonnull(strstr(error->message, part));
}

static void test_disks_are_locked_as_they_are_used(void)
{
    const QemuLockdConf direct = { .auto_disk_leases = true };

    assert_plan(&direct, DISK("/a", "vda", ""), "|/a|;");
    assert_plan(&direct, DISK("/a", "vda", "<shareable/>"), "|/a|s;");
    assert_plan(&direct, DISK("/a", "vda", "<readonly/>"), "");
    assert_plan(&direct, "<disk device='cdrom'><target dev='hda' bus='ide'/></disk>", "");
    assert_plan(&direct, DISK("/a", "vda", "") LEASE("0"), "/l/area|k|l;|/a|;");
}

static void test_same_image_twice_is_one_lock(void)
{
    const QemuLockdConf direct = { .auto_disk_leases = true };

    assert_plan(&direct, DISK("/a", "vda", "<shareable/>") DISK("/a", "vdb", "<shareable/>"),
                "|/a|s;");
    assert_plan(&direct, DISK("/a", "vda", "<shareable/>") DISK("/a", "vdb", ""), "|/a|;");
}

static void test_folder_has_names_that_stand_for_paths(void)
{
    const QemuLockdConf indirect = { .auto_disk_leases = true,
                                     .file_lockspace_dir = (char *)"/locks" };

    /* As existing daemons name it. */
    assert_plan(&indirect, DISK("/tmp/qlog/ov.qcow2", "vda", ""),
                "/locks|7aa1dcf5b3ca2dfb86fa1cab033b708725e5a831e35afce133fb2ff6a4a016b8|f;");
}

static void test_leases_can_be_demanded(void)
{
    const QemuLockdConf leases = { .require_lease_for_disks = true };

    assert_refused(&leases, DISK("/a", "vda", ""), "no leases specified: disk 'vda'");
    assert_plan(&leases, DISK("/a", "vda", "<shareable/>"), "");
    assert_plan(&leases, DISK("/a", "vda", "<readonly/>"), "");
    assert_plan(&leases, DISK("/a", "vda", "") LEASE("0"), "/l/area|k|l;");
    assert_refused(&leases, LEASE("512"), "Offset must be zero");
}

static void test_list_is_read_as_it_was_written(void)
{
    g_autoptr(GPtrArray) requests = lock_requests_new();
    g_autoptr(GPtrArray) again = lock_requests_new();
    g_autoptr(XmlWriter) writer = xml_writer_new();
    g_autoptr(GError) error = NULL;
    const LockRequest lease = { (char *)"/a<b", (char *)"k'", (char *)"/p", (char *)"lease 'k'",
                                false, false, true, 7 };
    const LockRequest disk = { (char *)"", (char *)"/x", NULL, (char *)"disk", true, true, false, 0 };

    lock_requests_add(requests, &lease);
    lock_requests_add(requests, &disk);
    xml_writer_open(writer, "locks");
    lock_requests_format(requests, writer);
    xml_writer_close(writer);
    g_autofree char *text = xml_writer_finish(writer);
    g_autoptr(XmlDoc) doc = xml_parse(text, "locks", &error);
    g_assert_no_error(error);
    g_assert_true(lock_requests_parse(xml_doc_root(doc), again, &error));
    g_autofree char *before = list(requests);
    g_autofree char *after = list(again);
    g_assert_cmpstr(after, ==, before);
    g_assert_cmpuint(((LockRequest *)again->pdata[0])->offset, ==, 7);
    g_assert_cmpstr(((LockRequest *)again->pdata[0])->subject, ==, "lease 'k'");
}

static void test_list_without_a_name_is_refused(void)
{
    g_autoptr(XmlDoc) doc = xml_parse("<locks><lock space='' subject='x'/></locks>", "locks", NULL);
    g_autoptr(GPtrArray) requests = lock_requests_new();
    g_autoptr(GError) error = NULL;

    g_assert_false(lock_requests_parse(xml_doc_root(doc), requests, &error));
    g_assert_cmpint(error->code, ==, VIR_ERR_XML_ERROR);
}

static void test_volumes_of_lvm_have_a_uuid(void)
{
    g_autofree char *uuid =
        block_id_parse_lvm("LVM-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA0123456789abcdefghijklmnopqrstuv");

    g_assert_cmpstr(uuid, ==, "012345-6789-abcd-efgh-ijkl-mnop-qrstuv");
    g_assert_null(block_id_parse_lvm("CRYPT-LUKS2-abc"));
    g_assert_null(block_id_parse_lvm("LVM-short"));
    g_assert_null(block_id_lvm("/dev/null"));
}

static void test_scsi_devices_have_an_identifier(void)
{
    g_autofree char *id = block_id_parse_scsi("naa.5000c5001234abcd");

    g_assert_cmpstr(id, ==, "35000c5001234abcd");
    g_assert_null(block_id_parse_scsi("t10.ATA     QEMU HARDDISK"));
    g_assert_null(block_id_parse_scsi("naa."));
    g_assert_null(block_id_parse_scsi("naa.../x"));
    g_assert_null(block_id_scsi("/nowhere"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/lock_requests/" #name, test_##name)
    TEST(disks_are_locked_as_they_are_used);
    TEST(same_image_twice_is_one_lock);
    TEST(folder_has_names_that_stand_for_paths);
    TEST(leases_can_be_demanded);
    TEST(list_is_read_as_it_was_written);
    TEST(list_without_a_name_is_refused);
    TEST(volumes_of_lvm_have_a_uuid);
    TEST(scsi_devices_have_an_identifier);
    return g_test_run();
}
