/* jump_over_stubs - issue 5, row 24: what appears in /proc/self/maps by first calls can't be unmapped, protected
 * or mapped over by the program, and is no mapping to it. Natively nothing appears */
#include "jump.h"
#include "maps.h"

CODE_PAGE_OF_CALLS(page, 102);
static struct maps before, after;

static void attack(unsigned char *start, size_t size)
{
	unsigned char vector;
	CHECK_EQ(mprotect(start, size, PROT_RWX), -1);
	CHECK_EQ(errno, ENOMEM);
	CHECK(madvise(start, size, MADV_DONTNEED) == -1 && errno == ENOMEM);
	CHECK(msync(start, size, MS_ASYNC) == -1 && errno == ENOMEM);
	CHECK(mincore(start, CODE_PAGE, &vector) == -1 && errno == ENOMEM);
	CHECK(mremap(start, CODE_PAGE, CODE_PAGE, MREMAP_MAYMOVE) == MAP_FAILED && errno == EFAULT);
	CHECK(munmap(start, size) == 0);
	void *p = mmap(start, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (p != MAP_FAILED)
		CHECK(p == (void *)start && munmap(p, size) == 0);
	p = mmap(start, CODE_PAGE, PROT_RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); /* a hint */
	CHECK(p != MAP_FAILED && p != start && munmap(p, CODE_PAGE) == 0);
}

int main(void)
{
	int found = 0;
	read_maps(&before);
	run_page(page, CALLS / 2), run_page(page, CALLS / 2);
	read_maps(&after);
	for (char *line = after.text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		unsigned long start, stop;
		char protection[8], key[64], *hit;
		*end = 0;
		CHECK(sscanf(line, "%lx-%lx %7s", &start, &stop, protection) == 3);
		snprintf(key, sizeof(key), "%lx-", start);
		hit = strstr(before.text, key);
		if (strcmp(protection, "r-xp") || strchr(line, '/') || strchr(line, '[') || hit)
			continue;
		found++;
		attack((unsigned char *)start, stop - start);
	}
	for (int again = 0; again < 3; again++)
		run_page(page, CALLS);
	say("%s", found > 100 ? "too many mappings" : "nothing in the way");
	return 0;
}
