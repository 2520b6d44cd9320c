/* Heads of qcow2 images, made by hand: what qemu-img would write, and what it would not. */
#pragma once

#include <glib.h>

typedef struct Qcow2Head {
    guint32 version;
    const char *backing; /* NULL: none */
    const char *format;  /* NULL: not recorded */
    gboolean has_data_file;
} Qcow2Head;

static inline void qcow2_put(GByteArray *image, guint offset, guint64 number, guint size)
{
    if (image->len < offset + size) {
        guint old = image->len;
        g_byte_array_set_size(image, offset + size);
        memset(image->data + old, 0, image->len - old);
    }
    for (guint i = 0; i < size; i++)
        image->data[offset + i] = (guint8)(number >> (8 * (size - 1 - i)));
}

static inline void qcow2_put_text(GByteArray *image, guint offset, const char *text)
{
    for (guint i = 0; text[i]; i++)
        qcow2_put(image, offset + i, (guchar)text[i], 1);
}

static inline GByteArray *qcow2_head_new(const Qcow2Head *head)
{
    GByteArray *image = g_byte_array_new();
    guint end = head->version == 2 ? 72 : 104;

    qcow2_put(image, 0, 0x514649fb, 4);
    qcow2_put(image, 4, head->version, 4);
    qcow2_put(image, 24, 10 * 1024 * 1024, 8);
    if (head->version == 3) {
        qcow2_put(image, 72, head->has_data_file ? 4 : 0, 8);
        qcow2_put(image, 100, 104, 4);
    }
    /* An extension that nobody knows, then the format. */
    qcow2_put(image, end, 0x11111111, 4);
    qcow2_put(image, end + 4, 3, 4);
    end += 16;
    if (head->format) {
        qcow2_put(image, end, 0xe2792aca, 4);
        qcow2_put(image, end + 4, strlen(head->format), 4);
        qcow2_put_text(image, end + 8, head->format);
        end += 8 + (((guint)strlen(head->format) + 7) & ~7u);
    }
    qcow2_put(image, end, 0, 8);
    end += 8;
    if (head->backing) {
        qcow2_put(image, 8, end, 8);
        qcow2_put(image, 16, strlen(head->backing), 4);
        qcow2_put_text(image, end, head->backing);
    }
    return image;
}
