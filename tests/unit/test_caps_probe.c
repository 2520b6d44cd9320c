/* Probes of programs that are no emulators, and of the real one where it is installed. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "fiber_fixture.h"
#include "json/get.h"
#include "virtqemud/qemu/caps_facts.h"
#include "virtqemud/qemu/caps_probe.h"
#include "virtqemud/qemu/caps_store.h"

/* What a QEMU says of itself, in two lines of shell: descriptor 3 is the monitor. */
#define GREETING "echo '{\"QMP\":{\"version\":{},\"capabilities\":[]}}' >&3\n"

typedef struct Fixture {
    char *folder, *program, *asked;
    EmulatorStore *store;
    EmulatorUser user;
    FiberLoop *loop;
    void (*body)(struct Fixture *fixture);
} Fixture;

static void program_write(Fixture *fixture, const char *text)
{
    g_autofree char *script =
        g_strdup_printf("#!/bin/sh\necho x >> %s\n%s\n", fixture->asked, text);

    g_assert_true(g_file_set_contents(fixture->program, script, -1, NULL));
    g_assert_cmpint(chmod(fixture->program, 0755), ==, 0);
}

static guint times_asked(const Fixture *fixture)
{
    g_autofree char *text = NULL;

    if (!g_file_get_contents(fixture->asked, &text, NULL, NULL))
        return 0;
    return (guint) strlen(text) / 2;
}

static void run_body(void *data)
{
    Fixture *fixture = data;

    fixture->body(fixture);
}

static void remove_folder(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *item = g_build_filename(path, name, NULL);

        if (g_file_test(item, G_FILE_TEST_IS_DIR))
            remove_folder(item);
        else
            g_unlink(item);
    }
    g_rmdir(path);
}

static void test_with_program(gconstpointer body)
{
    Fixture fixture = { .loop = fixture_loop_new(), .body = (void (*)(Fixture *)) body };
    g_autofree char *cache = NULL;

    fixture.folder = g_dir_make_tmp("probe-XXXXXX", NULL);
    fixture.program = g_build_filename(fixture.folder, "qemu", NULL);
    fixture.asked = g_build_filename(fixture.folder, "asked", NULL);
    cache = g_build_filename(fixture.folder, "cache", NULL);
    g_assert_cmpint(chmod(fixture.folder, 0777), ==, 0);
    fixture.store = emulator_store_new(fixture.loop, cache, "/nope");
    fiber_unref(fixture_spawn(fixture.loop, run_body, &fixture));
    fixture_loop_drain(fixture.loop);
    emulator_store_free(fixture.store);
    fiber_loop_free(fixture.loop);
    remove_folder(fixture.folder);
    g_free(fixture.folder);
    g_free(fixture.program);
    g_free(fixture.asked);
}

static void assert_probe_fails(Fixture *fixture, const char *text, ErrorCode code,
                               const char *pattern)
{
    g_autoptr(GError) error = NULL;
    JsonValue *facts = NULL;

    program_write(fixture, text);
    g_assert_false(emulator_probe(fixture->program, &fixture->user, false, fiber_deadline_ms(10000), &facts, &error));
    assert_error_code(error, code);
    g_assert_nonnull(strstr(error->message, fixture->program));
    if (!g_pattern_match_simple(pattern, error->message))
        g_error("'%s' is not like '%s'", error->message, pattern);
}

static void test_last_words_are_repeated(Fixture *fixture)
{
    assert_probe_fails(fixture, "echo 'could not load firmware' >&2; exit 1",
                       VIR_ERR_INTERNAL_ERROR,
                       "*Failed to start QEMU binary * for probing: could not load firmware");
}

static void test_control_characters_are_not_repeated(Fixture *fixture)
{
    assert_probe_fails(fixture, "printf 'a\\033[31mb\\377' >&2; exit 1", VIR_ERR_INTERNAL_ERROR,
                       "*: a [31mb*");
}

static void test_silent_end_is_described(Fixture *fixture)
{
    assert_probe_fails(fixture, "exit 3", VIR_ERR_INTERNAL_ERROR, "*: it ended with status 3");
}

static void test_end_by_a_signal_is_described(Fixture *fixture)
{
    assert_probe_fails(fixture, "kill -SEGV $$", VIR_ERR_INTERNAL_ERROR,
                       "*: it was ended by signal 11");
}

static void test_crash_after_the_greeting_is_described(Fixture *fixture)
{
    assert_probe_fails(fixture, GREETING "kill -ABRT $$", VIR_ERR_INTERNAL_ERROR,
                       "*: it was ended by signal 6");
}

static void test_garbage_is_described(Fixture *fixture)
{
    assert_probe_fails(fixture, "echo hello >&3; sleep 60", VIR_ERR_INTERNAL_ERROR,
                       "*sent something else than QMP*");
}

static void test_flood_is_stopped(Fixture *fixture)
{
    assert_probe_fails(fixture, "yes >&2", VIR_ERR_INTERNAL_ERROR, "*wrote more than*");
}

