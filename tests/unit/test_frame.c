#include <string.h>

#include "base/error.h"
#include "wire/frame.h"
#include "wire/remote.h"
#include "wire/remote_connect.h"

/* The call with which virsh opens a connection read-only. */
static const uint8_t open_call[] =
    "\0\0\0\x38\x20\0\x80\x86\0\0\0\1\0\0\0\1\0\0\0\0\0\0\0\2\0\0\0\0"
    "\0\0\0\1\0\0\0\xeqemu:///system\0\0\0\0\0\1";
#define OPEN_CALL_SIZE (sizeof(open_call) - 1)

static const FrameHeader open_header = {
    .program = REMOTE_PROGRAM,
    .version = REMOTE_PROTOCOL_VERSION,
    .procedure = REMOTE_PROC_CONNECT_OPEN,
    .type = VIR_NET_CALL,
    .serial = 2,
    .status = VIR_NET_OK,
};

static void test_header_is_decoded(void)
{
    FrameHeader header;

    frame_header_decode(open_call, &header);
    g_assert_cmpuint(header.length, ==, OPEN_CALL_SIZE);
    g_assert_cmphex(header.program, ==, REMOTE_PROGRAM);
    g_assert_cmpuint(header.version, ==, 1);
    g_assert_cmpint(header.procedure, ==, REMOTE_PROC_CONNECT_OPEN);
    g_assert_cmpuint(header.type, ==, VIR_NET_CALL);
    g_assert_cmpuint(header.serial, ==, 2);
    g_assert_cmpuint(header.status, ==, VIR_NET_OK);
}

static void test_header_is_encoded(void)
{
    FrameHeader header = open_header;
    uint8_t bytes[FRAME_HEADER_SIZE];

    header.length = OPEN_CALL_SIZE;
    frame_header_encode(&header, bytes);
    g_assert_cmpmem(bytes, sizeof(bytes), open_call, FRAME_HEADER_SIZE);
}

static void test_impossible_lengths_are_refused(void)
{
    g_assert_false(frame_length_is_valid(0, FRAME_LENGTH_ORDINARY_MAX));
    g_assert_false(frame_length_is_valid(27, FRAME_LENGTH_ORDINARY_MAX));
    g_assert_true(frame_length_is_valid(28, FRAME_LENGTH_ORDINARY_MAX));
    g_assert_true(frame_length_is_valid(FRAME_LENGTH_ORDINARY_MAX, FRAME_LENGTH_ORDINARY_MAX));
    g_assert_false(frame_length_is_valid(FRAME_LENGTH_ORDINARY_MAX + 1, FRAME_LENGTH_ORDINARY_MAX));
    g_assert_false(frame_length_is_valid(FRAME_LENGTH_MAX + 1, UINT32_MAX));
    g_assert_false(frame_length_is_valid(UINT32_MAX, UINT32_MAX));
}

static void test_frame_with_value_is_encoded(void)
{
    char *name = (char *)"qemu:///system";
    remote_connect_open_args args = { .name = &name, .flags = 1 };
    g_autoptr(GByteArray) buffer = g_byte_array_new();
    g_autoptr(GError) error = NULL;

    g_assert_true(
        frame_encode(buffer, &open_header, XDR_PROC(remote_connect_open_args), &args, &error));
    g_assert_cmpmem(buffer->data, buffer->len, open_call, OPEN_CALL_SIZE);
}

static void test_frames_are_appended(void)
{
    g_autoptr(GByteArray) buffer = g_byte_array_new();
    FrameHeader header;

    g_assert_true(frame_encode(buffer, &open_header, NULL, NULL, NULL));
    g_assert_true(frame_encode_raw(buffer, &open_header, (const uint8_t *)"data", 4, NULL));
    g_assert_cmpuint(buffer->len, ==, 28 + 32);
    frame_header_decode(buffer->data + 28, &header);
    g_assert_cmpuint(header.length, ==, 32);
    g_assert_cmpmem(buffer->data + 56, 4, "data", 4);
}

static void test_failing_to_encode_leaves_the_buffer_as_before(void)
{
    remote_connect_get_type_ret ret = { .type = NULL };
    g_autoptr(GByteArray) buffer = g_byte_array_new();
    g_autoptr(GError) error = NULL;

    g_byte_array_append(buffer, (const uint8_t *)"kept", 4);
    g_assert_false(
        frame_encode(buffer, &open_header, XDR_PROC(remote_connect_get_type_ret), &ret, &error));
    g_assert_error(error, error_quark(VIR_FROM_RPC), VIR_ERR_INTERNAL_ERROR);
    g_assert_cmpmem(buffer->data, buffer->len, "kept", 4);
}

static void test_number_of_descriptors_comes_before_the_value(void)
{
    FrameHeader header = open_header;
    g_autoptr(GByteArray) buffer = g_byte_array_new();

    header.type = VIR_NET_REPLY_WITH_FDS;
    g_assert_true(frame_type_has_fds(header.type));
    g_assert_true(frame_encode_with_fds(buffer, &header, 3, NULL, NULL, NULL));
    frame_header_decode(buffer->data, &header);
    g_assert_cmpuint(header.length, ==, 32);
    g_assert_cmpmem(buffer->data + 28, 4, "\0\0\0\3", 4);
}

static void test_payload_over_the_limit_is_refused(void)
{
    g_autofree uint8_t *payload = g_malloc0(FRAME_LENGTH_MAX);
    g_autoptr(GByteArray) buffer = g_byte_array_new();
    g_autoptr(GError) error = NULL;

    g_assert_false(frame_encode_raw(buffer, &open_header, payload, FRAME_LENGTH_MAX, &error));
    g_assert_error(error, error_quark(VIR_FROM_RPC), VIR_ERR_INTERNAL_ERROR);
    g_assert_cmpuint(buffer->len, ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add_func("/frame/" #name, test_##name)
    ADD(header_is_decoded);
    ADD(header_is_encoded);
    ADD(impossible_lengths_are_refused);
    ADD(frame_with_value_is_encoded);
    ADD(frames_are_appended);
    ADD(failing_to_encode_leaves_the_buffer_as_before);
    ADD(number_of_descriptors_comes_before_the_value);
    ADD(payload_over_the_limit_is_refused);
    return g_test_run();
}
