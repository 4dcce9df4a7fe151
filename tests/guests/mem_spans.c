/* mem_spans - row 24: a range with pages of the program on both sides of a hole, the agent's memory among them: the pages are changed, the hole is as natively. needs the real getpid */
#include "alive.h"
#include "holes.h"

static unsigned char *map_at(uintptr_t at)
{
	void *got = mmap((void *)at, CODE_PAGE, PROT_RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (got == MAP_FAILED)
		return NULL;
	CHECK_EQ(got, at);
	memset(got, 1, CODE_PAGE);
	return got;
}

static bool is_writable(void *at)
{
	int fds[2];
	CHECK(pipe(fds) == 0 && write(fds[1], "x", 1) == 1);
	bool can = read(fds[0], at, 1) == 1;
	close(fds[0]);
	close(fds[1]);
	return can;
}

static void try_span(uintptr_t start, uintptr_t end, unsigned char *low, unsigned char *high)
{
	size_t size = end - start;
	CHECK_EQ(raw3(SYS_madvise, start, size, MADV_DONTNEED), -ENOMEM);
	CHECK(low[0] == 0 && high[0] == 0);
	CHECK_EQ(raw3(SYS_msync, start, size, MS_ASYNC), -ENOMEM);
	CHECK_EQ(raw3(SYS_mprotect, start, size, PROT_READ), -ENOMEM);
	CHECK(!is_writable(low) && is_writable(high));
	CHECK_EQ(raw2(SYS_mlock, start, size), -ENOMEM);
	CHECK_EQ(raw2(SYS_munmap, start, -start & ~(1UL << 63)), -EINVAL);
	CHECK(is_writable(high));
	CHECK_EQ(raw2(SYS_munmap, start, size), 0);
	CHECK(raw3(SYS_msync, low, CODE_PAGE, MS_ASYNC) == -ENOMEM && raw3(SYS_msync, high, CODE_PAGE, MS_ASYNC) == -ENOMEM);
}

int main(void)
{
	check_alive();
	find_holes();
	CHECK(munmap((void *)(holes[HOLE_OWN].start - CODE_PAGE), CODE_PAGE) == 0);
	CHECK(munmap((void *)holes[HOLE_OWN].end, CODE_PAGE) == 0);
	int spans = 0;
	for (int i = HOLE_OWN; i < hole_count; i++) {
		uintptr_t start = holes[i].start - CODE_PAGE, end = holes[i].end + CODE_PAGE;
		unsigned char *low = map_at(start), *high = map_at(end - CODE_PAGE);
		if (low && high) {
			try_span(start, end, low, high);
			check_alive();
			spans++;
		} else if (low) {
			CHECK(munmap(low, CODE_PAGE) == 0);
		} else if (high) {
			CHECK(munmap(high, CODE_PAGE) == 0);
		}
	}
	CHECK(spans > 0);
	say("changed on both sides");
	return 0;
}
