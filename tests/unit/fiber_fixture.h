/* A loop for one test, and a way to run test code in a fiber until it ends. */
#pragma once

#include "base/error.h"
#include "fiber/fiber.h"

static inline FiberLoop *fixture_loop_new(void)
{
    g_autoptr(GError) error = NULL;
    FiberLoop *loop = fiber_loop_new(&error);

    g_assert_no_error(error);
    return loop;
}

/* Steps @loop until at most @n_left fibers are left. */
static inline void fixture_loop_drain_to(FiberLoop *loop, size_t n_left)
{
    FiberStats stats;

    for (fiber_loop_get_stats(loop, &stats); stats.n_fibers > n_left;
         fiber_loop_get_stats(loop, &stats)) {
        g_autoptr(GError) error = NULL;
        /* Short: the step waits also when the last fiber has just ended in it. */
        fiber_loop_step(loop, 2000, &error);
        g_assert_no_error(error);
    }
}

static inline void fixture_loop_drain(FiberLoop *loop)
{
    fixture_loop_drain_to(loop, 0);
}

static inline Fiber *fixture_spawn(FiberLoop *loop, FiberFunc func, void *data)
{
    g_autoptr(GError) error = NULL;
    Fiber *fiber = NULL;

    fiber_spawn(loop, "test", func, data, &fiber, &error);
    g_assert_no_error(error);
    return fiber;
}

/* Runs @func in a fiber of a loop of its own, to its end and that of all it started. */
static inline void fixture_run(FiberFunc func, void *data)
{
    g_autoptr(FiberLoop) loop = fixture_loop_new();
    g_autoptr(Fiber) fiber = fixture_spawn(loop, func, data);

    fixture_loop_drain(loop);
    g_assert_true(fiber_has_ended(fiber));
}

/* The domain of our errors varies, the code is what matters. */
#define assert_error_code(error, expected)                                                         \
    G_STMT_START                                                                                   \
    {                                                                                              \
        g_assert_nonnull(error);                                                                   \
        g_assert_cmpint((error)->code, ==, expected);                                              \
    }                                                                                              \
    G_STMT_END
