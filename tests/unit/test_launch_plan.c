/* Plans of the launcher: what is taken, and what is refused as a whole. */
#include <string.h>

#include "virtqemud/guest/launch.h"
#include "virtqemud/launcher/plan.h"

/* Strings with their zero bytes; the last one's is the literal's own. */
#define PLAN(text) LAUNCH_PLAN_MAGIC "\0" text, sizeof(LAUNCH_PLAN_MAGIC "\0" text)

static bool parse(const char *text, size_t length, LaunchPlan *plan)
{
    static char copy[4096];
    const char *reason = NULL;

    g_assert_cmpuint(length, <=, sizeof(copy));
    memcpy(copy, text, length);
    bool ok = launch_plan_parse(copy, length, plan, &reason);
    g_assert_true(ok == !reason);
    g_assert_true(ok || plan->n_steps == 0);
    return ok;
}

static void assert_refused(const char *text, size_t length)
{
    LaunchPlan plan;

    g_assert_false(parse(text, length, &plan));
}

static void test_steps_are_read_in_order(void)
{
    LaunchPlan plan;

    g_assert_true(parse(PLAN("session\0" "0\0" "uid\0" "1\0" "77\0"
                             "execute\0" "3\0" "/bin/x\0" "x\0" "-y"), &plan));
    g_assert_cmpuint(plan.n_steps, ==, 3);
    g_assert_cmpint(plan.steps[0].kind, ==, LAUNCH_STEP_SESSION);
    g_assert_cmpuint(plan.steps[0].n_args, ==, 0);
    g_assert_cmpint(plan.steps[1].kind, ==, LAUNCH_STEP_UID);
    g_assert_cmpstr(plan.steps[1].args[0], ==, "77");
    g_assert_cmpstr(plan.steps[2].args[2], ==, "-y");
    g_assert_null(plan.steps[2].args[3]);
    launch_plan_clear(&plan);
}

static void test_empty_arguments_are_arguments(void)
{
    LaunchPlan plan;

    g_assert_true(parse(PLAN("execute\0" "3\0" "/x\0" "\0" ""), &plan));
    g_assert_cmpstr(plan.steps[0].args[1], ==, "");
    g_assert_cmpstr(plan.steps[0].args[2], ==, "");
    launch_plan_clear(&plan);
}

static void test_other_magic_is_refused(void)
{
    assert_refused("splitvirt-launch-2\0execute\0" "2\0" "/x\0" "x", 34);
    assert_refused("", 0);
    assert_refused("", 1);
}

static void test_unknown_step_is_refused(void)
{
    assert_refused(PLAN("sing\0" "0\0" "execute\0" "2\0" "/x\0" "x"));
}

static void test_wrong_number_of_arguments_is_refused(void)
{
    assert_refused(PLAN("uid\0" "2\0" "1\0" "2\0" "execute\0" "2\0" "/x\0" "x"));
    assert_refused(PLAN("execute\0" "1\0" "/x"));
    assert_refused(PLAN("execute\0" "-2\0" "/x\0" "x"));
    assert_refused(PLAN("execute\0" "2 \0" "/x\0" "x"));
    assert_refused(PLAN("execute\0" "99999999999999999999\0" "/x\0" "x"));
}

static void test_plan_without_end_is_refused(void)
{
    assert_refused(PLAN("session\0" "0"));
    assert_refused(PLAN("execute\0" "3\0" "/x\0" "x"));
    assert_refused(PLAN("execute"));
    /* The last string has no zero byte. */
    assert_refused(LAUNCH_PLAN_MAGIC "\0execute\0" "2\0" "/x\0" "x",
                   sizeof(LAUNCH_PLAN_MAGIC "\0execute\0" "2\0" "/x\0" "x") - 1);
}

static void test_something_behind_the_last_step_is_refused(void)
{
    assert_refused(PLAN("execute\0" "2\0" "/x\0" "x\0" "session\0" "0"));
}

