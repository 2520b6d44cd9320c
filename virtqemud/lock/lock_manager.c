/* The table, and the manager that does nothing. */
#include "virtqemud/lock/lock_manager.h"

static bool nop_plan(const QemuConf *conf, const DomainDef *def, GPtrArray *requests,
                     GError **error)
{
    return true;
}

/* Without requests nothing else is asked of it. */
const LockManager lock_manager_nop = { .name = "nop", .plan = nop_plan };

/* In the order of QemuLockManager. */
static const LockManager *const managers[] = {
    [QEMU_LOCK_NOP] = &lock_manager_nop,
    [QEMU_LOCK_LOCKD] = &lock_manager_lockd,
    [QEMU_LOCK_SANLOCK] = &lock_manager_sanlock,
};

const LockManager *lock_manager_of(const QemuConf *conf)
{
    return managers[conf->lock_manager];
}

const LockManager *lock_manager_find(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(managers); i++) {
        if (g_strcmp0(managers[i]->name, name) == 0)
            return managers[i];
    }
    return NULL;
}
