/* rax_high_bits - row 4: the kernel reads the low 32 bits of rax only; each value at a site of its own */
#include "code.h"

int main(void)
{
	static const uint64_t high[] = { 0xdeadbeef00000027, 0xffffffff00000027, 0x8000000000000027, 0x100000027,
		0x0000800000000027, 0x00007fff00000027, 0x7fffffff00000027, 0xffff800000000027, 0x4000000000000027,
		0xffffffffff600000 };
	unsigned char *page = map_pages(1, PROT_RW);
	for (size_t i = 0; i < COUNT_OF(high); i++)
		put_variable_call(page + 64 * i);
	protect(page, 1, PROT_RX);
	long pid = syscall(SYS_getpid);
	for (size_t i = 0; i < COUNT_OF(high); i++)
		for (int again = 0; again < 3; again++) {
			long expected = (uint32_t)high[i] == 0x27 ? pid : -ENOSYS;
			CHECK_EQ(call_at(page + 64 * i, (long)high[i], 0, 0), expected);
			if (!again)
				say("%#lx: %s", high[i], expected == pid ? "getpid" : "no such call");
		}
	for (int again = 0; again < 10; again++) /* one site, the values by turns */
		for (size_t i = 0; i < COUNT_OF(high) - 1; i++)
			CHECK_EQ(call_at(page, (long)high[i], 0, 0), pid);
	return 0;
}
