/* Tries to lock the first byte of each of its files until its input ends. Prints how often it has
 * tried, and the file that it got, if it did. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MAX_FILES 64

static int is_over(void)
{
    struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };

    return poll(&input, 1, 0) > 0;
}

int main(int argc, char **argv)
{
    int fds[MAX_FILES], n = argc - 1;
    unsigned long tries = 0;

    for (int i = 0; i < n && i < MAX_FILES; i++) {
        fds[i] = open(argv[i + 1], O_RDWR | O_CLOEXEC);
        if (fds[i] < 0)
            return EXIT_FAILURE;
    }
    do {
        for (int i = 0; i < n && i < MAX_FILES; i++) {
            struct flock lock = { .l_type = F_WRLCK, .l_len = 1 };
            tries++;
            if (fcntl(fds[i], F_OFD_SETLK, &lock) == 0) {
                printf("%lu %s\n", tries, argv[i + 1]);
                return EXIT_SUCCESS;
            }
        }
    } while (!is_over());
    printf("%lu\n", tries);
    return EXIT_SUCCESS;
}
