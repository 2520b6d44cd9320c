/* Whole values: what the generated codecs make of the primitives. */
#include <string.h>

#include "base/error.h"
#include "wire/codec.h"
#include "wire/remote_domain.h"
#include "wire/remote_domain_tune.h"
#include "wire/remote_node.h"
#include "wire/remote_types.h"

#define WHAT "arguments of virDomainCreate"

/* A domain named "vm" with the uuid 000102…0f and the id 7. */
static const uint8_t domain_bytes[] =
    "\0\0\0\2vm\0\0\0\1\2\3\4\5\6\7\x8\x9\xa\xb\xc\xd\xe\xf\0\0\0\7";
#define DOMAIN_SIZE (sizeof(domain_bytes) - 1)

/* Two parameters: "a" is the int -1, "b" the string "x". */
static const uint8_t params_bytes[] = "\0\0\0\2"
                                      "\0\0\0\1a\0\0\0\0\0\0\1\xff\xff\xff\xff"
                                      "\0\0\0\1b\0\0\0\0\0\0\7\0\0\0\1x\0\0\0";
#define PARAMS_SIZE (sizeof(params_bytes) - 1)
#define SECOND_TYPE 31 /* last byte of the second parameter's type */

typedef remote_domain_get_scheduler_parameters_ret Params;

static void assert_refused(const uint8_t *bytes, size_t length, xdrproc_t proc, void *value,
                           const char *reason)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(codec_decode(bytes, length, proc, value, WHAT, &error));
    g_assert_error(error, error_quark(VIR_FROM_RPC), VIR_ERR_RPC);
    g_assert_nonnull(strstr(error->message, WHAT));
    if (!strstr(error->message, reason))
        g_error("\"%s\" does not say \"%s\"", error->message, reason);
}

static void test_struct_is_decoded(void)
{
    remote_domain_create_args args = { 0 };

    g_assert_true(codec_decode(domain_bytes, DOMAIN_SIZE, XDR_PROC(remote_domain_create_args),
                               &args, WHAT, NULL));
    g_assert_cmpstr(args.dom.name, ==, "vm");
    g_assert_cmpint(args.dom.uuid[15], ==, 15);
    g_assert_cmpint(args.dom.id, ==, 7);
    codec_free(XDR_PROC(remote_domain_create_args), &args);
    g_assert_null(args.dom.name);
}

static void test_struct_is_encoded(void)
{
    remote_domain_create_args args = { .dom = { .name = (char *)"vm", .id = 7 } };
    g_autoptr(GByteArray) buffer = g_byte_array_new();

    memcpy(args.dom.uuid, domain_bytes + 8, VIR_UUID_BUFLEN);
    g_assert_true(codec_encode(buffer, 1000, XDR_PROC(remote_domain_create_args), &args, NULL));
    g_assert_cmpmem(buffer->data, buffer->len, domain_bytes, DOMAIN_SIZE);
}

static void test_left_over_bytes_are_refused(void)
{
    remote_domain_create_args args = { 0 };
    uint8_t bytes[DOMAIN_SIZE + 4] = { 0 };

    memcpy(bytes, domain_bytes, DOMAIN_SIZE);
    assert_refused(bytes, sizeof(bytes), XDR_PROC(remote_domain_create_args), &args, "left over");
    g_assert_null(args.dom.name);
}

static void test_short_payloads_are_refused_at_every_length(void)
{
    for (size_t length = 0; length < DOMAIN_SIZE; length++) {
        remote_domain_create_args args = { 0 };

        assert_refused(domain_bytes, length, XDR_PROC(remote_domain_create_args), &args,
                       "ends too early");
        g_assert_null(args.dom.name);
    }
}

static void test_typed_parameters_are_decoded(void)
{
    Params ret = { 0 };
    g_autoptr(GByteArray) buffer = g_byte_array_new();
    xdrproc_t proc = XDR_PROC(remote_domain_get_scheduler_parameters_ret);

    g_assert_true(codec_decode(params_bytes, PARAMS_SIZE, proc, &ret, WHAT, NULL));
    g_assert_cmpuint(ret.params.params_len, ==, 2);
    g_assert_cmpint(ret.params.params_val[0].value.remote_typed_param_value_u.i, ==, -1);
    g_assert_cmpstr(ret.params.params_val[1].value.remote_typed_param_value_u.s, ==, "x");
    g_assert_true(codec_encode(buffer, 1000, proc, &ret, NULL));
    g_assert_cmpmem(buffer->data, buffer->len, params_bytes, PARAMS_SIZE);
    codec_free(proc, &ret);
}

static void test_unknown_type_of_parameter_is_refused_without_leaks(void)
{
    Params ret = { 0 };
    uint8_t bytes[PARAMS_SIZE];

    for (int type = 8; type < 256; type += 100) {
        memcpy(bytes, params_bytes, PARAMS_SIZE);
        bytes[SECOND_TYPE] = type;
        assert_refused(bytes, PARAMS_SIZE, XDR_PROC(remote_domain_get_scheduler_parameters_ret),
                       &ret, "no known type");
        g_assert_null(ret.params.params_val);
    }
}

