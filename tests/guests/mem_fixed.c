/* mem_fixed - row 24: fixed mappings at page zero by a user without the privilege, and over addresses where the agent's memory may lie: there, ENOMEM and nothing else may refuse them. needs the real getpid */
#include "alive.h"
#include "holes.h"
#include <sys/ipc.h>
#include <sys/shm.h>

enum { FIXED = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED };

/* Made, and undone; or ENOMEM. */
static void expect(long got, uintptr_t at, size_t size, int number)
{
	if (number == HOLE_OWN)
		CHECK_EQ(got, at);
	if (got != -ENOMEM) {
		CHECK_EQ(got, at);
		CHECK(munmap((void *)at, size) == 0);
	}
}

static long map(uintptr_t at, size_t size, int flags, int fd)
{
	return raw6(SYS_mmap, (long)at, (long)size, PROT_RW, flags, fd, 0);
}

static void try_hole(int number, int segment)
{
	uintptr_t at = holes[number].start;
	size_t size = holes[number].end - at;
	expect(map(at, size, FIXED, -1), at, size, number);
	expect(map(at, CODE_PAGE, FIXED, -1), at, CODE_PAGE, number);
	CHECK_EQ(map(at, CODE_PAGE, MAP_PRIVATE | MAP_FIXED, -1), -EBADF);
	CHECK_EQ(map(at + 1, CODE_PAGE, FIXED, -1), -EINVAL);
	CHECK_EQ(map(at, 0, FIXED, -1), -EINVAL);
	unsigned char *page = map_pages(1, PROT_RW);
	long moved = raw6(SYS_mremap, (long)page, CODE_PAGE, CODE_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, (long)at, 0);
	if (moved == -ENOMEM)
		CHECK(munmap(page, CODE_PAGE) == 0);
	expect(moved, at, CODE_PAGE, number);
	if (segment >= 0)
		expect(raw3(SYS_shmat, segment, at, SHM_REMAP), at, CODE_PAGE, number);
	if (segment >= 0 && number != HOLE_OWN)
		CHECK(raw3(SYS_shmat, segment, at, 0) != 0);
}

int main(void)
{
	int segment = shmget(IPC_PRIVATE, CODE_PAGE, 0600);
	check_alive();
	find_holes();
	for (int i = HOLE_OWN; i < hole_count; i++) {
		try_hole(i, segment);
		check_alive();
	}
	CHECK(segment < 0 || shmctl(segment, IPC_RMID, NULL) == 0);
	CHECK(setresgid(65534, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) == 0);
	if (map(0, CODE_PAGE, FIXED | MAP_FIXED_NOREPLACE, -1) == 0)
		SKIP("vm.mmap_min_addr is 0");
	CHECK_EQ(map(0, CODE_PAGE, FIXED, -1), -EPERM);
	CHECK_EQ(map(0, 16 * CODE_PAGE, FIXED, -1), -EPERM);
	CHECK_EQ(map(0, CODE_PAGE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1), -EPERM);
	CHECK_EQ(map(0, CODE_PAGE, MAP_PRIVATE | MAP_FIXED, -1), -EBADF);
	CHECK_EQ(map(0, 0, FIXED, -1), -EINVAL);
	check_alive();
	say("refused at page zero");
	return 0;
}
