#include "tests/fuzz/fuzz_codec.h"
#include "wire/admin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_codec(ADMIN_PROGRAM, data, size);
    return 0;
}
