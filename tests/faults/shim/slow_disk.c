/* A disk that takes almost a second to keep what it was given; preloaded into a redis-server. */

#define _GNU_SOURCE
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int fdatasync(int file) {
    struct timespec slow = {0, 900 * 1000 * 1000};
    nanosleep(&slow, 0);
    return (int)syscall(SYS_fdatasync, file);
}
