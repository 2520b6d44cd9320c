/* Users and groups, for people to read. */
#pragma once

#include <sys/types.h>

/* The name, or the number where it has none; to be freed. */
char *account_user_name(uid_t uid);
char *account_group_name(gid_t gid);
