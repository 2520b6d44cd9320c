#include "virtqemud/launcher/plan_writer.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Of an ordinary guest's. */
#define PLAN_BYTES 8192

GByteArray *plan_writer_new(void)
{
    GByteArray *plan = g_byte_array_sized_new(PLAN_BYTES);

    plan_add(plan, LAUNCH_PLAN_MAGIC);
    return plan;
}

void plan_begin(GByteArray *plan, LaunchStepKind kind, size_t n_args)
{
    plan_add(plan, launch_step_name(kind));
    plan_add_number(plan, (int64_t)n_args);
}

void plan_add(GByteArray *plan, const char *text)
{
    g_byte_array_append(plan, (const guint8 *)text, (guint)strlen(text) + 1);
}

void plan_add_number(GByteArray *plan, int64_t number)
{
    char text[24];

    g_snprintf(text, sizeof(text), "%" G_GINT64_FORMAT, number);
    plan_add(plan, text);
}

void plan_add_strings(GByteArray *plan, const char *const *strings)
{
    for (size_t i = 0; strings && strings[i]; i++)
        plan_add(plan, strings[i]);
}

void plan_add_move(GByteArray *plan, int from, int to)
{
    char text[24];

    g_snprintf(text, sizeof(text), "%d:%d", from, to);
    plan_add(plan, text);
}

void plan_step_text(GByteArray *plan, LaunchStepKind kind, const char *text)
{
    if (!text)
        return;
    plan_begin(plan, kind, 1);
    plan_add(plan, text);
}

void plan_step_number(GByteArray *plan, LaunchStepKind kind, int64_t number)
{
    plan_begin(plan, kind, 1);
    plan_add_number(plan, number);
}

void plan_steps_user(GByteArray *plan, uid_t uid, gid_t gid, const gid_t *groups, size_t n_groups)
{
    plan_begin(plan, LAUNCH_STEP_GROUPS, n_groups);
    for (size_t i = 0; i < n_groups; i++)
        plan_add_number(plan, groups[i]);
    plan_step_number(plan, LAUNCH_STEP_GID, gid);
    plan_step_number(plan, LAUNCH_STEP_UID, uid);
}

static size_t strings_count(const char *const *strings)
{
    return strings ? g_strv_length((char **)strings) : 0;
}

void plan_step_environment(GByteArray *plan, const char *const *envp)
{
    plan_begin(plan, LAUNCH_STEP_ENVIRONMENT, strings_count(envp));
    plan_add_strings(plan, envp);
}

void plan_step_execute(GByteArray *plan, const char *path, const char *const *argv)
{
    plan_begin(plan, LAUNCH_STEP_EXECUTE, 1 + strings_count(argv));
    plan_add(plan, path ? path : argv[0]);
    plan_add_strings(plan, argv);
}

int plan_writer_open(const GByteArray *plan)
{
    int fd = memfd_create("launch", MFD_CLOEXEC);
    ssize_t n;
    int result;

    if (fd < 0)
        return -errno;
    n = write(fd, plan->data, plan->len);
    if (n == (ssize_t)plan->len)
        return fd;
    result = n < 0 ? -errno : -EIO;
    close(fd);
    return result;
}
