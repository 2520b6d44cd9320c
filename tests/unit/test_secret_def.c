/* Definitions of secrets as text: what is written is read again, by the parser and by the scanner
 * alike, and what the scanner does not know it leaves alone. */
#include "virtsecretd/secret_def.h"

#include <string.h>

#include "base/error.h"
#include "virtsecretd/usage.h"
#include "wire/api_secret.h"

#define UUID "d1fe0013-0000-4000-8000-000000000001"
#define HEAD "<secret ephemeral='no' private='yes'>\n  <uuid>" UUID "</uuid>\n"

static void check_equal(const SecretDef *a, const SecretDef *b)
{
    g_assert_true(uuid_equal(&a->uuid, &b->uuid));
    g_assert_cmpint(a->is_ephemeral, ==, b->is_ephemeral);
    g_assert_cmpint(a->is_private, ==, b->is_private);
    g_assert_cmpint(a->usage_type, ==, b->usage_type);
    g_assert_cmpstr(a->usage_id, ==, b->usage_id);
    g_assert_cmpstr(a->description, ==, b->description);
}

/* @is_plain: whether the scanner knows it, too. */
static void check_text(const char *usage_id, const char *description, bool is_plain)
{
    for (size_t type = 0; type < n_secret_usages; type++) {
        SecretDef def = { .is_private = true, .usage_type = (int)type,
                          .usage_id = type ? (char *)usage_id : NULL,
                          .description = (char *)description };
        g_autofree char *xml = NULL;
        g_autofree char *again = NULL;
        g_autoptr(SecretDef) parsed = NULL;
        g_autoptr(SecretDef) scanned = NULL;

        uuid_generate(&def.uuid);
        xml = secret_def_format(&def);
        parsed = secret_def_parse(xml, false, NULL);
        g_assert_nonnull(parsed);
        check_equal(parsed, &def);
        again = secret_def_format(parsed);
        g_assert_cmpstr(again, ==, xml);
        scanned = secret_def_scan(xml);
        if (type > 0)
            g_assert_cmpint(scanned != NULL, ==, is_plain);
        if (scanned)
            check_equal(scanned, &def);
    }
}

static void test_round_trip(void)
{
    check_text("plain", NULL, true);
    check_text("with blanks\nand lines", "of\n several\tkinds", true);
    check_text("é ü 日本", "d", true);
    check_text("a<b>&'\"c", "d", false);
    check_text("a", "x</description>\n", false);
    check_text("cr\rhere", "d", false);
}

static void test_scanner_takes_its_own_layout_alone(void)
{
    static const char *const others[] = {
        "", "<secret/>", "<secret ephemeral='no' private='yes'>",
        HEAD "</secret>",                 /* no newline at the end */
        HEAD "</secret>\n\n",             /* more behind it */
        HEAD "  <foo/>\n</secret>\n",
        HEAD "  <description></description>\n</secret>\n",
        HEAD "  <usage type='none'>\n  </usage>\n</secret>\n",
        HEAD "  <usage type='tls'>\n    <target>a</target>\n  </usage>\n</secret>\n",
        HEAD "  <usage type='tls'>\n    <name>&lt;</name>\n  </usage>\n</secret>\n",
        HEAD "  <usage type='tls'>\n    <name>\xff</name>\n  </usage>\n</secret>\n",
        HEAD "  <usage type='tls'>\n    <name>\x01</name>\n  </usage>\n</secret>\n",
        HEAD "  <usage type='tls'>\n    <name>\xef\xbf\xbf</name>\n  </usage>\n</secret>\n",
        "<secret ephemeral='no' private='maybe'>\n  <uuid>" UUID "</uuid>\n</secret>\n",
        "<secret ephemeral='no' private='no'>\n  <uuid> " UUID "</uuid>\n</secret>\n",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
        g_autoptr(SecretDef) def = secret_def_scan(others[i]);

        g_assert_null(def);
    }
}

static void test_every_cut_of_a_file_is_refused(void)
{
    static const char whole[] = HEAD "  <description>d</description>\n  <usage type='tls'>\n"
                                     "    <name>a</name>\n  </usage>\n</secret>\n";
    g_autoptr(SecretDef) def = secret_def_scan(whole);

    g_assert_nonnull(def);
    for (size_t length = 0; length < strlen(whole); length++) {
        g_autofree char *part = g_strndup(whole, length);
        g_autoptr(SecretDef) none = secret_def_scan(part);

        g_assert_null(none);
    }
}

static void test_errors_are_of_secrets(void)
{
    static const char *const wrong[] = {
        "<secret", "<secret private='x'/>", "<secret><uuid>1</uuid></secret>",
        "<secret><usage type='x'/></secret>", "<secret><usage type='tls'/></secret>",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(secret_def_parse(wrong[i], false, &error));
        g_assert_cmpuint(error->domain, ==, error_quark(VIR_FROM_SECRET));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/secret_def/round_trip", test_round_trip);
    g_test_add_func("/secret_def/scanner_takes_its_own_layout_alone",
                    test_scanner_takes_its_own_layout_alone);
    g_test_add_func("/secret_def/every_cut_of_a_file_is_refused",
                    test_every_cut_of_a_file_is_refused);
    g_test_add_func("/secret_def/errors_are_of_secrets", test_errors_are_of_secrets);
    return g_test_run();
}
