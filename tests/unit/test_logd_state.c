/* The state file comes back as it was written; damaged ones are told, and used in part. */
#include <string.h>

#include "tests/unit/fiber_fixture.h"
#include "virtlogd/state.h"

static LogState *make_state(const char *pipe, const char *path, const char *domain)
{
    LogState *state = g_new0(LogState, 1);

    state->pipe = g_strdup(pipe);
    state->path = g_strdup(path);
    state->driver = g_strdup("qemu");
    state->domain = g_strdup(domain);
    memset(state->uuid.bytes, 7, UUID_LENGTH);
    return state;
}

static GPtrArray *parse(const char *text, char **ret_problem, GError **error)
{
    return log_states_parse(text, strlen(text), ret_problem, error);
}

static void test_comes_back_as_written(void)
{
    g_autoptr(GPtrArray) states = g_ptr_array_new_with_free_func((GDestroyNotify)log_state_free);
    g_autoptr(GPtrArray) again = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    g_autofree char *problem = NULL;
    const LogState *state;

    g_ptr_array_add(states, make_state("p1", "/a", "one"));
    g_ptr_array_add(states, make_state("p2", "/b \"\\\n\xc3\xa4", ""));
    text = log_states_format(states);
    again = parse(text, &problem, &error);
    g_assert_no_error(error);
    g_assert_null(problem);
    g_assert_cmpuint(again->len, ==, 2);
    state = g_ptr_array_index(again, 1);
    g_assert_cmpstr(state->pipe, ==, "p2");
    g_assert_cmpstr(state->path, ==, "/b \"\\\n\xc3\xa4");
    g_assert_cmpstr(state->driver, ==, "qemu");
    g_assert_cmpstr(state->domain, ==, "");
    g_assert_cmpint(state->uuid.bytes[15], ==, 7);
}

static void test_no_such_file_is_an_error(void)
{
    static const char *const texts[] = {
        "", "{", "[]", "{}", "{\"version\":1}", "{\"version\":2,\"logs\":[]}",
        "{\"version\":\"1\",\"logs\":[]}", "{\"version\":1,\"logs\":{}}",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *problem = NULL;

        g_assert_null(parse(texts[i], &problem, &error));
        assert_error_code(error, VIR_ERR_INTERNAL_ERROR);
    }
}

#define GOOD                                                                                       \
    "{\"pipe\":\"p1\",\"path\":\"/a\",\"uuid\":\"00000000-0000-0000-0000-000000000001\",\"new\":1}"

static void test_bad_entries_are_left_out(void)
{
    static const char *const entries[] = {
        "null", "{}", "{\"pipe\":\"p1\",\"path\":\"/a\",\"uuid\":\"x\"}",
        "{\"pipe\":\"p 1\",\"path\":\"/a\",\"uuid\":\"00000000-0000-0000-0000-000000000001\"}",
        "{\"pipe\":\"p1\",\"path\":\"a\",\"uuid\":\"00000000-0000-0000-0000-000000000001\"}",
        "{\"pipe\":\"p1\",\"path\":7,\"uuid\":\"00000000-0000-0000-0000-000000000001\"}",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(entries); i++) {
        g_autofree char *text = g_strdup_printf("{\"version\":1,\"logs\":[%s,%s]}", entries[i],
                                                GOOD);
        g_autoptr(GError) error = NULL;
        g_autofree char *problem = NULL;
        g_autoptr(GPtrArray) states = parse(text, &problem, &error);

        g_assert_no_error(error);
        g_assert_cmpuint(states->len, ==, 1);
        g_assert_nonnull(problem);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/logd_state/comes_back_as_written", test_comes_back_as_written);
    g_test_add_func("/logd_state/no_such_file_is_an_error", test_no_such_file_is_an_error);
    g_test_add_func("/logd_state/bad_entries_are_left_out", test_bad_entries_are_left_out);
    return g_test_run();
}
