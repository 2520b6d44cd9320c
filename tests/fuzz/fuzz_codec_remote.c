#include "tests/fuzz/fuzz_codec.h"
#include "wire/remote.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_codec(REMOTE_PROGRAM, data, size);
    return 0;
}
