#include "tests/fuzz/fuzz_codec.h"
#include "wire/qemu.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_codec(QEMU_PROGRAM, data, size);
    return 0;
}
