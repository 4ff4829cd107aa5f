/* Preloaded, it sets a process's wall clock: so many seconds ahead of the true time as the file that
 * WRONG_CLOCK names holds (a native int64_t), also while the process runs. Monotonic clocks stay true.
 * (libfaketime 0.9.10 fails Python's time.sleep when told to leave them alone, and hangs it when not.)
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t none = 0, *ahead = &none;

__attribute__((constructor)) static void open_offset(void)
{
	const char *path = getenv("WRONG_CLOCK");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *offset = MAP_FAILED;

	if (fd >= 0) {
		offset = mmap(NULL, sizeof *ahead, PROT_READ, MAP_SHARED, fd, 0);
		close(fd);
	}
	if (offset == MAP_FAILED)
		abort();
	ahead = offset;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	int failed = syscall(SYS_clock_gettime, clock, now);

	if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		now->tv_sec += *ahead;
	return failed;
}

int gettimeofday(struct timeval *now, void *zone)
{
	struct timespec precise;

	(void)zone;
	if (clock_gettime(CLOCK_REALTIME, &precise))
		return -1;
	now->tv_sec = precise.tv_sec;
	now->tv_usec = precise.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *now)
{
	struct timespec precise;

	clock_gettime(CLOCK_REALTIME, &precise);
	if (now)
		*now = precise.tv_sec;
	return precise.tv_sec;
}
