/* Every source keeps the lowest level that anybody wants from it, so that a message that
 * nobody wants costs one comparison. Sources join a list with their first message; each
 * change of settings computes their levels anew. */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log_output.h"
#include "base/log_rules.h"

#define MESSAGE_MAX (64 * 1024)
#define DEFAULT_OUTPUT "3:stderr"

/* As they stand in every line. */
static const char *const level_names[] = {
    [LOG_LEVEL_DEBUG] = "debug",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_WARN] = "warning",
    [LOG_LEVEL_ERROR] = "error",
};

/* The state of logging; everything in it is under @lock. */
static struct {
    GMutex lock;
    int level;
    GArray *filters;      /* of LogFilter; NULL before first use */
    GPtrArray *outputs;   /* of LogOutput */
    char *default_output; /* NULL for DEFAULT_OUTPUT */
    LogSource *sources;   /* all that ever logged */
} state = { .level = LOG_LEVEL_WARN };

/* The outputs that @text names, none of them open yet. */
static GPtrArray *outputs_parse(const char *text, GError **error)
{
    g_autoptr(GPtrArray) outputs = g_ptr_array_new_with_free_func((GDestroyNotify) log_output_free);
    g_auto(GStrv) words = g_strsplit(text, " ", -1);

    for (size_t i = 0; words[i] != NULL; i++) {
        LogOutput *output;

        if (words[i][0] == '\0')
            continue;
        output = log_output_parse(words[i], error);
        if (output == NULL)
            return NULL;
        /* Of two outputs to one place the later counts, or lines would be there twice. */
        for (unsigned int old = 0; old < outputs->len; old++) {
            if (log_output_is_same(outputs->pdata[old], output)) {
                g_ptr_array_remove_index(outputs, old);
                break;
            }
        }
        g_ptr_array_add(outputs, output);
    }
    return g_steal_pointer(&outputs);
}

static bool outputs_open(GPtrArray *outputs, GError **error)
{
    for (unsigned int i = 0; i < outputs->len; i++) {
        if (!log_output_open(outputs->pdata[i], error))
            return false;
    }
    return true;
}

/* The first to come sets up what holds before any configuration was read: stderr. */
static void state_lock(void)
{
    g_mutex_lock(&state.lock);
    if (state.filters != NULL)
        return;
    state.filters = log_filters_parse("", NULL);
    state.outputs = outputs_parse(DEFAULT_OUTPUT, NULL);
    outputs_open(state.outputs, NULL);
}

static void state_unlock(void)
{
    g_mutex_unlock(&state.lock);
}

static int source_level(const LogSource *source)
{
    return log_filters_level(state.filters, source->name, state.level);
}

/* What neither the filters nor any output wants is refused by one comparison. */
static void source_update(LogSource *source)
{
    int lowest = LOG_LEVEL_ERROR + 1;

    for (unsigned int i = 0; i < state.outputs->len; i++) {
        const LogOutput *output = state.outputs->pdata[i];

        lowest = MIN(lowest, output->level);
    }
    __atomic_store_n(&source->threshold, MAX(source_level(source), lowest), __ATOMIC_RELAXED);
}

static void sources_update(void)
{
    for (LogSource *source = state.sources; source != NULL; source = source->next)
        source_update(source);
}

/* Newlines are followed by a tab: what a line begins with is always ours. */
static void line_append_escaped(GString *line, const char *message)
{
    for (const char *p = message; *p != '\0'; p++) {
        unsigned char c = (unsigned char) *p;

        if (c == '\n')
            g_string_append(line, "\n\t");
        else if ((c < 0x20 && c != '\t') || c == 0x7f)
            g_string_append_printf(line, "\\x%02x", c);
        else
            g_string_append_c(line, (char) c);
    }
}

/* "2026-11-20 18:40:44.123+0000: 1234: error : function:line : message" */
static GString *line_new(const LogRecord *record, size_t *ret_text_offset)
{
    GString *line = g_string_new(NULL);
    struct timespec now;
    struct tm utc;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    g_string_append_printf(line, "%04d-%02d-%02d %02d:%02d:%02d.%03d+0000: %d: %s : ",
                           utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
                           utc.tm_sec, (int) (now.tv_nsec / 1000000), (int) gettid(),
                           level_names[record->level]);
    *ret_text_offset = line->len;
    g_string_append_printf(line, "%s:%d : ", record->func, record->line_number);
    line_append_escaped(line, record->message);
    g_string_append_c(line, '\n');
    return line;
}

/* Bounds what one message may cost in memory and on disk. */
static void message_cut(char *message)
{
    size_t end = MESSAGE_MAX;

    if (strnlen(message, MESSAGE_MAX + 1) <= MESSAGE_MAX)
        return;
    /* Not within a UTF-8 character. */
    while (end > MESSAGE_MAX - 4 && ((unsigned char) message[end] & 0xc0) == 0x80)
        end--;
    message[end] = '\0';
}

