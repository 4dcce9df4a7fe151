/* null_buffer - row 9: the kernel answers EFAULT for NULL buffers, to read and to write */
#include "guest.h"

int main(void)
{
	int fds[2];
	CHECK(pipe(fds) == 0 && write(fds[1], "0123456789", 10) == 10);
	for (int again = 0; again < 5; again++)
		for (long address = 0; address < 4096; address += 819) {
			CHECK_EQ(raw3(SYS_read, fds[0], address, 1), -EFAULT);
			CHECK_EQ(raw3(SYS_write, fds[1], address, 1), -EFAULT);
			CHECK_EQ(raw2(SYS_clock_gettime, 0, address), -EFAULT);
			CHECK_EQ(raw2(SYS_stat, address, 0), -EFAULT);
			CHECK_EQ(raw2(SYS_nanosleep, address, 0), -EFAULT);
			CHECK_EQ(raw2(SYS_pipe, address, 0), -EFAULT);
		}
	char rest[10];
	CHECK_EQ(read(fds[0], rest, 10), 10);
	say("EFAULT; the pipe kept %.10s", rest);
	return 0;
}
