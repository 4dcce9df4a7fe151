/* site_page_edges - row 6: a site at the start of a page after an unmapped one, and one at the very end of the last page */
#include "code.h"

int main(void)
{
	unsigned char *pages = map_pages(3, PROT_RW), *page = pages + CODE_PAGE;
	memcpy(page, "\x0f\x05\xc3", 3);
	memcpy(page + CODE_PAGE - 7, "\xb8\x3c\x00\x00\x00\x0f\x05", 7); /* mov $60,%eax; syscall */
	protect(page, 1, PROT_RX);
	CHECK(munmap(pages, CODE_PAGE) == 0 && munmap(page + CODE_PAGE, CODE_PAGE) == 0);
	for (int again = 0; again < 3; again++) {
		long result;
		asm volatile("call *%1" : "=a"(result) : "r"(page), "0"(102L) : "rcx", "r11", "memory");
		CHECK_EQ(result, getuid());
	}
	for (int again = 0; again < 3; again++) {
		pid_t child = fork();
		if (child == 0)
			call_at(page + CODE_PAGE - 7, 7 + again, 0, 0);
		CHECK_EQ(wait_child(child), 0x107 + again);
	}
	say("both edges called");
	return 0;
}
