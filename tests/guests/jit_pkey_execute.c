/* jit_pkey_execute - rows 2, 7: code that can only be executed: by a key of the program's without access, and by
 * PROT_EXEC alone */
#include "life.h"

static void expect_unreadable(const unsigned char *page)
{
	handle(SIGSEGV, on_fault, 0);
	if (!sigsetjmp(fault_jump, 1)) {
		(void)*(const volatile unsigned char *)page;
		FAIL("it can be read");
	}
	CHECK_EQ(fault.code, SEGV_PKUERR);
}

int main(void)
{
	int key = pkey_alloc(0, PKEY_DISABLE_ACCESS);
	if (key < 0)
		SKIP("no protection keys");
	for (int way = 0; way < 2; way++) {
		unsigned char *page = fill_sites(map_pages(1, PROT_RW));
		for (int round = 0; round < 4; round++) {
			if (way)
				protect(page, 1, PROT_EXEC);
			else
				CHECK(pkey_mprotect(page, CODE_PAGE, PROT_RX, key) == 0);
			expect_unreadable(page);
			(round % 2 ? run_calls : run_sites)(page);
			expect_unreadable(page);
			CHECK(pkey_mprotect(page, CODE_PAGE, PROT_RW, 0) == 0);
			(round % 2 ? fill_sites : fill_calls)(page);
		}
		say("%s", way ? "PROT_EXEC" : "a key");
	}
	return 0;
}
