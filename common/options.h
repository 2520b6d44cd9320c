/* The command line, which is the same for all daemons: the options of the reference
 * manual's pages, plus --root, --ready-fd and --check-config. Paths become absolute here, because a
 * daemon in the background changes its folder. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include <glib.h>

/* What differs between daemons. */
typedef struct OptionsSpec {
    const char *name;    /* "virtqemud" */
    const char *summary; /* one line of help: what the daemon does */
    bool has_listen;     /* whether there is -l/--listen */
    bool has_rotate_key; /* whether there is --rotate-key */
} OptionsSpec;

typedef struct Options {
    bool daemonize;
    bool verbose;
    bool show_version;
    bool show_help;
    bool listen;
    bool check_config;
    bool rotate_key;
    bool has_timeout;
    unsigned int timeout_s; /* 0: never; meaningful with has_timeout */
    bool has_ready_fd;
    int ready_fd; /* see ready_fd.c; meaningful with has_ready_fd */
    char *config_path;      /* absolute, or NULL */
    char *pid_path;         /* absolute, or NULL */
    char *root;             /* absolute, or NULL */
} Options;

/* Errors: INVALID_ARG, naming the option and what it takes. With --help or --version
 * nothing after it is looked at. Not for two threads at once (getopt). */
Options *options_parse(const OptionsSpec *spec, int argc, char **argv, GError **error);
/* A command line of @program (argv[0]) that says the same in any folder; to be freed. Of what keeps
 * the daemon from running (--help and its like) it has nothing. */
char **options_to_argv(const Options *options, const char *program);
void options_free(Options *options);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Options, options_free)

void options_print_help(const OptionsSpec *spec, FILE *out);

/* "virtqemud (splitvirt-0.1.0) 11.3.0": the suite's version, and the level of the
 * protocol and XML that it speaks. */
void options_print_version(const OptionsSpec *spec, FILE *out);
