/* null_map - row 24: the program maps, unmaps and protects page zero: as natively, where that is allowed; calls go on */
#include "code.h"

int main(void)
{
	CHECK_EQ(munmap(NULL, CODE_PAGE), 0);
	for (int again = 0; again < 3; again++)
		CHECK_EQ(raw0(SYS_getuid), getuid());
	CHECK(mprotect(NULL, CODE_PAGE, PROT_NONE) == -1 && errno == ENOMEM);
	CHECK(madvise(NULL, CODE_PAGE, MADV_DONTNEED) == -1 && errno == ENOMEM);
	CHECK(msync(NULL, CODE_PAGE, MS_ASYNC) == -1 && errno == ENOMEM);
	for (int again = 0; again < 3; again++)
		CHECK_EQ(raw0(SYS_getuid), getuid());
	say("as without a page there");
	return 0;
}
