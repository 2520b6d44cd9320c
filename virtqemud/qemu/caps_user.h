/* As whom emulators run while they are asked: a privileged daemon gives them the account that
 * guests have, through its launcher (launcher/plan.h). */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

typedef struct EmulatorUser {
    char *launcher; /* NULL: as the daemon itself, without it */
    uid_t uid;
    gid_t gid;
    GArray *groups; /* of gid_t: all supplementary ones; NULL: none */
} EmulatorUser;

void emulator_user_clear(EmulatorUser *user);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(EmulatorUser, emulator_user_clear)
/* Into an empty @to. */
void emulator_user_copy(const EmulatorUser *from, EmulatorUser *to);

/* A file in memory with the plan to become the user, without any privilege, and then @argv with
 * the environment @envp, and descriptor 3 as the launcher's third. Or -errno. */
int emulator_user_make_plan(const EmulatorUser *user, const char *const *argv,
                            const char *const *envp);
/* What the launcher said on @status_fd about a step that failed, or NULL. To be freed. */
char *emulator_user_read_failure(int status_fd);