static void test_descriptor_that_is_left_behind_holds_up_nobody(Fixture *fixture)
{
    uint64_t start = fiber_now_us();

    assert_probe_fails(fixture, "sleep 5 2>/dev/null >/dev/null & exit 4", VIR_ERR_INTERNAL_ERROR,
                       "*status 4");
    g_assert_cmpuint(fiber_now_us() - start, <, 4 * G_USEC_PER_SEC);
}

static void test_hang_ends_at_the_deadline(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    JsonValue *facts = NULL;

    program_write(fixture, GREETING "sleep 60");
    g_assert_false(emulator_probe(fixture->program, &fixture->user, false, fiber_deadline_ms(300), &facts, &error));
    assert_error_code(error, VIR_ERR_OPERATION_TIMEOUT);
    g_assert_nonnull(strstr(error->message, fixture->program));
}

static void test_file_that_is_no_program_is_said(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    JsonValue *facts = NULL;

    g_assert_true(g_file_set_contents(fixture->program, "\177ELF what", -1, NULL));
    g_assert_cmpint(chmod(fixture->program, 0700), ==, 0);
    g_assert_false(emulator_probe(fixture->program, &fixture->user, false, fiber_deadline_ms(5000), &facts, &error));
    assert_error_code(error, VIR_ERR_INTERNAL_ERROR);
    g_assert_nonnull(strstr(error->message, "xec format error"));
}

/* What the launcher does is seen by the program; nobody's number is 65534. */
static void test_emulator_runs_as_the_user(Fixture *fixture)
{
    const gid_t group = 65533;

    if (geteuid() != 0) {
        g_test_skip("needs root");
        return;
    }
    fixture->user = (EmulatorUser){ .launcher = g_strdup(g_getenv("SPLITVIRT_LAUNCHER")),
                                    .uid = 65534, .gid = 65534,
                                    .groups = g_array_new(FALSE, FALSE, sizeof(gid_t)) };
    g_array_append_val(fixture->user.groups, group);
    assert_probe_fails(fixture,
                       "exec >&2; id -u; id -G; grep -E 'CapEff|NoNewPrivs' /proc/self/status; "
                       "ls -1 /proc/self/fd | wc -l; exit 1",
                       VIR_ERR_INTERNAL_ERROR,
                       "*: 65534\n65534 65533\nCapEff:?0000000000000000\nNoNewPrivs:?1\n5");
    emulator_user_clear(&fixture->user);
}

static void test_launcher_that_fails_is_heard(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    JsonValue *facts = NULL;

    if (geteuid() != 0) {
        g_test_skip("needs root");
        return;
    }
    fixture->user = (EmulatorUser){ .launcher = g_strdup(g_getenv("SPLITVIRT_LAUNCHER")),
                                    .uid = 65534, .gid = 65534 };
    g_assert_false(emulator_probe("/nope/qemu", &fixture->user, false, fiber_deadline_ms(5000),
                                  &facts, &error));
    g_assert_nonnull(strstr(error->message, "/nope/qemu for probing: step 'execute' failed"));
    g_assert_nonnull(strstr(error->message, "No such file"));
    emulator_user_clear(&fixture->user);
}

static void get_once(void *data)
{
    Fixture *fixture = data;
    EmulatorCaps *caps;
    g_autoptr(GError) error = NULL;

    g_assert_false(emulator_store_get(fixture->store, fixture->program, &caps, &error));
    g_assert_nonnull(strstr(error->message, "some words"));
}

static void test_those_who_ask_at_once_share_a_failure(Fixture *fixture)
{
    Fiber *fibers[20];

    program_write(fixture, "sleep 0.2; echo some words >&2; exit 1");
    for (gsize i = 0; i < G_N_ELEMENTS(fibers); i++)
        fibers[i] = fixture_spawn(fixture->loop, get_once, fixture);
    for (gsize i = 0; i < G_N_ELEMENTS(fibers); i++) {
        fiber_join(fibers[i], FIBER_FOREVER, NULL);
        fiber_unref(fibers[i]);
    }
    g_assert_cmpuint(times_asked(fixture), ==, 1);
}

static void test_failure_is_tried_again(Fixture *fixture)
{
    program_write(fixture, "echo some words >&2; exit 1");
    get_once(fixture);
    get_once(fixture);
    g_assert_cmpuint(times_asked(fixture), ==, 2);
    g_assert_null(emulator_store_peek(fixture->store, fixture->program));
}

static void get_until_cancelled(void *data)
{
    Fixture *fixture = data;
    EmulatorCaps *caps;
    g_autoptr(GError) error = NULL;

    g_assert_false(emulator_store_get(fixture->store, fixture->program, &caps, &error));
    assert_error_code(error, VIR_ERR_OPERATION_ABORTED);
}

/* Another asker gets the answer although the first has gone. */
static void test_cancelled_asker_takes_nothing_along(Fixture *fixture)
{
    g_autoptr(Fiber) first = NULL;

    program_write(fixture, "sleep 0.2; echo some words >&2; exit 1");
    first = fixture_spawn(fixture->loop, get_until_cancelled, fixture);
    fiber_sleep(50000, NULL);
    fiber_cancel(first);
    get_once(fixture);
    g_assert_true(fiber_has_ended(first));
    g_assert_cmpuint(times_asked(fixture), ==, 1);
}

