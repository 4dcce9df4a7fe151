/* jump_redzone - issue 5, row 5: all of the red zone holds data over a call, or is the buffer of one */
#include "jump.h"

#define WORDS "8,16,24,32,40,48,56,64,72,80,88,96,104,112,120,128"
#define KEEP(number) "leaq 77(%rdi),%rsi\n.irp o," WORDS "\nleaq \\o(%rsi),%rcx; movq %rcx,-\\o(%rsp)\n.endr\n" \
	number "syscall; movq %rax,%rdx; xorl %eax,%eax\n.irp o," WORDS "\naddq -\\o(%rsp),%rax\n.endr\n"
#define FILL(number) "movl $128,%edx; leaq -128(%rsp),%rsi; xorl %r10d,%r10d; " number "syscall; xorl %eax,%eax\n" \
	".irp o," WORDS "\naddq -\\o(%rsp),%rax\n.endr\n"
FUNCTION(mov_keeps, KEEP("movl $102,%eax; ") "ret");
FUNCTION(cave_keeps, KEEP("movl %edx,%eax; ") PADDING "ret");
FUNCTION(mov_fills, FILL("movl $17,%eax; ") "ret");
FUNCTION(cave_fills, "movl %esi,%r8d; " FILL("movl %r8d,%eax; ") PADDING "ret");
extern call_function mov_keeps, cave_keeps, mov_fills, cave_fills;

int main(void)
{
	int fd = memfd_create("words", 0);
	long words[16], sum = 0;
	for (int i = 0; i < 16; i++)
		sum += words[i] = 0x0101010101010101 * i ^ i;
	CHECK(write(fd, words, sizeof(words)) == sizeof(words));
	for (int i = 0; i < 1000; i++) {
		CHECK_EQ(mov_keeps(i, 0, 0), 16 * (77 + i) + 8 * 136);
		CHECK_EQ(cave_keeps(i, 0, i % 2 ? SYS_getuid : 500), 16 * (77 + i) + 8 * 136);
		CHECK_EQ(mov_fills(fd, 0, 0), sum);
		CHECK_EQ(cave_fills(fd, SYS_pread64, 0), sum);
	}
	say("red zones intact");
	return 0;
}
