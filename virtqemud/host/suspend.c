#include "virtqemud/host/suspend.h"

#include "base/error.h"

#define ALARM_FILE "class/rtc/rtc0/wakealarm"
#define STATE_FILE "power/state"
#define DISK_FILE "power/disk"
#define SMALL_FILE 4096

/* Longer than anybody means, and still a number of seconds for every clock. */
#define MAX_SECONDS (G_GUINT64_CONSTANT(10) * 365 * 24 * 3600)

/* How a sleep is asked for. */
typedef struct Target {
    const char *title;
    const char *state; /* the word for the state file */
    const char *mode;  /* the word for the disk file before, or NULL */
} Target;

static const Target targets[SUSPEND_TARGETS] = {
    [SUSPEND_MEM] = { "Suspend-to-RAM", "mem", NULL },
    [SUSPEND_DISK] = { "Suspend-to-Disk", "disk", NULL },
    [SUSPEND_HYBRID] = { "Hybrid-Suspend", "disk", "suspend" },
};

/* Whether a file that lists words, the chosen one in brackets, has @word. */
static bool file_has_word(const HostRoots *roots, const char *file, const char *word)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) words = NULL;

    if (!host_file_read(roots->sys, SMALL_FILE, &text, NULL, NULL, "%s", file))
        return false;
    words = g_strsplit_set(text, " \n[]", -1);
    return g_strv_contains((const char *const *) words, word);
}

bool suspend_is_supported(const HostRoots *roots, SuspendTarget target)
{
    const Target *wanted = &targets[target];

    return file_has_word(roots, STATE_FILE, wanted->state) &&
           (wanted->mode == NULL || file_has_word(roots, DISK_FILE, wanted->mode));
}

/* Whether it can be done at all is said before what is wrong with the time. */
bool suspend_prepare(const HostRoots *roots, guint target, guint64 seconds, GError **error)
{
    g_autofree char *alarm_text = NULL;

    if (target >= SUSPEND_TARGETS) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG, "Invalid suspend target");
        return false;
    }
    if (!suspend_is_supported(roots, (SuspendTarget) target)) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_ARGUMENT_UNSUPPORTED, "%s", targets[target].title);
        return false;
    }
    if (seconds < SUSPEND_MIN_SECONDS || seconds > MAX_SECONDS) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG,
                  "the host cannot be suspended for %" G_GUINT64_FORMAT
                  " seconds, only for %u to %" G_GUINT64_FORMAT,
                  seconds, SUSPEND_MIN_SECONDS, MAX_SECONDS);
        return false;
    }
    /* An alarm that is set already makes the clock refuse a new one. */
    alarm_text = g_strdup_printf("+%" G_GUINT64_FORMAT, seconds);
    return host_file_write(roots->sys, "0", error, ALARM_FILE) &&
           host_file_write(roots->sys, alarm_text, error, ALARM_FILE);
}

bool suspend_enter(const HostRoots *roots, SuspendTarget target, GError **error)
{
    const Target *wanted = &targets[target];

    if (wanted->mode != NULL && !host_file_write(roots->sys, wanted->mode, error, DISK_FILE))
        return false;
    return host_file_write(roots->sys, wanted->state, error, STATE_FILE);
}
