/* A configuration file in libvirt's syntax, as text became entries: `key = value` with
 * integers, "strings", 'strings', """strings over several lines""" and lists in brackets;
 * '#' begins a comment, a newline or ';' ends an entry. What keys mean is config.h's matter.
 *
 * The syntax is what the example files of the reference manual show, and what existing
 * daemons accept: no escapes in strings, no newline in those with one quote, decimal
 * integers only. Beyond them, comments are allowed within lists. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

/* More than any real file needs; what is larger is refused. */
#define CONF_FILE_MAX_BYTES (1024 * 1024)
#define CONF_FILE_MAX_ENTRIES 10000
#define CONF_FILE_MAX_ITEMS 10000
#define CONF_FILE_MAX_DEPTH 8

typedef enum ConfType {
    CONF_INTEGER,
    CONF_STRING,
    CONF_LIST,
} ConfType;

typedef struct ConfValue {
    ConfType type;
    int line;         /* where it begins, from 1 */
    int64_t integer;  /* CONF_INTEGER */
    char *string;     /* CONF_STRING: valid UTF-8 */
    GPtrArray *items; /* CONF_LIST: of ConfValue, owned */
} ConfValue;

typedef struct ConfEntry {
    char *key;
    int line;
    ConfValue *value;
} ConfEntry;

typedef struct ConfFile {
    char *path;         /* as it was given: what errors name */
    GPtrArray *entries; /* of ConfEntry in the order of the file, owned; keys may repeat */
} ConfFile;

/* Parses @length bytes at @text; @path is for errors only.
 * Errors: CONF_SYNTAX, "PATH:LINE: reason". */
ConfFile *conf_file_parse(const char *path, const char *text, size_t length, GError **error);

/* Reads and parses the file at @path: a regular file, or /dev/null.
 * Errors: SYSTEM_ERROR when it cannot be read, OPERATION_FAILED when it is too large or not
 * a regular file, otherwise as conf_file_parse. */
ConfFile *conf_file_read(const char *path, GError **error);

void conf_file_free(ConfFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ConfFile, conf_file_free)

/* The first entry of @key, which is the one that counts; NULL if there is none. */
const ConfEntry *conf_file_find(const ConfFile *file, const char *key);

/* The value in the file's syntax. Any parsed value has such a form; to be freed. */
char *conf_value_format(const ConfValue *value);
