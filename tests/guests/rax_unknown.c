/* rax_unknown - row 4: every unknown number is -ENOSYS, also where address rax lies in or beyond the sled */
#include "guest.h"

__attribute__((noinline)) static long call_number(long nr)
{
	return raw0(nr);
}

int main(void)
{
	static const long unknown[] = { 340, 400, 423, 480, 500, 511, 512, 513, 547, 548, 1000, 4089, 4090, 4091, 4092,
		4093, 4094, 4095, 4096, 4097, 5000, 65535, 65536, 0x656000, 0x10000000, 0x400001f4, 0x65656000,
		0x64646000, 0x3e3e3000, 0x7fffffff, -1, -2, -3, -512, -513, -514, -515, -516, -517, -4095, -4096, -4097,
		INT_MIN, LONG_MIN + 500, LONG_MAX, LONG_MIN };
	for (size_t i = 0; i < COUNT_OF(unknown); i++) {
		if ((int)unknown[i] == 0)
			continue; /* LONG_MIN: its low half is read(0, NULL, 0) */
		for (int again = 0; again < 2; again++)
			CHECK_EQ(call_number(unknown[i]), -ENOSYS);
		say("%#lx: no such call", unknown[i]);
	}
	for (long nr = 600; nr < 4200; nr++)
		CHECK_EQ(call_number(nr), -ENOSYS);
	say("600..4199: no such call");
	CHECK_EQ(call_number(SYS_getuid), getuid());
	return 0;
}
