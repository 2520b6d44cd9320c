/* What the head of a disk image says about it: the format qcow2, as its specification
 * (QEMU's docs/interop/qcow2) has it. Images are written by guests, so nothing in them is
 * trusted, and the format of an image is never guessed from its content. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

/* As much of an image as is looked at. */
#define IMAGE_INFO_HEAD_BYTES 65536

typedef struct ImageInfo {
    uint64_t size_bytes;  /* of the guest's disk */
    char *backing_path;   /* as it stands there; NULL: none */
    char *backing_format; /* "qcow2"; NULL: not recorded */
    bool is_encrypted;
    bool has_data_file;   /* the guest's data is in a file of its own */
} ImageInfo;

/* Reads the head of a qcow2 image: its first @length bytes, all of it if it is shorter than
 * IMAGE_INFO_HEAD_BYTES. Errors: OPERATION_FAILED with what is wrong, without the file's name. */
bool image_info_parse(const uint8_t *head, size_t length, ImageInfo *ret_info, GError **error);
void image_info_clear(ImageInfo *info);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ImageInfo, image_info_clear)

/* The path that @name means as a backing file of the image at @path: QEMU's rule, relative names
 * are looked for beside the image. NULL for what is no file ("nbd:…", "json:…"); to be freed. */
char *image_backing_path(const char *path, const char *name);
