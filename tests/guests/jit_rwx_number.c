/* jit_rwx_number - rows 2, 4: a program changes only the number in `mov $nr,%eax`, or only an argument, between
 * calls */
#include "code.h"

int main(void)
{
	static const int numbers[] = { SYS_getpid, 500, SYS_getuid, 4095, 4096, 0x12345, -1, SYS_getpid, 0x7fff0027, 511,
		512 };
	unsigned char *page = map_pages(1, PROT_RWX), *other = page + 256;
	put_call(page, SYS_getpid);
	for (int again = 0; again < 3; again++)
		for (size_t i = 0; i < COUNT_OF(numbers); i++) {
			memcpy(page + 1, &numbers[i], 4);
			long expected = numbers[i] == SYS_getpid ? getpid() : numbers[i] == SYS_getuid ? (long)getuid() : -ENOSYS;
			CHECK_EQ(call_at(page, 0, 0, 0), expected);
			CHECK_EQ(call_at(page, 0, 0, 0), expected);
		}
	say("numbers");
	memcpy(other, "\xbf\x00\x00\x00\x00", 5);   /* mov $0,%edi; mov $umask,%eax; syscall; ret */
	put_call(other + 5, SYS_umask);
	call_at(other, 0, 0, 0);
	for (int i = 1; i < 200; i++) {
		other[1] = (unsigned char)i;
		CHECK_EQ(call_at(other, 0, 0, 0), i - 1);
	}
	say("arguments");
	return 0;
}
