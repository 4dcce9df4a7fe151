/* site_vdso - row 23: calls that the vDSO can't answer by itself: its own syscall instructions, for odd clocks, again and again */
#include "maps.h"

static struct maps before, after;

int main(void)
{
	static const clockid_t clocks[] = { CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID, CLOCK_BOOTTIME, CLOCK_TAI, CLOCK_REALTIME };
	struct timespec time;
	read_maps(&before);
	for (int again = 0; again < 20; again++) {
		for (size_t i = 0; i < COUNT_OF(clocks); i++)
			CHECK(clock_gettime(clocks[i], &time) == 0 && clock_getres(clocks[i], &time) == 0);
		CHECK(clock_gettime(1000, &time) == -1 && errno == EINVAL);
		CHECK(clock_gettime(clocks[0], (struct timespec *)8) == -1 && errno == EFAULT);
	}
	read_maps(&after);
	check_same_maps(&before, &after);
	say("%zu clocks", COUNT_OF(clocks));
	return 0;
}
