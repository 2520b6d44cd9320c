/* Time and samples: what a benchmark measures, in microseconds, and how it is printed. */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct Samples {
    double *values;
    size_t count, max;
} Samples;

/* Monotonic time in microseconds. */
double clock_us(void);

/* Room for @max samples; ends the program when there is no memory. */
void samples_init(Samples *samples, size_t max);
/* Drops what is over the room. */
void samples_add(Samples *samples, double value);
void samples_clear(Samples *samples);

/* Prints one line of JSON: mode, count, median, 99th percentile, and values per second over
 * @elapsed_us. */
void samples_print(Samples *samples, const char *mode, double elapsed_us);
