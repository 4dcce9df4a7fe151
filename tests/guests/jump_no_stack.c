/* jump_no_stack - issue 5, row 16: calls with rsp 0, not canonical, at a guard page, in read-only memory; rsp is
 * kept */
#include "jump.h"

#define ON(number, after) "pushq %rbx; movq %rsp,%rbx; movq %rdi,%rsp; " number "syscall; " after \
	"cmpq %rdi,%rsp; movq %rbx,%rsp; popq %rbx; je 1f; ud2\n1: ret"
FUNCTION(mov_on, ON("movl $102,%eax; ", ""));
FUNCTION(cave_on, ON("movl %esi,%eax; ", PADDING));
FUNCTION(mov_first_on, ON("movl $102,%eax; ", ""));
FUNCTION(cave_first_on, ON("movl %esi,%eax; ", PADDING));
extern call_function mov_on, cave_on, mov_first_on, cave_first_on;

int main(void)
{
	unsigned char *page = map_pages(2, PROT_RW), *read_only = map_pages(1, PROT_READ);
	protect(page, 1, PROT_NONE);
	void *const stacks[] = { page + CODE_PAGE, page + CODE_PAGE + 8, page + 64, read_only + 512, NULL, (void *)8,
		(void *)4096, (void *)0x7000000, (void *)0x8000000000000000, (void *)0x0000800000000000, (void *)-1,
		(void *)-4096, (void *)0x7ffffffff001 };
	for (size_t i = 0; i < COUNT_OF(stacks); i++) {
		CHECK_EQ(mov_first_on((long)stacks[COUNT_OF(stacks) - 1 - i], 0, 0), getuid());
		CHECK_EQ(cave_first_on((long)stacks[COUNT_OF(stacks) - 1 - i], 500, 0), -ENOSYS);
	}
	for (int again = 0; again < 20; again++)
		for (size_t i = 0; i < COUNT_OF(stacks); i++) {
			CHECK_EQ(mov_on((long)stacks[i], 0, 0), getuid());
			CHECK_EQ(cave_on((long)stacks[i], again % 2 ? 500 : SYS_getgid, 0), again % 2 ? -ENOSYS : (long)getgid());
		}
	say("%zu stacks", COUNT_OF(stacks));
	return 0;
}
