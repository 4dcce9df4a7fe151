/* mem_brk - row 24: the program moves its break by brk: up, down, over a limit, and into a mapping; refused, it stays */
#include "code.h"
#include <sys/resource.h>

enum { PAGES = 64, GAP = 32 };

static uintptr_t brk_to(uintptr_t at)
{
	return (uintptr_t)raw1(SYS_brk, at);
}

/* The first page that lies wholly above. */
static uintptr_t page_of(uintptr_t at)
{
	return (at + CODE_PAGE - 1) & -CODE_PAGE;
}

static void check_zero(uintptr_t from, uintptr_t to)
{
	for (uintptr_t at = from; at < to; at += 512)
		CHECK_EQ(*(unsigned char *)at, 0);
}

/* Up, and memory there is; down, and it is gone; up again, and it is new. */
static void try_pages(uintptr_t start)
{
	uintptr_t top = page_of(start) + PAGES * CODE_PAGE, half = top - PAGES / 2 * CODE_PAGE;
	unsigned char seen[1];

	CHECK_EQ(brk_to(top), top);
	CHECK_EQ(brk_to(0), top);
	check_zero(start, top);
	memset((void *)start, 'x', top - start);
	CHECK_EQ(brk_to(half), half);
	CHECK_EQ(raw3(SYS_mincore, half, CODE_PAGE, seen), -ENOMEM);
	CHECK_EQ(*(unsigned char *)(half - 1), 'x');
	CHECK_EQ(brk_to(top - 5), top - 5);   /* any byte will do */
	check_zero(half, top);
	CHECK_EQ(brk_to(start), start);
}

/* Code in the heap makes calls, before and after the heap has been away. */
static void try_code(uintptr_t start)
{
	unsigned char *page = (unsigned char *)page_of(start);

	for (int i = 0; i < 3; i++) {
		CHECK_EQ(brk_to((uintptr_t)page + 2 * CODE_PAGE), page + 2 * CODE_PAGE);
		put_call(page + 8 * i, SYS_close);
		protect(page, 1, PROT_RWX);
		CHECK_EQ(call_at(page + 8 * i, -1, 0, 0), -EBADF);
		CHECK_EQ(call_at(page + 8 * i, -1, 0, 0), -EBADF);
		CHECK_EQ(brk_to(start), start);
	}
}

static void try_refused(uintptr_t start)
{
	struct rlimit old, none = { 0 };
	uintptr_t end = page_of(start) + (GAP + PAGES) * CODE_PAGE;

	CHECK_EQ(brk_to(1), start);
	CHECK_EQ(brk_to(-1UL << 12), start);
	CHECK_EQ(brk_to((1UL << 47) - 2 * CODE_PAGE), start);   /* over the libraries, the agent's memory among them */
	void *wall = mmap((void *)end, CODE_PAGE, PROT_RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	CHECK(wall == (void *)end);
	memset(wall, 'w', CODE_PAGE);
	CHECK_EQ(brk_to(end + 1), start);
	CHECK_EQ(brk_to(end + 8 * CODE_PAGE), start);
	CHECK_EQ(*(char *)wall, 'w');
	CHECK_EQ(brk_to(start + GAP * CODE_PAGE), start + GAP * CODE_PAGE);
	CHECK_EQ(brk_to(start), start);
	CHECK(munmap(wall, CODE_PAGE) == 0);
	CHECK(getrlimit(RLIMIT_DATA, &old) == 0);
	none.rlim_max = old.rlim_max;
	CHECK(setrlimit(RLIMIT_DATA, &none) == 0);
	CHECK_EQ(brk_to(start + GAP * CODE_PAGE), start);
	CHECK(setrlimit(RLIMIT_DATA, &old) == 0);
	CHECK_EQ(brk_to(start + GAP * CODE_PAGE), start + GAP * CODE_PAGE);
	CHECK_EQ(brk_to(start), start);
}

int main(void)
{
	uintptr_t start = brk_to(0);

	try_pages(start);
	try_code(start);
	try_refused(start);
	CHECK_EQ(sbrk(0), start);
	say("as natively");
	return 0;
}
