/* What the fuzz targets of all programs do: the first two bytes of the input choose a
 * procedure, the third its arguments or its result, the rest is the payload. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* libFuzzer's entry point, which every target defines. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Decodes, encodes, and decodes again: aborts when the two values are not the same. */
void fuzz_codec(uint32_t program, const uint8_t *data, size_t size);