/* The real thing, wrapped so that starts are counted. */
static char *find_qemu(Fixture *fixture)
{
    g_autofree char *path = emulator_find_for_arch(emulator_host_arch());
    g_autofree char *text = path ? g_strdup_printf("exec %s \"$@\"", path) : NULL;

    if (!path)
        return NULL;
    program_write(fixture, text);
    return g_steal_pointer(&path);
}

static void assert_caps(Fixture *fixture)
{
    g_autoptr(EmulatorCaps) caps = NULL;
    g_autoptr(GError) error = NULL;

    emulator_store_get(fixture->store, fixture->program, &caps, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(emulator_caps_get_arch(caps), ==, emulator_host_arch());
    g_assert_cmpuint(emulator_caps_get_version(caps), >, 2000000);
    g_assert_true(emulator_caps_has_device(caps, "virtio-blk-pci"));
    g_assert_true(emulator_caps_has_object(caps, "memory-backend-ram"));
    g_assert_true(emulator_caps_has_command(caps, "blockdev-add"));
    g_assert_true(emulator_caps_has_device_property(caps, "virtio-blk-pci", "drive"));
    g_assert_true(emulator_caps_has_option(caps, "sandbox", "spawn"));
    g_assert_nonnull(emulator_caps_get_machine(caps, NULL));
}

static void test_real_emulator_is_asked_once(Fixture *fixture)
{
    g_autofree char *path = find_qemu(fixture);
    g_autoptr(EmulatorCaps) caps = NULL;
    guint count;

    if (!path) {
        g_test_skip("no emulator is installed");
        return;
    }
    assert_caps(fixture);
    assert_caps(fixture);
    g_assert_cmpuint(times_asked(fixture), ==, 1);
    caps = emulator_store_peek(fixture->store, fixture->program);
    g_assert_nonnull(caps);
    emulator_caps_get_cpus(caps, EMULATOR_TCG, &count);
    g_assert_cmpuint(count, >, 0);
}

static void test_real_emulator_runs_as_the_user(Fixture *fixture)
{
    g_autofree char *path = find_qemu(fixture);
    g_auto(EmulatorUser) user = { .launcher = g_strdup(g_getenv("SPLITVIRT_LAUNCHER")),
                                  .uid = 65534, .gid = 65534 };

    if (!path || geteuid() != 0) {
        g_test_skip("needs root and an emulator");
        return;
    }
    assert_caps(fixture);
    g_assert_cmpint(chmod(fixture->asked, 0666), ==, 0);
    /* It may see other things as another user. */
    emulator_store_set_user(fixture->store, &user);
    g_assert_null(emulator_store_peek(fixture->store, fixture->program));
    assert_caps(fixture);
    g_assert_cmpuint(times_asked(fixture), ==, 2);
}

/* Askers do not wait for the disk. */
static void wait_for_file_in(const char *folder)
{
    bool is_there = false;

    while (!is_there) {
        g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);

        for (const char *name; dir && (name = g_dir_read_name(dir));)
            is_there = is_there || g_str_has_suffix(name, ".json");
        fiber_sleep(10000, NULL);
    }
}

/* By another store: what a new daemon is. */
static void test_real_emulator_is_read_from_the_cache(Fixture *fixture)
{
    g_autofree char *path = find_qemu(fixture);
    g_autofree char *cache = g_build_filename(fixture->folder, "cache", NULL);

    if (!path) {
        g_test_skip("no emulator is installed");
        return;
    }
    assert_caps(fixture);
    wait_for_file_in(cache);
    emulator_store_free(fixture->store);
    fixture->store = emulator_store_new(fixture->loop, cache, "/nope");
    assert_caps(fixture);
    g_assert_cmpuint(times_asked(fixture), ==, 1);
    /* It is another file now. */
    g_free(find_qemu(fixture));
    assert_caps(fixture);
    g_assert_cmpuint(times_asked(fixture), ==, 2);
}

#define ADD(NAME) \
    g_test_add_data_func("/caps-probe/" #NAME, (gconstpointer) test_##NAME, test_with_program)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(last_words_are_repeated);
    ADD(control_characters_are_not_repeated);
    ADD(silent_end_is_described);
    ADD(end_by_a_signal_is_described);
    ADD(crash_after_the_greeting_is_described);
    ADD(garbage_is_described);
    ADD(flood_is_stopped);
    ADD(descriptor_that_is_left_behind_holds_up_nobody);
    ADD(hang_ends_at_the_deadline);
    ADD(file_that_is_no_program_is_said);
    ADD(emulator_runs_as_the_user);
    ADD(launcher_that_fails_is_heard);
    ADD(those_who_ask_at_once_share_a_failure);
    ADD(failure_is_tried_again);
    ADD(cancelled_asker_takes_nothing_along);
    ADD(real_emulator_is_asked_once);
    ADD(real_emulator_runs_as_the_user);
    ADD(real_emulator_is_read_from_the_cache);
    return g_test_run();
}
