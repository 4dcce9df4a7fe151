/* mem_holes - row 24: memory calls on page zero and other addresses where the program has nothing, the agent's memory among them: answers as for a hole, and all goes on. needs the real getpid */
#include "alive.h"
#include "holes.h"
#include <sys/uio.h>

enum { PROCESS_MADVISE = 440, MSEAL = 462, PIDFD_OPEN = 434 };

static void try_protection(uintptr_t at, size_t size)
{
	CHECK_EQ(raw3(SYS_mprotect, at, size, PROT_NONE), -ENOMEM);
	CHECK_EQ(raw3(SYS_mprotect, at, size, PROT_RWX), -ENOMEM);
	CHECK_EQ(raw3(SYS_mprotect, at, size, 0x4000), -EINVAL);
	CHECK_EQ(raw3(SYS_mprotect, at + 8, size, PROT_NONE), -EINVAL);
	CHECK_EQ(raw6(SYS_pkey_mprotect, (long)at, (long)size, PROT_NONE, -1, 0, 0), -ENOMEM);
	CHECK_EQ(raw6(SYS_pkey_mprotect, (long)at, (long)size, PROT_NONE, 15, 0, 0), -EINVAL);
	long sealed = raw3(MSEAL, at, size, 0);
	CHECK(sealed == -ENOMEM || sealed == -ENOSYS);
}

static void try_advice(uintptr_t at, size_t size, int self)
{
	static const int advices[] = { MADV_DONTNEED, MADV_FREE, MADV_REMOVE, MADV_DONTFORK, MADV_WIPEONFORK, MADV_DONTDUMP,
				       MADV_COLD, MADV_NORMAL, 24 /* DONTNEED_LOCKED */ };
	struct iovec piece = { (void *)at, size };
	for (size_t i = 0; i < COUNT_OF(advices); i++)
		CHECK_EQ(raw3(SYS_madvise, at, size, advices[i]), -ENOMEM);
	CHECK_EQ(raw3(SYS_madvise, at, size, 77), -EINVAL);
	long advised = raw6(PROCESS_MADVISE, self, (long)&piece, 1, MADV_DONTNEED, 0, 0);
	CHECK(advised == -ENOMEM || advised == -EINVAL || advised == -ENOSYS);   /* EINVAL before Linux 6.13 */
}

static void try_rest(uintptr_t at, size_t size)
{
	unsigned char seen[4096];
	CHECK_EQ(raw3(SYS_msync, at, size, MS_ASYNC), -ENOMEM);
	CHECK_EQ(raw3(SYS_mincore, at, size, seen), -ENOMEM);
	CHECK_EQ(raw2(SYS_mlock, at, size), -ENOMEM);
	CHECK_EQ(raw2(SYS_mlock, at + 5, size - 5), -ENOMEM);
	CHECK_EQ(raw3(SYS_mlock2, at, size, 1), -ENOMEM);
	CHECK_EQ(raw2(SYS_munlock, at, size), -ENOMEM);
	CHECK_EQ(raw6(SYS_remap_file_pages, (long)at, (long)size, 0, 0, 0, 0), -EINVAL);
	CHECK_EQ(raw6(SYS_mremap, (long)at, (long)size, (long)size * 2, MREMAP_MAYMOVE, 0, 0), -EFAULT);
	CHECK_EQ(raw6(SYS_mremap, (long)at, CODE_PAGE, CODE_PAGE, 0, 0, 0), -EFAULT);
	CHECK_EQ(raw6(SYS_mremap, (long)at, 0, CODE_PAGE, MREMAP_MAYMOVE, 0, 0), -EFAULT);
	CHECK_EQ(raw2(SYS_munmap, at, size), 0);
	CHECK_EQ(raw2(SYS_munmap, at, CODE_PAGE), 0);
	CHECK_EQ(raw2(SYS_munmap, at + 8, size), -EINVAL);
	CHECK_EQ(raw2(SYS_munmap, at, 0), -EINVAL);
	CHECK_EQ(raw2(SYS_munmap, at, -1UL << 12), -EINVAL);
}

int main(void)
{
	int self = (int)raw2(PIDFD_OPEN, getpid(), 0);
	check_alive();
	find_holes();
	for (int i = 0; i < hole_count; i++) {
		uintptr_t at = holes[i].start;
		size_t size = holes[i].end - at;
		size_t part = size < 16 * CODE_PAGE ? size : 16 * CODE_PAGE;
		try_protection(at, size);
		try_advice(at, size, self);
		try_rest(at, part);
		try_rest(holes[i].end - CODE_PAGE, CODE_PAGE);
		CHECK_EQ(raw2(SYS_munmap, at, size), 0);
		check_alive();
	}
	say("all of them are holes");
	return 0;
}
