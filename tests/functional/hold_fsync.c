/* Preloaded into a daemon by a test: fsync(2) takes as long as the file named by HOLD_FSYNC is there,
 * as on a disk that is busy. */
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

#define STEP_US 2000

__attribute__((visibility("default"))) int fsync(int fd);
int fsync(int fd)
{
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    const char *path = getenv("HOLD_FSYNC");

    while (path && access(path, F_OK) == 0)
        usleep(STEP_US);
    return real(fd);
}
