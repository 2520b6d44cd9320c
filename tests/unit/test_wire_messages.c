/* Recorded messages of existing programs: our codecs make of them what they mean, which shows
 * in the same bytes coming out again. */
#include <string.h>

#include "wire/codec.h"
#include "wire/codec_table.h"
#include "wire/message.h"
#include "wire/procedure.h"

typedef struct Message {
    xdrproc_t proc;
    size_t value_size;
    GByteArray *payload;
    char *title;
} Message;

static void message_free(gpointer data)
{
    Message *message = data;

    g_byte_array_unref(message->payload);
    g_free(message->title);
    g_free(message);
}

static GByteArray *from_hex(const char *text)
{
    GByteArray *bytes = g_byte_array_new();

    for (; text[0] && text[1]; text += 2) {
        uint8_t byte = g_ascii_xdigit_value(text[0]) << 4 | g_ascii_xdigit_value(text[1]);

        g_byte_array_append(bytes, &byte, 1);
    }
    return bytes;
}

static void choose_codec(Message *message, char **columns)
{
    bool is_ret = g_str_equal(columns[2], "ret");

    if (g_str_equal(columns[2], "error")) {
        message->proc = XDR_PROC(virNetMessageError);
        message->value_size = sizeof(virNetMessageError);
        return;
    }
    for (const WireCodec *codec = wire_codecs; codec->program; codec++) {
        if (g_str_equal(codec->name, columns[1]) &&
            g_str_equal(wire_program_find(codec->program)->name, columns[0])) {
            message->proc = is_ret ? codec->ret : codec->args;
            message->value_size = is_ret ? codec->ret_size : codec->args_size;
        }
    }
}

static GPtrArray *read_messages(void)
{
    g_autofree char *path = g_build_filename(g_getenv("TEST_DATA"), "messages_9.0.tsv", NULL);
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    GPtrArray *messages = g_ptr_array_new_with_free_func(message_free);

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        g_auto(GStrv) columns = g_strsplit(*line, "\t", -1);
        Message *message;

        if (**line == '#' || g_strv_length(columns) != 4 || g_str_equal(columns[0], "program"))
            continue;
        message = g_new0(Message, 1);
        message->title = g_strdup_printf("%s %s %s", columns[0], columns[1], columns[2]);
        message->payload = from_hex(columns[3]);
        choose_codec(message, columns);
        if (!message->proc)
            g_error("%s has no codec", message->title);
        g_ptr_array_add(messages, message);
    }
    g_assert_cmpuint(messages->len, >, 150);
    return messages;
}

static void test_recorded_messages_survive_decoding_and_encoding(void)
{
    g_autoptr(GPtrArray) messages = read_messages();

    for (guint i = 0; i < messages->len; i++) {
        const Message *message = messages->pdata[i];
        g_autofree void *value = g_malloc0(message->value_size);
        g_autoptr(GByteArray) buffer = g_byte_array_new();
        g_autoptr(GError) error = NULL;

        codec_decode(message->payload->data, message->payload->len, message->proc, value,
                     message->title, &error);
        g_assert_no_error(error);
        codec_encode(buffer, 1 << 20, message->proc, value, &error);
        g_assert_no_error(error);
        g_assert_cmpmem(buffer->data, buffer->len, message->payload->data, message->payload->len);
        codec_free(message->proc, value);
    }
}

static void test_recorded_messages_that_are_cut_are_refused(void)
{
    g_autoptr(GPtrArray) messages = read_messages();

    for (guint i = 0; i < messages->len; i++) {
        const Message *message = messages->pdata[i];

        for (guint length = 0; length < message->payload->len; length++) {
            g_autofree void *value = g_malloc0(message->value_size);

            if (codec_decode(message->payload->data, length, message->proc, value, "", NULL))
                g_error("%s is accepted with %u bytes", message->title, length);
        }
    }
}

static void test_recorded_messages_with_a_word_more_are_refused(void)
{
    g_autoptr(GPtrArray) messages = read_messages();

    for (guint i = 0; i < messages->len; i++) {
        const Message *message = messages->pdata[i];
        g_autofree void *value = g_malloc0(message->value_size);

        g_byte_array_append(message->payload, (const uint8_t *)"\0\0\0", 4);
        if (codec_decode(message->payload->data, message->payload->len, message->proc, value, "",
                         NULL))
            g_error("%s is accepted with a word more", message->title);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add_func("/wire_messages/" #name, test_##name)
    ADD(recorded_messages_survive_decoding_and_encoding);
    ADD(recorded_messages_that_are_cut_are_refused);
    ADD(recorded_messages_with_a_word_more_are_refused);
    return g_test_run();
}
