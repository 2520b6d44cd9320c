#include <stdlib.h>
#include <string.h>

#include "wire/admin.h"
#include "wire/api_domain.h"
#include "wire/codec_table.h"
#include "wire/keepalive.h"
#include "wire/lock.h"
#include "wire/log.h"
#include "wire/procedure.h"
#include "wire/qemu.h"
#include "wire/remote.h"
#include "wire/remote_domain.h"

static const WireProcedure *find(uint32_t program, int32_t number)
{
    const WireProcedure *procedure = wire_procedure_find(wire_program_find(program), number);

    g_assert_nonnull(procedure);
    return procedure;
}

static const WireProcedure *find_by_name(const char *program, const char *name)
{
    bool is_qemu = strcmp(program, "QEMU") == 0;
    const WireProgram *found = wire_program_find(is_qemu ? QEMU_PROGRAM : REMOTE_PROGRAM);

    for (uint32_t i = 0; i < found->n_procedures; i++) {
        if (strcmp(found->procedures[i].name, name) == 0)
            return &found->procedures[i];
    }
    g_error("no procedure %s", name);
}

static void assert_count(uint32_t program, uint32_t count)
{
    const WireProgram *found = wire_program_find(program);
    uint32_t n = 0;

    g_assert_nonnull(found);
    g_assert_cmpuint(found->version, ==, 1);
    for (uint32_t i = 0; i < found->n_procedures; i++) {
        if (wire_procedure_find(found, i)) {
            g_assert_cmpuint(found->procedures[i].number, ==, i);
            g_assert_cmpuint(strlen(found->procedures[i].name), >, 0);
            n++;
        }
    }
    g_assert_cmpuint(n, ==, count);
}

static void test_programs_are_complete(void)
{
    assert_count(REMOTE_PROGRAM, 453);
    assert_count(QEMU_PROGRAM, 7);
    assert_count(ADMIN_PROGRAM, 20);
    assert_count(VIR_LOG_MANAGER_PROTOCOL_PROGRAM, 4);
    assert_count(VIR_LOCK_SPACE_PROTOCOL_PROGRAM, 8);
    assert_count(KEEPALIVE_PROGRAM, 2);
}

static void test_unknown_programs_are_not_found(void)
{
    g_assert_null(wire_program_find(0));
    g_assert_null(wire_program_find(REMOTE_PROGRAM + 2));
}

static void test_unknown_procedures_are_not_found(void)
{
    const WireProgram *remote = wire_program_find(REMOTE_PROGRAM);

    g_assert_null(wire_procedure_find(remote, 0));
    g_assert_null(wire_procedure_find(remote, -1));
    g_assert_null(wire_procedure_find(remote, INT32_MIN));
    g_assert_null(wire_procedure_find(remote, INT32_MAX));
    g_assert_null(wire_procedure_find(remote, 454));
    g_assert_nonnull(wire_procedure_find(remote, 453));
}

static void test_facts_of_a_call(void)
{
    const WireProcedure *create = find(REMOTE_PROGRAM, REMOTE_PROC_DOMAIN_CREATE);
    const WirePermission *acl = wire_procedure_permissions(create);

    g_assert_cmpstr(create->name, ==, "DOMAIN_CREATE");
    g_assert_cmpstr(create->api, ==, "virDomainCreate");
    g_assert_cmpint(create->owner, ==, WIRE_OWNER_DOMAIN);
    g_assert_cmpint(create->kind, ==, WIRE_CALL);
    g_assert_cmpint(create->stream, ==, WIRE_STREAM_NONE);
    g_assert_false(create->is_high_priority);
    g_assert_true(create->is_write);
    g_assert_cmpstr(acl[0].object, ==, "domain");
    g_assert_cmpstr(acl[0].name, ==, "start");
    g_assert_cmpstr(acl[1].object, ==, "");
}

static void test_facts_of_a_list(void)
{
    const WireProcedure *list = find(REMOTE_PROGRAM, REMOTE_PROC_CONNECT_LIST_ALL_DOMAINS);

    g_assert_true(list->is_high_priority);
    g_assert_false(list->is_write);
    g_assert_cmpstr(list->acl_filter, ==, "domain:getattr");
}

static void test_facts_of_streams(void)
{
    g_assert_cmpint(find(REMOTE_PROGRAM, REMOTE_PROC_STORAGE_VOL_UPLOAD)->stream, ==,
                    WIRE_STREAM_WRITE);
    g_assert_cmpint(find(REMOTE_PROGRAM, REMOTE_PROC_STORAGE_VOL_DOWNLOAD)->stream, ==,
                    WIRE_STREAM_READ);
}

