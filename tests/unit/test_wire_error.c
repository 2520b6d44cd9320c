#include <string.h>

#include "base/error.h"
#include "wire/codec.h"
#include "wire/wire_error.h"

static void test_error_is_sent_as_existing_daemons_do(void)
{
    g_autoptr(GError) error = NULL;
    virNetMessageError wire;

    error_set(&error, VIR_FROM_QEMU, VIR_ERR_NO_DOMAIN, "no domain with matching name '%s'", "vm");
    wire_error_from_gerror(error, &wire);
    g_assert_cmpint(wire.code, ==, 42);
    g_assert_cmpint(wire.domain, ==, 10);
    g_assert_cmpint(wire.level, ==, 2);
    g_assert_cmpstr(*wire.message, ==, "Domain not found: no domain with matching name 'vm'");
    g_assert_cmpstr(*wire.str1, ==, "Domain not found: %s");
    g_assert_cmpstr(*wire.str2, ==, "no domain with matching name 'vm'");
    g_assert_null(wire.str3);
    g_assert_cmpint(wire.int1, ==, -1);
    g_assert_cmpint(wire.int2, ==, -1);
    g_assert_null(wire.dom);
    g_assert_null(wire.net);
    wire_error_clear(&wire);
}

static void test_message_without_prefix_is_all_detail(void)
{
    g_autoptr(GError) error = NULL;
    virNetMessageError wire;

    error_set(&error, VIR_FROM_RPC, VIR_ERR_RPC, "unknown procedure: 9999");
    wire_error_from_gerror(error, &wire);
    g_assert_cmpstr(*wire.message, ==, "unknown procedure: 9999");
    g_assert_cmpstr(*wire.str1, ==, "%s");
    g_assert_cmpstr(*wire.str2, ==, "unknown procedure: 9999");
    wire_error_clear(&wire);
}

static void test_error_survives_the_wire(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GError) received = NULL;
    g_autoptr(GByteArray) buffer = g_byte_array_new();
    virNetMessageError wire;

    error_set(&error, VIR_FROM_NETWORK, VIR_ERR_NO_NETWORK, "no network 'x'");
    wire_error_from_gerror(error, &wire);
    g_assert_true(codec_encode(buffer, 1000, XDR_PROC(virNetMessageError), &wire, NULL));
    wire_error_clear(&wire);
    g_assert_true(codec_decode(buffer->data, buffer->len, XDR_PROC(virNetMessageError), &wire,
                               "error", NULL));
    received = wire_error_to_gerror(&wire);
    wire_error_clear(&wire);
    g_assert_error(received, error->domain, error->code);
    g_assert_cmpstr(received->message, ==, error->message);
}

static void test_foreign_error_becomes_an_error_of_no_domain(void)
{
    g_autoptr(GError) error = g_error_new(G_FILE_ERROR, G_FILE_ERROR_NOENT, "no such thing");
    virNetMessageError wire;

    wire_error_from_gerror(error, &wire);
    g_assert_cmpint(wire.code, ==, VIR_ERR_INTERNAL_ERROR);
    g_assert_cmpint(wire.domain, ==, VIR_FROM_NONE);
    g_assert_cmpstr(*wire.message, ==, "no such thing");
    wire_error_clear(&wire);
}

static void test_long_message_is_cut(void)
{
    g_autofree char *text = g_strnfill(1 << 20, 'x');
    g_autoptr(GError) error = NULL;
    virNetMessageError wire;

    error_set(&error, VIR_FROM_RPC, VIR_ERR_RPC, "%s", text);
    wire_error_from_gerror(error, &wire);
    g_assert_cmpuint(strlen(*wire.message), ==, 65536);
    wire_error_clear(&wire);
}

static void test_received_error_without_message_gets_one(void)
{
    virNetMessageError wire = { .code = VIR_ERR_NO_NETWORK, .domain = VIR_FROM_NETWORK };
    g_autoptr(GError) error = wire_error_to_gerror(&wire);

    g_assert_error(error, error_quark(VIR_FROM_NETWORK), VIR_ERR_NO_NETWORK);
    g_assert_cmpstr(error->message, ==, error_prefix(VIR_ERR_NO_NETWORK));
}

static void test_received_error_without_code_is_internal(void)
{
    virNetMessageError wire = { .code = 0, .domain = 99999 };
    g_autoptr(GError) error = wire_error_to_gerror(&wire);

    g_assert_error(error, error_quark(VIR_FROM_NONE), VIR_ERR_INTERNAL_ERROR);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add_func("/wire_error/" #name, test_##name)
    ADD(error_is_sent_as_existing_daemons_do);
    ADD(message_without_prefix_is_all_detail);
    ADD(error_survives_the_wire);
    ADD(foreign_error_becomes_an_error_of_no_domain);
    ADD(long_message_is_cut);
    ADD(received_error_without_message_gets_one);
    ADD(received_error_without_code_is_internal);
    return g_test_run();
}
