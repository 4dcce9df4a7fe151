/* redzone_buffer - row 5: the kernel reads from and writes into a buffer in the red zone */
#include "guest.h"
#include <sys/stat.h>

asm(".text\n"
/* long written(fd): write(fd, -8(%rsp), 8) of "REDZONE!" */
"written: movabsq $0x21454e4f5a444552,%rax; movq %rax,-8(%rsp); leaq -8(%rsp),%rsi; movl $8,%edx\n"
"	movl $1,%eax; syscall; ret\n"
/* long written_far(fd): the same bytes, the address made another way */
"written_far: movabsq $0x21454e4f5a444552,%rax; movq %rax,-8(%rsp); movq %rsp,%rsi; nop; addq $-8,%rsi\n"
"	movl $8,%edx; movl $1,%eax; syscall; ret\n"
/* long clock_low(): clock_gettime(CLOCK_REALTIME, -16(%rsp)), tv_sec */
"clock_low: leaq -16(%rsp),%rsi; xorl %edi,%edi; movl $228,%eax; syscall; movq -16(%rsp),%rax; ret\n"
/* long clock_next(): the same at -24, so that tv_nsec is at -16; tv_sec */
"clock_next: leaq -24(%rsp),%rsi; xorl %edi,%edi; movl $228,%eax; syscall; movq -24(%rsp),%rax; ret\n"
/* long read_low(fd): read(fd, -8(%rsp), 8), the eight bytes */
"read_low: leaq -8(%rsp),%rsi; movl $8,%edx; xorl %eax,%eax; syscall; movq -8(%rsp),%rax; ret\n"
/* long fstat_low(fd): fstat(fd, -0x78(%rsp)) with 0x18 bytes of frame; st_ino, at +8 */
"fstat_low: subq $0x18,%rsp; leaq -0x78(%rsp),%rsi; movl $5,%eax; syscall; movq -0x70(%rsp),%rax\n"
"	addq $0x18,%rsp; ret\n"
/* long sleep_low(): nanosleep(-16(%rsp)) of 1000 ns */
"sleep_low: movq $0,-16(%rsp); movq $1000,-8(%rsp); leaq -16(%rsp),%rdi; xorl %esi,%esi; movl $35,%eax\n"
"	syscall; ret\n");
extern long written(long), written_far(long), clock_low(void), clock_next(void), read_low(long), fstat_low(long), sleep_low(void);

int main(void)
{
	int fds[2];
	char text[9] = "";
	struct stat status;
	CHECK(pipe(fds) == 0 && fstat(fds[0], &status) == 0);
	for (int again = 0; again < 5; again++) {
		CHECK_EQ(written(fds[1]), 8);
		CHECK(read(fds[0], text, 8) == 8 && !strcmp(text, "REDZONE!"));
		CHECK_EQ(written_far(fds[1]), 8);
		CHECK_EQ(read_low(fds[0]), 0x21454e4f5a444552);
		long now = time(NULL), low = clock_low(), next = clock_next();
		CHECK(low >= now && low <= now + 60 && next >= low && next <= now + 60);
		CHECK_EQ(fstat_low(fds[0]), status.st_ino);
		CHECK_EQ(sleep_low(), 0);
	}
	say("read and written: %s", text);
	return 0;
}