static void test_too_many_steps_are_refused(void)
{
    g_autoptr(GString) text = g_string_new(NULL);
    LaunchPlan plan;

    g_string_append_len(text, LAUNCH_PLAN_MAGIC, sizeof(LAUNCH_PLAN_MAGIC));
    for (int i = 0; i < LAUNCH_PLAN_MAX_STEPS; i++)
        g_string_append_len(text, "wait\0" "0", 7);
    g_string_append_len(text, "execute\0" "2\0" "/x\0" "x", 15);
    g_assert_false(parse(text->str, text->len, &plan));
}

static void test_descriptors_are_two_small_numbers(void)
{
    int from, to;

    g_assert_true(launch_descriptor_parse("5:30", &from, &to));
    g_assert_cmpint(from, ==, 5);
    g_assert_cmpint(to, ==, 30);
    g_assert_false(launch_descriptor_parse("5", &from, &to));
    g_assert_false(launch_descriptor_parse("5:", &from, &to));
    g_assert_false(launch_descriptor_parse(":5", &from, &to));
    g_assert_false(launch_descriptor_parse("5:1024", &from, &to));
    g_assert_false(launch_descriptor_parse("-1:3", &from, &to));
    g_assert_false(launch_descriptor_parse("1:3:4", &from, &to));
    g_assert_false(launch_descriptor_parse("000000000005:3", &from, &to));
}

static void test_a_written_plan_can_be_read(void)
{
    const gid_t groups[] = { 107, 64055 };
    const GuestProcessFd fds[] = { { 8, 30 }, { 9, 3 } };
    const GuestProcessSpec spec = {
        .argv = (const char *const[]){ "/usr/bin/qemu", "-S", NULL },
        .envp = (const char *const[]){ "LC_ALL=C", NULL },
        .fds = fds, .n_fds = 2, .log_fd = 7,
        .sets_user = true, .uid = 64055, .gid = 64055, .groups = groups, .n_groups = 2,
        .clears_capabilities = true, .denies_new_privileges = true,
        .sets_umask = true, .umask = 2,
        .limits = { .sets_core = true, .n_files = 100, .locked_bytes = RLIM_INFINITY },
        .nice = -5, .oom_score = -100, .affinity = "0-1",
        .pid_file = "/run/x.pid", .waits_for_go = true,
    };
    g_autoptr(GByteArray) text = guest_launch_plan(&spec);
    LaunchPlan plan;

    g_assert_true(parse((const char *)text->data, text->len, &plan));
    g_assert_cmpuint(plan.n_steps, ==, 20);
    const LaunchStep *last = &plan.steps[plan.n_steps - 1];
    g_assert_cmpint(last->kind, ==, LAUNCH_STEP_EXECUTE);
    g_assert_cmpstr(last->args[0], ==, "/usr/bin/qemu");
    g_assert_cmpstr(last->args[1], ==, "/usr/bin/qemu");
    g_assert_cmpstr(last->args[2], ==, "-S");
    launch_plan_clear(&plan);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/launch_plan/steps_are_read_in_order", test_steps_are_read_in_order);
    g_test_add_func("/launch_plan/empty_arguments_are_arguments",
                    test_empty_arguments_are_arguments);
    g_test_add_func("/launch_plan/other_magic_is_refused", test_other_magic_is_refused);
    g_test_add_func("/launch_plan/unknown_step_is_refused", test_unknown_step_is_refused);
    g_test_add_func("/launch_plan/wrong_number_of_arguments_is_refused",
                    test_wrong_number_of_arguments_is_refused);
    g_test_add_func("/launch_plan/plan_without_end_is_refused", test_plan_without_end_is_refused);
    g_test_add_func("/launch_plan/something_behind_the_last_step_is_refused",
                    test_something_behind_the_last_step_is_refused);
    g_test_add_func("/launch_plan/too_many_steps_are_refused", test_too_many_steps_are_refused);
    g_test_add_func("/launch_plan/descriptors_are_two_small_numbers",
                    test_descriptors_are_two_small_numbers);
    g_test_add_func("/launch_plan/a_written_plan_can_be_read", test_a_written_plan_can_be_read);
    return g_test_run();
}
