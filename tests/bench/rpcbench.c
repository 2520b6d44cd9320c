/* rpcbench: measures a daemon through its socket, and the floor under it. Started by run.py,
 * which says which daemon, on which CPU, beside which idle connections. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "bench/modes.h"
#include "bench/rpc.h"
#include "bench/rpc.h"

typedef struct Mode {
    const char *name;
    void (*run)(const Options *options);
} Mode;

static const Mode modes[] = {
    { "call", mode_call },
    { "load", mode_load },
    { "open", mode_open },
    { "idle", mode_idle },
    { "fanout", mode_fanout },
    { "fanout-floor", mode_fanout_floor },
    { "echo", mode_echo },
    { "startup", mode_startup },
    { "startup-floor", mode_startup_floor },
};

static const struct option long_options[] = {
    { "socket", required_argument, NULL, 's' },  { "uri", required_argument, NULL, 'u' },
    { "count", required_argument, NULL, 'n' },   { "rounds", required_argument, NULL, 'r' },
    { "seconds", required_argument, NULL, 't' }, { "trigger", required_argument, NULL, 'g' },
    { "blocking", no_argument, NULL, 'b' },      { "procedure", required_argument, NULL, 'p' },
    { NULL, 0, NULL, 0 },
};

static void usage(void)
{
    fprintf(stderr, "usage: rpcbench MODE [--socket PATH] [--uri URI] [--count N] [--rounds N]\n"
                    "                [--seconds S] [--trigger secret|network] [--blocking] "
                    "[--procedure N]\n                [-- COMMAND...]\nmodes:");
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++)
        fprintf(stderr, " %s", modes[i].name);
    fputc('\n', stderr);
    exit(2);
}

static void parse(int argc, char **argv, Options *ret_options)
{
    int key;
    while ((key = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        switch (key) {
        case 's': ret_options->socket = optarg; break;
        case 'u': ret_options->uri = optarg; break;
        case 'n': ret_options->count = strtoul(optarg, NULL, 10); break;
        case 'r': ret_options->rounds = strtoul(optarg, NULL, 10); break;
        case 't': ret_options->seconds = strtod(optarg, NULL); break;
        case 'g': ret_options->trigger = optarg; break;
        case 'p': ret_options->procedure = strtoul(optarg, NULL, 10); break;
        case 'b': ret_options->is_blocking = true; break;
        default: usage();
        }
    }
    ret_options->command = argv + optind;
}

int main(int argc, char **argv)
{
    Options options = { .socket = "/run/libvirt/libvirt-sock",
                        .uri = "qemu:///system",
                        .trigger = "secret",
                        .count = 1000,
                        .rounds = 10,
                        .procedure = RPC_CONNECT_GET_LIB_VERSION,
                        .seconds = 3 };
    struct rlimit files;
    if (argc < 2)
        usage();
    parse(argc - 1, argv + 1, &options);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        if (strcmp(argv[1], modes[i].name) == 0) {
            modes[i].run(&options);
            return 0;
        }
    }
    usage();
}
