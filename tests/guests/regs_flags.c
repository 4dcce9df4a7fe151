/* regs_flags - row 10: each flag survives a call, DF, AC and ID included, and shows in r11 */
#include "registers.h"

int main(void)
{
	static struct registers block;
	static const struct { const char *name; uint64_t flag; } flags[] = { { "none", 0 }, { "CF", 1 }, { "PF", 4 },
		{ "AF", 0x10 }, { "ZF", 0x40 }, { "SF", 0x80 }, { "OF", 0x800 }, { "DF", 0x400 }, { "ID", 0x200000 },
		{ "AC", 0x40000 }, { "all", 0x240cd5 } };
	for (int again = 0; again < 3; again++)
		for (size_t i = 0; i < COUNT_OF(flags); i++) {
			fill_registers(&block, i % 2 ? SYS_getuid : 500);
			block.in[R_FLAGS] |= flags[i].flag;
			registers_call(&block);
			check_registers(&block, flags[i].name);
			if (!again)
				say("%s: kept", flags[i].name);
		}
	return 0;
}