static void test_too_many_parameters_are_refused(void)
{
    Params ret = { 0 };
    uint8_t bytes[1000] = { 0 };

    bytes[3] = REMOTE_DOMAIN_SCHEDULER_PARAMETERS_MAX + 1;
    assert_refused(bytes, sizeof(bytes), XDR_PROC(remote_domain_get_scheduler_parameters_ret), &ret,
                   "longer than its limit");
}

static void test_value_of_unknown_type_is_not_encoded(void)
{
    remote_typed_param param = { .field = (char *)"a", .value.type = 99 };
    g_autoptr(GByteArray) buffer = g_byte_array_new();
    g_autoptr(GError) error = NULL;

    g_assert_false(codec_encode(buffer, 1000, XDR_PROC(remote_typed_param), &param, &error));
    g_assert_error(error, error_quark(VIR_FROM_RPC), VIR_ERR_INTERNAL_ERROR);
    g_assert_cmpuint(buffer->len, ==, 0);
}

static void test_optional_string_may_be_missing(void)
{
    remote_connect_get_max_vcpus_args args = { .type = NULL };
    g_autoptr(GByteArray) buffer = g_byte_array_new();
    xdrproc_t proc = XDR_PROC(remote_connect_get_max_vcpus_args);

    g_assert_true(codec_encode(buffer, 1000, proc, &args, NULL));
    g_assert_cmpmem(buffer->data, buffer->len, "\0\0\0\0", 4);
    g_assert_true(codec_decode(buffer->data, buffer->len, proc, &args, WHAT, NULL));
    g_assert_null(args.type);
}

static void test_array_of_char_takes_a_word_each(void)
{
    remote_node_get_info_ret ret = { .model = "x86_64", .cpus = 2 };
    g_autoptr(GByteArray) buffer = g_byte_array_new();

    g_assert_true(codec_encode(buffer, 1000, XDR_PROC(remote_node_get_info_ret), &ret, NULL));
    g_assert_cmpuint(buffer->len, ==, 32 * 4 + 8 + 6 * 4);
    g_assert_cmpmem(buffer->data, 8,
                    "\0\0\0x\0\0\0"
                    "8",
                    8);
}

static void test_buffer_grows_for_long_values(void)
{
    g_autofree char *xml = g_strnfill(1000000, 'x');
    remote_domain_get_xml_desc_ret ret = { .xml = xml };
    g_autoptr(GByteArray) buffer = g_byte_array_new();

    g_assert_true(
        codec_encode(buffer, 2000000, XDR_PROC(remote_domain_get_xml_desc_ret), &ret, NULL));
    g_assert_cmpuint(buffer->len, ==, 1000004);
    g_assert_cmpint(buffer->data[1000003], ==, 'x');
}

static void test_value_over_the_limit_of_the_message_is_not_encoded(void)
{
    g_autofree char *xml = g_strnfill(1000, 'x');
    remote_domain_get_xml_desc_ret ret = { .xml = xml };
    g_autoptr(GByteArray) buffer = g_byte_array_new();
    g_autoptr(GError) error = NULL;

    g_assert_false(
        codec_encode(buffer, 1003, XDR_PROC(remote_domain_get_xml_desc_ret), &ret, &error));
    g_assert_cmpuint(buffer->len, ==, 0);
    g_assert_true(codec_encode(buffer, 1004, XDR_PROC(remote_domain_get_xml_desc_ret), &ret, NULL));
}

static void test_string_over_its_own_limit_is_not_encoded(void)
{
    g_autofree char *xml = g_strnfill(REMOTE_STRING_MAX + 1, 'x');
    remote_domain_get_xml_desc_ret ret = { .xml = xml };
    g_autoptr(GByteArray) buffer = g_byte_array_new();

    g_assert_false(
        codec_encode(buffer, 1 << 24, XDR_PROC(remote_domain_get_xml_desc_ret), &ret, NULL));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add_func("/codec/" #name, test_##name)
    ADD(struct_is_decoded);
    ADD(struct_is_encoded);
    ADD(left_over_bytes_are_refused);
    ADD(short_payloads_are_refused_at_every_length);
    ADD(typed_parameters_are_decoded);
    ADD(unknown_type_of_parameter_is_refused_without_leaks);
    ADD(too_many_parameters_are_refused);
    ADD(value_of_unknown_type_is_not_encoded);
    ADD(optional_string_may_be_missing);
    ADD(array_of_char_takes_a_word_each);
    ADD(buffer_grows_for_long_values);
    ADD(value_over_the_limit_of_the_message_is_not_encoded);
    ADD(string_over_its_own_limit_is_not_encoded);
    return g_test_run();
}