static void test_kinds_that_carry_callback_numbers(void)
{
    g_assert_cmpint(
        find(REMOTE_PROGRAM, REMOTE_PROC_CONNECT_DOMAIN_EVENT_CALLBACK_REGISTER_ANY)->kind, ==,
        WIRE_REGISTER);
    g_assert_cmpint(
        find(REMOTE_PROGRAM, REMOTE_PROC_CONNECT_DOMAIN_EVENT_CALLBACK_DEREGISTER_ANY)->kind, ==,
        WIRE_DEREGISTER);
    g_assert_cmpint(find(REMOTE_PROGRAM, REMOTE_PROC_CONNECT_DOMAIN_EVENT_DEREGISTER_ANY)->kind, ==,
                    WIRE_CALL);
    g_assert_cmpint(find(REMOTE_PROGRAM, REMOTE_PROC_DOMAIN_EVENT_CALLBACK_LIFECYCLE)->kind, ==,
                    WIRE_CALLBACK_EVENT);
    g_assert_cmpint(find(REMOTE_PROGRAM, REMOTE_PROC_DOMAIN_EVENT_LIFECYCLE)->kind, ==,
                    WIRE_LEGACY_EVENT);
    g_assert_cmpint(find(REMOTE_PROGRAM, REMOTE_PROC_CONNECT_EVENT_CONNECTION_CLOSED)->kind, ==,
                    WIRE_EVENT);
    g_assert_cmpint(find(QEMU_PROGRAM, QEMU_PROC_CONNECT_DOMAIN_MONITOR_EVENT_REGISTER)->kind, ==,
                    WIRE_REGISTER);
    g_assert_cmpint(find(KEEPALIVE_PROGRAM, KEEPALIVE_PROC_PING)->kind, ==, WIRE_MESSAGE);
}

static void test_title_falls_back_to_the_name(void)
{
    g_assert_cmpstr(
        wire_procedure_title(find(REMOTE_PROGRAM, REMOTE_PROC_CONNECT_SUPPORTS_FEATURE)), ==,
        "CONNECT_SUPPORTS_FEATURE");
}

static void test_flags_decide_about_permissions(void)
{
    const WireProcedure *xml = find(REMOTE_PROGRAM, REMOTE_PROC_DOMAIN_GET_XML_DESC);
    const WirePermission *acl = wire_procedure_permissions(xml);
    remote_domain_get_xml_desc_args args = { .flags = VIR_DOMAIN_XML_SECURE };

    g_assert_true(wire_permission_applies(&acl[0], &args));
    g_assert_cmpstr(acl[1].name, ==, "read_secure");
    g_assert_true(wire_permission_applies(&acl[1], &args));
    args.flags = VIR_DOMAIN_XML_INACTIVE;
    g_assert_false(wire_permission_applies(&acl[1], &args));
}

static void test_absent_flags_decide_about_permissions(void)
{
    const WireProcedure *attach = find(REMOTE_PROGRAM, REMOTE_PROC_DOMAIN_ATTACH_DEVICE_FLAGS);
    const WirePermission *acl = wire_procedure_permissions(attach);
    remote_domain_attach_device_flags_args args = { .flags = 0 };

    g_assert_cmpstr(acl[1].name, ==, "save");
    g_assert_cmpint(acl[1].condition, ==, WIRE_IF_NONE);
    g_assert_true(wire_permission_applies(&acl[1], &args));
    args.flags = VIR_DOMAIN_AFFECT_LIVE;
    g_assert_false(wire_permission_applies(&acl[1], &args));
}

/* One line of the recording: "FIELD=VALUE" sets the word that the first condition looks at. */
static bool writes_with(const WireProcedure *procedure, const char *argument)
{
    const WirePermission *acl = wire_procedure_permissions(procedure);
    uint8_t args[1024] = { 0 };
    uint32_t value;

    if (strcmp(argument, "-") == 0)
        return wire_procedure_writes(procedure, args);
    value = strtoul(strchr(argument, '=') + 1, NULL, 10);
    while (acl->condition == WIRE_IF_ALWAYS && *acl->object)
        acl++;
    g_assert_cmpstr(acl->object, !=, "");
    memcpy(args + acl->offset, &value, sizeof(value));
    return wire_procedure_writes(procedure, args);
}

static void test_read_only_connections_are_refused_what_they_always_were(void)
{
    g_autofree char *path = g_build_filename(g_getenv("TEST_DATA"), "read_only_9.0.tsv", NULL);
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    int n = 0;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        g_auto(GStrv) columns = g_strsplit(*line, "\t", -1);
        bool is_refused;

        if (**line == '#' || g_strv_length(columns) != 5 || g_str_equal(columns[0], "program"))
            continue;
        is_refused = writes_with(find_by_name(columns[0], columns[1]), columns[2]);
        if (is_refused != g_str_equal(columns[3], "refused"))
            g_error("%s %s: recorded as %s", columns[1], columns[2], columns[3]);
        n++;
    }
    g_assert_cmpint(n, >, 400);
}

static void test_callback_numbers_stand_in_front(void)
{
    /* The router rewrites that word in place, without decoding. */
    for (const WireCodec *codec = wire_codecs; codec->program; codec++) {
        int kind = find(codec->program, codec->number)->kind;

        if (kind == WIRE_REGISTER)
            g_assert_cmpuint(codec->ret_size, ==, sizeof(int));
        if (kind == WIRE_DEREGISTER)
            g_assert_cmpuint(codec->args_size, ==, sizeof(int));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add_func("/procedure/" #name, test_##name)
    ADD(programs_are_complete);
    ADD(unknown_programs_are_not_found);
    ADD(unknown_procedures_are_not_found);
    ADD(facts_of_a_call);
    ADD(facts_of_a_list);
    ADD(facts_of_streams);
    ADD(kinds_that_carry_callback_numbers);
    ADD(title_falls_back_to_the_name);
    ADD(flags_decide_about_permissions);
    ADD(absent_flags_decide_about_permissions);
    ADD(read_only_connections_are_refused_what_they_always_were);
    ADD(callback_numbers_stand_in_front);
    return g_test_run();
}
