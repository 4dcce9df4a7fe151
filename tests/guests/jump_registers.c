/* jump_registers - issue 5, row 10: every general register and the flags survive; rcx is the address after the
 * site, r11 the flags */
#include "jump.h"
#include "registers.h"

REGISTERS_CALL(mov, "movl $102,%eax\n", "");
REGISTERS_CALL(mov_long, "movq $-500,%rax\n", "");
REGISTERS_CALL(cave, "", PADDING);

static void run(const char *name, void (*call)(struct registers *), const char *after, uint64_t nr, long expected)
{
	static const uint64_t flags[] = { 0x202, 0x2d7 & ~0x100UL, 0xed7 & ~0x500UL, 0x602, 0x246, 0xa97 };
	struct registers block;
	for (int again = 0; again < 600; again++) {
		fill_registers(&block, nr);
		block.in[R_FLAGS] = flags[(size_t)again % COUNT_OF(flags)] | 0x202;
		call(&block);
		check_registers_of(&block, name, after);
		CHECK_EQ(block.out[R_RAX], expected);
	}
}

int main(void)
{
	run("mov", mov_call, mov_after, 0xdeadbeefcafebabe, getuid());
	run("7-byte mov", mov_long_call, mov_long_after, 0xdeadbeefcafebabe, -ENOSYS);
	run("cave, getgid", cave_call, cave_after, SYS_getgid, getgid());
	run("cave, huge", cave_call, cave_after, 0x8000000000000500, -ENOSYS);
	run("cave, yield", cave_call, cave_after, SYS_sched_yield, 0);
	say("all registers kept");
	return 0;
}
