/* Constructors of libraries, relocation and the start touch a few hundred KiB of code that a daemon
 * never uses again, and the kernel maps what lies around each touched page with it. It counts such
 * pages to every process that has them mapped. */
#include "base/resident.h"

#include <link.h>
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/process_flags.h"

/* Segments that cannot be written are as they are in the file: relocated pages, also those that
 * are made read-only afterwards (RELRO), belong to the others. */
static int give_back_object(struct dl_phdr_info *info, size_t size, void *data)
{
    uintptr_t page_mask = ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1);

    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t begin = (info->dlpi_addr + segment->p_vaddr) & page_mask;
        uintptr_t end = info->dlpi_addr + segment->p_vaddr + segment->p_filesz;

        if (segment->p_type == PT_LOAD && !(segment->p_flags & PF_W))
            madvise((void *)begin, end - begin, MADV_DONTNEED);
    }
    return 0;
}

void resident_give_back(void)
{
    if (process_is_traced(getpid()))
        return;
    malloc_trim(0);
    /* Holds the loader's lock: no library comes or goes meanwhile. */
    dl_iterate_phdr(give_back_object, NULL);
}
