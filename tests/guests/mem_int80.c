/* mem_int80 - rows 22 and 24: memory calls by int $0x80 on page zero and around the sled: as where nothing is mapped */
#include "alive.h"

enum { OLD_MMAP = 90, MUNMAP = 91, MPROTECT = 125, MREMAP = 163, MMAP2 = 192, MADVISE = 219 };

static long call_32(long nr, long a, long b, long c, long d, long e)
{
	long result;
	asm volatile("int $0x80" : "=a"(result) : "0"(nr), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e) : "memory");
	return (int)result;
}

int main(void)
{
	static const unsigned holes[] = { 0, 0x65655000, 0x64645000, 0x3e3e4000 };
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;

	if (call_32(20, 0, 0, 0, 0, 0) != getpid())
		SKIP("no int $0x80 here");
	check_alive();
	for (size_t i = 0; i < COUNT_OF(holes); i++) {
		CHECK_EQ(call_32(MPROTECT, holes[i], CODE_PAGE, PROT_NONE, 0, 0), -ENOMEM);
		CHECK_EQ(call_32(MADVISE, holes[i], CODE_PAGE, MADV_DONTNEED, 0, 0), -ENOMEM);
		CHECK_EQ(call_32(MREMAP, holes[i], CODE_PAGE, 2 * CODE_PAGE, MREMAP_MAYMOVE, 0), -EFAULT);
		CHECK_EQ(call_32(MUNMAP, holes[i], CODE_PAGE, 0, 0, 0), 0);
		check_alive();
	}
	unsigned *arguments = mmap(NULL, CODE_PAGE, PROT_RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	CHECK(arguments != MAP_FAILED);
	memcpy(arguments, (unsigned[]){ 0, CODE_PAGE, PROT_RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0 }, 24);
	CHECK(setresgid(65534, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) == 0);
	if (raw6(SYS_mmap, 0, CODE_PAGE, PROT_RW, flags | MAP_FIXED_NOREPLACE, -1, 0) == 0)
		SKIP("vm.mmap_min_addr is 0");
	CHECK_EQ(call_32(MMAP2, 0, CODE_PAGE, PROT_RW, flags, -1), -EPERM);
	CHECK_EQ(call_32(OLD_MMAP, (long)arguments, 0, 0, 0, 0), -EPERM);
	check_alive();
	say("as natively");
	return 0;
}
