/* Log outputs: where messages go. Owned by logging (log.c), which calls them under its
 * lock. No output ever waits: what the other side does not take at once is lost. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

typedef enum LogOutputKind {
    LOG_OUTPUT_STDERR,
    LOG_OUTPUT_FILE,
    LOG_OUTPUT_SYSLOG,
    LOG_OUTPUT_JOURNALD,
} LogOutputKind;

typedef struct LogOutput {
    int level; /* the lowest level it takes */
    LogOutputKind kind;
    char *target;            /* path of the file or ident for syslog; NULL for the others */
    const char *socket_path; /* of syslog or the journal */
    int fd;                  /* -1 while closed */
    bool is_regular;         /* a regular file: writing does not wait for a reader */
} LogOutput;

/* One message. @message is as it was made, @line is the whole line for text outputs,
 * with its newline; @text is the message's part of it (escaped, without newline). */
typedef struct LogRecord {
    int level;
    const char *file;
    int line_number;
    const char *func;
    const GError *error;
    const char *message;
    GString *line;
    size_t text_offset;
} LogRecord;

/* The output that @text ("LEVEL:KIND[:TARGET]") describes, not open yet; NULL on error.
 * A relative path is taken from the present folder. Errors: INVALID_ARG. */
LogOutput *log_output_parse(const char *text, GError **error);
void log_output_free(LogOutput *output);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LogOutput, log_output_free)

/* Appends the output in the syntax that log_output_parse takes. */
void log_output_format(const LogOutput *output, GString *text);

/* Whether both write to the same place. */
bool log_output_is_same(const LogOutput *a, const LogOutput *b);

/* Opens, or opens again; a failure leaves what was open. A syslog that is not there is
 * no failure: it is looked for again with every message. Errors: SYSTEM_ERROR. */
bool log_output_open(LogOutput *output, GError **error);

/* Each goes on with what the other had open; they are the same. */
void log_output_swap(LogOutput *a, LogOutput *b);

void log_output_write(LogOutput *output, const LogRecord *record);