void log_write(LogSource *source, LogLevel level, const char *file, int line, const char *func,
               const GError *error, const char *format, ...)
{
    int saved_errno = errno;
    g_autoptr(GString) text = NULL;
    g_autofree char *message = NULL;
    LogRecord record = { .level = (int) level, .line_number = line, .func = func, .error = error };
    va_list args;

    state_lock();
    if (source->threshold == 0) {
        source->next = state.sources;
        state.sources = source;
        source_update(source);
    }
    if ((int) level < source->threshold) {
        state_unlock();
        errno = saved_errno;
        return;
    }
    va_start(args, format);
    message = g_strdup_vprintf(format, args);
    va_end(args);
    message_cut(message);
    /* The compiler names files as seen from the build folder. */
    while (g_str_has_prefix(file, "../"))
        file += 3;
    record.file = file;
    record.message = message;
    record.line = text = line_new(&record, &record.text_offset);
    for (unsigned int i = 0; i < state.outputs->len; i++) {
        LogOutput *output = state.outputs->pdata[i];

        if ((int) level >= output->level)
            log_output_write(output, &record);
    }
    state_unlock();
    errno = saved_errno;
}

bool log_set_level(unsigned int level, GError **error)
{
    if (level < LOG_LEVEL_DEBUG || level > LOG_LEVEL_ERROR) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG,
                  "Invalid log level %u: it must be between 1 and 4", level);
        return false;
    }
    state_lock();
    state.level = (int) level;
    sources_update();
    state_unlock();
    return true;
}

LogLevel log_get_level(void)
{
    LogLevel level;

    state_lock();
    level = (LogLevel) state.level;
    state_unlock();
    return level;
}

bool log_set_filters(const char *text, GError **error)
{
    GArray *filters = log_filters_parse(text, error);

    if (filters == NULL)
        return false;
    state_lock();
    g_array_unref(state.filters);
    state.filters = filters;
    sources_update();
    state_unlock();
    return true;
}

char *log_get_filters(unsigned int *ret_count)
{
    char *text;

    state_lock();
    text = log_filters_format(state.filters);
    *ret_count = state.filters->len;
    state_unlock();
    return text;
}

bool log_set_outputs(const char *text, GError **error)
{
    g_autofree char *fallback = NULL;
    g_autoptr(GPtrArray) outputs = outputs_parse(text, error);
    /* Closed when others may log again: closing waits for a disk, too. */
    g_autoptr(GPtrArray) former = NULL;

    if (outputs == NULL)
        return false;
    /* A daemon without any output could not even say that it has none. */
    if (outputs->len == 0) {
        state_lock();
        fallback = g_strdup(state.default_output != NULL ? state.default_output : DEFAULT_OUTPUT);
        state_unlock();
        g_ptr_array_unref(outputs);
        outputs = outputs_parse(fallback, error);
    }
    /* All are open before the first old one is closed. */
    if (outputs == NULL || !outputs_open(outputs, error))
        return false;
    state_lock();
    former = g_steal_pointer(&state.outputs);
    state.outputs = g_steal_pointer(&outputs);
    sources_update();
    state_unlock();
    return true;
}

char *log_get_outputs(unsigned int *ret_count)
{
    GString *text = g_string_new(NULL);

    state_lock();
    for (unsigned int i = 0; i < state.outputs->len; i++) {
        if (i > 0)
            g_string_append_c(text, ' ');
        log_output_format(state.outputs->pdata[i], text);
    }
    *ret_count = state.outputs->len;
    state_unlock();
    return g_string_free(text, FALSE);
}

bool log_set_default_output(const char *text, GError **error)
{
    g_autoptr(LogOutput) output = log_output_parse(text, error);

    if (output == NULL)
        return false;
    state_lock();
    g_free(state.default_output);
    state.default_output = g_strdup(text);
    state_unlock();
    return true;
}

/* The output to the place of @opened goes on through its file; the old one is @opened's now. */
static void output_replace(LogOutput *opened)
{
    state_lock();
    for (unsigned int i = 0; i < state.outputs->len; i++) {
        if (log_output_is_same(state.outputs->pdata[i], opened))
            log_output_swap(state.outputs->pdata[i], opened);
    }
    state_unlock();
}

/* By their copies: while a disk does not answer others may log, and set other outputs. */
bool log_reopen(GError **error)
{
    unsigned int count;
    g_autofree char *text = log_get_outputs(&count);
    g_autoptr(GPtrArray) outputs = outputs_parse(text, error);
    g_autoptr(GError) first = NULL;

    if (outputs == NULL)
        return false;
    for (unsigned int i = 0; i < outputs->len; i++) {
        LogOutput *output = outputs->pdata[i];

        /* Sockets find their receivers again by themselves. */
        if (output->kind == LOG_OUTPUT_FILE &&
            log_output_open(output, first == NULL ? &first : NULL))
            output_replace(output);
    }
    if (first == NULL)
        return true;
    g_propagate_error(error, g_steal_pointer(&first));
    return false;
}
