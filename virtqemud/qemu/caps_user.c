#include "virtqemud/qemu/caps_user.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "virtqemud/launcher/plan_writer.h"

void emulator_user_clear(EmulatorUser *user)
{
    g_clear_pointer(&user->launcher, g_free);
    g_clear_pointer(&user->groups, g_array_unref);
}

/* Nobody changes an array of groups: it is shared. */
void emulator_user_copy(const EmulatorUser *from, EmulatorUser *to)
{
    *to = *from;
    to->launcher = g_strdup(from->launcher);
    if (from->groups)
        g_array_ref(from->groups);
}

int emulator_user_make_plan(const EmulatorUser *user, const char *const *argv,
                            const char *const *envp)
{
    g_autoptr(GByteArray) plan = plan_writer_new();
    const GArray *groups = user->groups;

    plan_begin(plan, LAUNCH_STEP_DESCRIPTORS, 4);
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        plan_add_move(plan, fd, fd);
    plan_add_move(plan, LAUNCH_FD_FIRST, STDERR_FILENO + 1);
    /* The bounding set can only be emptied by who is still privileged. */
    plan_begin(plan, LAUNCH_STEP_NO_NEW_CAPABILITIES, 0);
    plan_steps_user(plan, user->uid, user->gid,
                    groups ? (const gid_t *)(const void *)groups->data : NULL,
                    groups ? groups->len : 0);
    plan_begin(plan, LAUNCH_STEP_NO_CAPABILITIES, 0);
    plan_begin(plan, LAUNCH_STEP_NO_NEW_PRIVILEGES, 0);
    plan_step_text(plan, LAUNCH_STEP_DIRECTORY, "/");
    plan_step_environment(plan, envp);
    plan_step_execute(plan, NULL, argv);
    return plan_writer_open(plan);
}

/* Three strings, see plan.h; a message that is none reads as empty strings. */
char *emulator_user_read_failure(int status_fd)
{
    char message[LAUNCH_STATUS_MAX_BYTES + 3] = { 0 };
    ssize_t length = recv(status_fd, message, LAUNCH_STATUS_MAX_BYTES, MSG_DONTWAIT);
    const char *step = message, *number, *what;

    if (length <= 0)
        return NULL;
    number = step + strlen(step) + 1;
    what = number + strlen(number) + 1;
    return g_strdup_printf("step '%s' failed%s%s: %s", step, *what ? " on " : "", what,
                           g_strerror((int) g_ascii_strtoll(number, NULL, 10)));
}
