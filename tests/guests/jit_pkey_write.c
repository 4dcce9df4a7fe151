/* jit_pkey_write - rows 2, 8: a JIT that opens its writable and executable memory by a protection key, without a
 * system call */
#include "life.h"

int main(void)
{
	int key = pkey_alloc(0, 0);
	if (key < 0)
		SKIP("no protection keys");
	unsigned char *page = fill_sites(map_pages(1, PROT_RW));
	CHECK(pkey_mprotect(page, CODE_PAGE, PROT_RWX, key) == 0);
	for (int round = 0; round < 5; round++) {
		CHECK(pkey_set(key, PKEY_DISABLE_WRITE) == 0);
		run_sites(page);
		CHECK(pkey_get(key) == PKEY_DISABLE_WRITE && pkey_set(key, 0) == 0);
		fill_calls(page);
		CHECK(pkey_set(key, PKEY_DISABLE_WRITE) == 0);
		run_calls(page);
		CHECK(pkey_set(key, 0) == 0);   /* the handler's rights are in force since it jumped out */
		fill_sites(page);
	}
	say("5 rounds");
	return 0;
}
