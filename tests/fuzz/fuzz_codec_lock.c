#include "tests/fuzz/fuzz_codec.h"
#include "wire/lock.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_codec(VIR_LOCK_SPACE_PROTOCOL_PROGRAM, data, size);
    return 0;
}
