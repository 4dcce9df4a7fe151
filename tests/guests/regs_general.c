/* regs_general - row 10: every general register survives; rcx is the return address and r11 the flags */
#include "registers.h"

int main(void)
{
	static struct registers block;
	static const struct { const char *name; long nr; } calls[] = { { "getuid", SYS_getuid }, { "unknown", 500 },
		{ "sched_yield", SYS_sched_yield }, { "minus one", -1 } };
	for (size_t i = 0; i < COUNT_OF(calls); i++) {
		for (int again = 0; again < 1000; again++) {
			fill_registers(&block, (uint64_t)calls[i].nr);
			registers_call(&block);
			check_registers(&block, calls[i].name);
			CHECK_EQ(block.out[R_RAX], i == 0 ? (long)getuid() : i == 2 ? 0 : -ENOSYS);
		}
		say("%s: all registers kept", calls[i].name);
	}
	fill_registers(&block, SYS_close); /* arguments stay as they are: close(-1) */
	block.in[R_RDI] = (uint64_t)-1;
	registers_call(&block);
	check_registers(&block, "close");
	CHECK_EQ(block.out[R_RAX], -EBADF);
	return 0;
}
