/* call_no_stack - row 16: calls with rsp pointing to nothing, to read-only memory and to a page's first byte; all registers kept */
#include "code.h"

__attribute__((noinline)) static long call_on(void *stack, long nr)
{
	long result;
	asm volatile("movq %%rsp,%%rbx; movq %2,%%rsp; syscall; xchgq %%rsp,%%rbx" : "=a"(result) : "0"(nr), "r"(stack)
		: "rbx", "rcx", "r11", "memory");
	return result;
}

int main(void)
{
	unsigned char *page = map_pages(2, PROT_RW), *read_only = map_pages(1, PROT_READ);
	protect(page, 1, PROT_NONE);
	void *const stacks[] = { NULL, (void *)8, (void *)4096, page + CODE_PAGE, page + CODE_PAGE + 8, page + 64,
		read_only + 512, (void *)0x7000000, (void *)0x8000000000000000, (void *)-1 };
	for (int again = 0; again < 5; again++)
		for (size_t i = 0; i < COUNT_OF(stacks); i++) {
			CHECK_EQ(call_on(stacks[i], SYS_getuid), getuid());
			CHECK_EQ(call_on(stacks[i], 500), -ENOSYS);
		}
	say("%zu stacks", COUNT_OF(stacks));
	return 0;
}
