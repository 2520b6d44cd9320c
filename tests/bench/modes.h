/* What rpcbench can do, one function per mode, and the options that they share. Each prints
 * its result as one line of JSON. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef struct Options {
    const char *socket;  /* path, or '@' and an abstract name */
    const char *uri;     /* what CONNECT_OPEN asks for */
    const char *trigger; /* "secret" or "network": whose life cycle makes the events */
    size_t count;        /* connections, calls or subscribers */
    size_t rounds;
    size_t procedure;    /* call: which one, without arguments */
    double seconds;
    bool is_blocking; /* echo: serve one connection with blocking reads */
    char **command;   /* startup: what to execute */
} Options;

/* Latency of --count calls on one connection. */
void mode_call(const Options *options);
/* Calls per second with --count busy connections, one call in flight on each. */
void mode_load(const Options *options);
/* Connect, open, close, one after the other. */
void mode_open(const Options *options);
/* Opens --count connections, says so, and holds them until stdin ends. */
void mode_idle(const Options *options);

/* From a change to the last of --count subscribed clients having its event. */
void mode_fanout(const Options *options);
/* The floor of that: one process that writes the same bytes to as many sockets. */
void mode_fanout_floor(const Options *options);

/* A server that answers each frame at once with one of the size of a version reply. */
void mode_echo(const Options *options);

/* From fork and exec of a daemon to its first answer. */
void mode_startup(const Options *options);
/* The floor of that: the same program executed with --version. */
void mode_startup_floor(const Options *options);
