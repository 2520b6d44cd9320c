#include "bench/stats.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench/rpc.h"

double clock_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

void samples_init(Samples *samples, size_t max)
{
    samples->values = calloc(max, sizeof *samples->values);
    samples->count = 0;
    samples->max = max;
    if (!samples->values)
        die("no memory for %zu samples", max);
}

void samples_add(Samples *samples, double value)
{
    if (samples->count < samples->max)
        samples->values[samples->count++] = value;
}

void samples_clear(Samples *samples)
{
    free(samples->values);
    samples->values = NULL;
    samples->count = samples->max = 0;
}

static int value_compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

void samples_print(Samples *samples, const char *mode, double elapsed_us)
{
    if (!samples->count)
        die("%s: nothing was measured", mode);
    qsort(samples->values, samples->count, sizeof *samples->values, value_compare);
    printf("{\"mode\": \"%s\", \"count\": %zu, \"median_us\": %.2f, \"p99_us\": %.2f, "
           "\"per_second\": %.1f}\n",
           mode, samples->count, samples->values[samples->count / 2],
           samples->values[samples->count * 99 / 100],
           (double)samples->count * 1e6 / elapsed_us);
    fflush(stdout);
}
