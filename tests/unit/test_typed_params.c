#include <string.h>

#include "wire/codec.h"
#include "wire/typed_params.h"

static const TypedParamRule rules[] = {
    { "cpu_shares", VIR_TYPED_PARAM_ULLONG, .is_required = true },
    { "name", VIR_TYPED_PARAM_STRING },
    { "disk", VIR_TYPED_PARAM_STRING, .is_repeatable = true },
    { NULL },
};

typedef struct List {
    remote_typed_param *values;
    u_int n;
} List;

static void list_clear(List *list)
{
    for (u_int i = 0; i < list->n; i++)
        codec_free(XDR_PROC(remote_typed_param), &list->values[i]);
    g_free(list->values);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(List, list_clear)

static List take(TypedParams *params)
{
    List list = { 0 };

    typed_params_steal(params, &list.values, &list.n);
    return list;
}

/* Checks what @params holds, which is refused with @code and a text about @name. */
static void assert_refused(TypedParams *params, ErrorCode code, const char *name)
{
    g_auto(List) list = take(params);
    g_autoptr(GError) error = NULL;

    g_assert_false(typed_params_check(list.values, list.n, rules, VIR_FROM_QEMU, &error));
    g_assert_error(error, error_quark(VIR_FROM_QEMU), (int)code);
    g_assert_nonnull(strstr(error->message, name));
}

static void test_values_of_all_types_come_back(void)
{
    g_autoptr(TypedParams) params = typed_params_new();
    g_auto(List) list = { 0 };
    int i = 0;
    unsigned int ui = 0;
    int64_t l = 0;
    uint64_t ul = 0;
    double d = 0;
    bool b = false;
    const char *s = NULL;

    typed_params_add_int(params, "i", -5);
    typed_params_add_uint(params, "ui", UINT32_MAX);
    typed_params_add_llong(params, "l", INT64_MIN);
    typed_params_add_ullong(params, "ul", UINT64_MAX);
    typed_params_add_double(params, "d", 0.25);
    typed_params_add_boolean(params, "b", true);
    typed_params_add_string(params, "s", "text");
    list = take(params);
    g_assert_true(typed_params_get_int(list.values, list.n, "i", &i) && i == -5);
    g_assert_true(typed_params_get_uint(list.values, list.n, "ui", &ui) && ui == UINT32_MAX);
    g_assert_true(typed_params_get_llong(list.values, list.n, "l", &l) && l == INT64_MIN);
    g_assert_true(typed_params_get_ullong(list.values, list.n, "ul", &ul) && ul == UINT64_MAX);
    g_assert_true(typed_params_get_double(list.values, list.n, "d", &d) && d == 0.25);
    g_assert_true(typed_params_get_boolean(list.values, list.n, "b", &b) && b);
    g_assert_true(typed_params_get_string(list.values, list.n, "s", &s));
    g_assert_cmpstr(s, ==, "text");
}

static void test_absent_value_leaves_the_default(void)
{
    int value = 42;

    g_assert_false(typed_params_get_int(NULL, 0, "i", &value));
    g_assert_cmpint(value, ==, 42);
}

static void test_value_of_another_type_is_not_given(void)
{
    g_autoptr(TypedParams) params = typed_params_new();
    g_auto(List) list = { 0 };
    const char *text = NULL;

    typed_params_add_int(params, "i", 1);
    list = take(params);
    g_assert_false(typed_params_get_string(list.values, list.n, "i", &text));
    g_assert_null(text);
}

static void test_good_list_is_accepted(void)
{
    g_autoptr(TypedParams) params = typed_params_new();
    g_auto(List) list = { 0 };
    g_autoptr(GError) error = NULL;

    typed_params_add_string(params, "disk", "vda");
    typed_params_add_ullong(params, "cpu_shares", 1024);
    typed_params_add_string(params, "disk", "vdb");
    list = take(params);
    g_assert_true(typed_params_check(list.values, list.n, rules, VIR_FROM_QEMU, &error));
    g_assert_no_error(error);
}

static void test_unknown_parameter_is_refused(void)
{
    g_autoptr(TypedParams) params = typed_params_new();

    typed_params_add_ullong(params, "cpu_shares", 1);
    typed_params_add_int(params, "colour", 3);
    assert_refused(params, VIR_ERR_ARGUMENT_UNSUPPORTED, "'colour'");
}

static void test_parameter_of_wrong_type_is_refused(void)
{
    g_autoptr(TypedParams) params = typed_params_new();

    typed_params_add_int(params, "cpu_shares", 1);
    assert_refused(params, VIR_ERR_INVALID_ARG, "'cpu_shares' has type int, it must be ullong");
}

static void test_repeated_parameter_is_refused(void)
{
    g_autoptr(TypedParams) params = typed_params_new();

    typed_params_add_ullong(params, "cpu_shares", 1);
    typed_params_add_string(params, "name", "a");
    typed_params_add_string(params, "name", "b");
    assert_refused(params, VIR_ERR_INVALID_ARG, "'name' is given more than once");
}

static void test_missing_parameter_is_refused(void)
{
    g_autoptr(TypedParams) params = typed_params_new();

    typed_params_add_string(params, "name", "a");
    assert_refused(params, VIR_ERR_INVALID_ARG, "'cpu_shares' is missing");
}

static void test_name_too_long_for_clients_is_left_out(void)
{
    g_autofree char *name = g_strnfill(VIR_TYPED_PARAM_FIELD_LENGTH, 'n');
    g_autoptr(TypedParams) params = typed_params_new();
    g_auto(List) list = { 0 };

    typed_params_add_string(params, name, "lost");
    typed_params_add_string(params, name + 1, "kept");
    list = take(params);
    g_assert_cmpuint(list.n, ==, 1);
    g_assert_cmpstr(list.values[0].field, ==, name + 1);
}

static void test_list_for_the_admin_program_is_the_same(void)
{
    g_autoptr(TypedParams) params = typed_params_new();
    admin_server_get_threadpool_parameters_ret ret = { 0 };
    unsigned int workers = 0;

    typed_params_add_uint(params, "minWorkers", 5);
    typed_params_steal_admin(params, &ret.params.params_val, &ret.params.params_len);
    g_assert_cmpuint(ret.params.params_len, ==, 1);
    g_assert_cmpstr(ret.params.params_val[0].field, ==, "minWorkers");
    g_assert_true(typed_params_get_uint(typed_params_from_admin(ret.params.params_val), 1,
                                        "minWorkers", &workers));
    g_assert_cmpuint(workers, ==, 5);
    codec_free(XDR_PROC(admin_server_get_threadpool_parameters_ret), &ret);
}

static void test_list_is_empty_after_it_was_handed_over(void)
{
    g_autoptr(TypedParams) params = typed_params_new();
    g_auto(List) first = { 0 };
    g_auto(List) second = { 0 };

    typed_params_add_int(params, "i", 1);
    first = take(params);
    second = take(params);
    g_assert_cmpuint(first.n, ==, 1);
    g_assert_cmpuint(second.n, ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add_func("/typed_params/" #name, test_##name)
    ADD(values_of_all_types_come_back);
    ADD(absent_value_leaves_the_default);
    ADD(value_of_another_type_is_not_given);
    ADD(good_list_is_accepted);
    ADD(unknown_parameter_is_refused);
    ADD(parameter_of_wrong_type_is_refused);
    ADD(repeated_parameter_is_refused);
    ADD(missing_parameter_is_refused);
    ADD(name_too_long_for_clients_is_left_out);
    ADD(list_for_the_admin_program_is_the_same);
    ADD(list_is_empty_after_it_was_handed_over);
    return g_test_run();
}
