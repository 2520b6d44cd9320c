/* Logging: what a daemon tells its operator. Filters say which messages of which source
 * are wanted, outputs say where they go; both use the syntax of the reference manual
 * ("logging.html") and can be changed at run time. This is the one global state of the
 * suite. All functions may be called from any thread; none waits for a slow output:
 * what an output does not take at once is dropped. */
#pragma once

#include <stdbool.h>

#include <glib.h>

typedef enum LogLevel {
    LOG_LEVEL_DEBUG = 1,
    LOG_LEVEL_INFO = 2,
    LOG_LEVEL_WARN = 3,
    LOG_LEVEL_ERROR = 4,
} LogLevel;

/* One source of messages (a .c file). @threshold is the lowest level that any output
 * wants from it; 0 until the first message. Private to logging. */
typedef struct LogSource {
    const char *name;
    int threshold;
    struct LogSource *next;
} LogSource;

/* Once per .c file that logs: names it for filters, as in LOG_INIT("net.tls"); */
#define LOG_INIT(source_name) static LogSource log_source_ = { .name = (source_name) }

#define LOG_DEBUG(...) LOG_AT_(LOG_LEVEL_DEBUG, NULL, __VA_ARGS__)
#define LOG_INFO(...) LOG_AT_(LOG_LEVEL_INFO, NULL, __VA_ARGS__)
#define LOG_WARN(...) LOG_AT_(LOG_LEVEL_WARN, NULL, __VA_ARGS__)
#define LOG_ERROR(...) LOG_AT_(LOG_LEVEL_ERROR, NULL, __VA_ARGS__)

/* Logs a GError at level error; the journal also gets its code and domain. */
#define LOG_GERROR(error) LOG_AT_(LOG_LEVEL_ERROR, (error), "%s", (error)->message)

/* The arguments are not evaluated when nobody wants the level. */
#define LOG_AT_(level, error, ...)                                                           \
    do {                                                                                     \
        if ((int) (level) >= __atomic_load_n(&log_source_.threshold, __ATOMIC_RELAXED))      \
            log_write(&log_source_, (level), __FILE__, __LINE__, __func__, (error),          \
                      __VA_ARGS__);                                                          \
    } while (0)

/* What the macros call; @error may be NULL. Messages are cut at 64 KiB and control
 * characters escaped, so that no message can pass for two. Keeps errno. */
void log_write(LogSource *source, LogLevel level, const char *file, int line, const char *func,
               const GError *error, const char *format, ...) G_GNUC_PRINTF(7, 8);

/* The level for sources that no filter matches: 1 (debug) to 4 (error), at first 3.
 * Errors: INVALID_ARG. */
bool log_set_level(unsigned int level, GError **error);
LogLevel log_get_level(void);

/* Replaces all filters by those in @text ("1:net 3:rpc", "" for none): of the filters
 * that match a source the first decides. All or nothing. Errors: INVALID_ARG. */
bool log_set_filters(const char *text, GError **error);

/* The filters in the syntax that log_set_filters takes; to be freed. */
char *log_get_filters(unsigned int *ret_count);

/* Replaces all outputs by those in @text ("3:stderr 1:file:/var/log/x"; "" for the
 * default, see log_set_default_output). All or nothing.
 * Errors: INVALID_ARG, SYSTEM_ERROR when a file or the journal cannot be opened. */
bool log_set_outputs(const char *text, GError **error);
char *log_get_outputs(unsigned int *ret_count);

/* What "" stands for in log_set_outputs: one output, "3:stderr" unless this changes it.
 * Does not change the present outputs. Errors: INVALID_ARG. */
bool log_set_default_output(const char *text, GError **error);

/* Opens the files of all outputs again (after they were rotated). An output whose file
 * cannot be opened keeps the old one; the first such failure is reported at the end.
 * Errors: SYSTEM_ERROR. */
bool log_reopen(GError **error);
