/* jump_inside_started - issue 5, row 20: as jump_inside, but entered in the middle first, before the outer
 * instruction ever runs */
#include "jump.h"

#define OUTER ".byte 0x48,0xbf,0xb8; .long 102; .byte 0x0f,0x05,0xc3; movq %rdi,%rax; ret" /* movabs $...,%rdi */
FUNCTION(mov_first, OUTER);
FUNCTION(site_first, OUTER);
extern char mov_first[], site_first[];

int main(void)
{
	for (int i = 0; i < 10; i++) {
		long result;
		CHECK_EQ(call_at(mov_first + 2, 0, 0, 0), getuid());
		asm volatile("call *%1" : "=a"(result) : "r"(site_first + 7), "0"(500L) : "rcx", "r11", "memory");
		CHECK_EQ(result, -ENOSYS);
	}
	for (int i = 0; i < 10; i++) {
		CHECK_EQ(call_at(mov_first, 0, 0, 0), 0xc3050f00000066b8);
		CHECK_EQ(call_at(site_first, 0, 0, 0), 0xc3050f00000066b8);
		CHECK_EQ(call_at(site_first + 2, 0, 0, 0), getuid());
	}
	say("the outer instructions are intact");
	return 0;
}
