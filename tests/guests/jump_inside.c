/* jump_inside - issue 5, row 20: `mov $102,%eax; syscall; ret` inside another instruction, jumped into; that one
 * is intact */
#include "jump.h"

#define INNER ".byte 0xb8; .long 102; .byte 0x0f,0x05,0xc3"
FUNCTION(outer, ".byte 0x48,0xbf; " INNER "; movq %rdi,%rax; ret");                  /* movabs $...,%rdi */
FUNCTION(outer_late, "movl $500,%eax; .byte 0xbf,0x0f,0x05,0xc3,0x90\n"
	"movl %edi,%eax; ret");                                                       /* mov $0x90c3050f,%edi */
extern call_function outer, outer_late;
extern char outer_start[] asm("outer"), outer_late_start[] asm("outer_late");

static long call_with(const void *code, long nr)
{
	long result;
	asm volatile("call *%1" : "=a"(result) : "r"(code), "0"(nr) : "rcx", "r11", "rdi", "memory");
	return result;
}

static void run(const char *outer_code, const char *late_code, int again)
{
	CHECK_EQ(call_at(outer_code, 0, 0, 0), 0xc3050f00000066b8);
	CHECK_EQ(call_at(late_code, 0, 0, 0), 0x90c3050f);
	CHECK_EQ(call_at(outer_code + 2, 0, 0, 0), getuid());
	CHECK_EQ(call_with(late_code + 6, again % 2 ? 500 : SYS_getgid), again % 2 ? -ENOSYS : (long)getgid());
	CHECK_EQ(call_with(outer_code + 7, 500), -ENOSYS);
}

int main(void)
{
	unsigned char *page = map_pages(1, PROT_RW);
	memcpy(page, outer_start, 32);
	memcpy(page + 32, outer_late_start, 32);
	protect(page, 1, PROT_RX);
	for (int again = 0; again < 20; again++) {
		run(outer_start, outer_late_start, again);
		run((char *)page, (char *)page + 32, again);
		CHECK(memcmp(page, outer_start, 32) == 0 && memcmp(page + 32, outer_late_start, 32) == 0);
	}
	say("the outer instructions are intact");
	return 0;
}
