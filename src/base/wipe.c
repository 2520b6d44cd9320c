#include "base/wipe.h"

#include <string.h>

/* Copies of zeros take the ways that other copies have taken. */
static void wipe_by_copies(void)
{
    static const char zeros[256];
    char copy[sizeof(zeros)];

    for (size_t length = sizeof(copy); length >= 16; length /= 2) {
        memcpy(copy, zeros, length);
        __asm__ volatile("" : : "r"(copy) : "memory");
    }
}

#if defined(__x86_64__) && !defined(__AVX512F__)
#define WIPE_ZMM(n) "vpxord %%zmm" #n ", %%zmm" #n ", %%zmm" #n "\n"

/* The C library copies through whatever the processor has. We are compiled for the least of them, so
 * the compiler knows no more than the lower parts of the first sixteen. */
void wipe_registers(void)
{
    if (!__builtin_cpu_supports("avx")) {
        wipe_by_copies();
        return;
    }
    if (__builtin_cpu_supports("avx512f"))
        __asm__ volatile(WIPE_ZMM(16) WIPE_ZMM(17) WIPE_ZMM(18) WIPE_ZMM(19) WIPE_ZMM(20)
                         WIPE_ZMM(21) WIPE_ZMM(22) WIPE_ZMM(23) WIPE_ZMM(24) WIPE_ZMM(25)
                         WIPE_ZMM(26) WIPE_ZMM(27) WIPE_ZMM(28) WIPE_ZMM(29) WIPE_ZMM(30)
                         WIPE_ZMM(31) : : :);
    __asm__ volatile("vzeroall" : : : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
                     "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}
#else
void wipe_registers(void)
{
    wipe_by_copies();
}
#endif

void wipe(void *data, size_t length)
{
    if (length > 0)
        explicit_bzero(data, length);
    wipe_registers();
}
