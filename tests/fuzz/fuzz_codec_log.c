#include "tests/fuzz/fuzz_codec.h"
#include "wire/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_codec(VIR_LOG_MANAGER_PROTOCOL_PROGRAM, data, size);
    return 0;
}
