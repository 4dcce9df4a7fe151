/* sig_state - row 11: a handler begins with the initial extended state and direction flag, may spoil it, may edit the saved one;
 * from a busy loop, from a blocked call, from a call's end */
#include "guest.h"

static volatile int handled;
static volatile unsigned mxcsr, control;
static volatile bool edits;

static void on_signal(int signo, siginfo_t *info, void *context)
{
	unsigned now;
	unsigned short word;
	unsigned long flags;
	(void)signo, (void)info;
	asm volatile("stmxcsr %0; fnstcw %1; pushfq; popq %2" : "=m"(now), "=m"(word), "=r"(flags));
	mxcsr = now, control = word;
	CHECK(!(flags & 0x400));
	ucontext_t *c = context;
	if (edits)
		c->uc_mcontext.fpregs->_xmm[3].element[0] = 0x600d600d;
	asm volatile("pcmpeqd %%xmm0,%%xmm0; pcmpeqd %%xmm3,%%xmm3; pcmpeqd %%xmm15,%%xmm15; fninit; fld1; fld1" ::: "xmm0", "xmm3", "xmm15");
	now = 0x1f80 | 0x6000;
	asm volatile("ldmxcsr %0" :: "m"(now));
	handled++;
}

/* One call with 11..., 33..., MXCSR and x87 control of our own around; returns xmm3's low word, and checks the rest. */
__attribute__((noinline)) static unsigned call_with_state(long nr, long a, long b, int *result)
{
	unsigned odd = 0x9f80 | 0x2000, after;   /* flush to zero, round down */
	unsigned short word = 0x027f, word_after;
	unsigned low[4][4];
	long answer;
	asm volatile("fninit; fldcw %[word]; fldpi; ldmxcsr %[odd]; movl $0x11111111,%%ecx; movd %%ecx,%%xmm0; movl $0x33333333,%%ecx;"
		"movd %%ecx,%%xmm3; movd %%ecx,%%xmm15; syscall; movups %%xmm0,(%[low]); movups %%xmm3,16(%[low]); movups %%xmm15,32(%[low]);"
		"stmxcsr %[after]; fnstcw %[word_after]; fldpi; fcompp; fnstsw 48(%[low]); fninit; movl $0x1f80,52(%[low]);"
		"ldmxcsr 52(%[low])"
		: "=a"(answer), [after] "=m"(after), [word_after] "=m"(word_after) : "0"(nr), "D"(a), "S"(b), "d"(1), [low] "r"(low),
		[word] "m"(word), [odd] "m"(odd) : "rcx", "r11", "memory", "xmm0", "xmm3", "xmm15");
	CHECK(after == odd && word_after == word && low[0][0] == 0x11111111 && low[2][0] == 0x33333333);
	CHECK_EQ(low[3][0] & 0x4500, 0x4000);   /* pi is on the stack still */
	*result = (int)answer;
	return low[1][0];
}

int main(void)
{
	struct itimerval ticks = { { 0, 3000 }, { 0, 3000 } }, off = { { 0, 0 }, { 0, 0 } };
	struct timespec time = { 1, 0 };
	int result;
	handle(SIGALRM, on_signal, 0);
	for (int round = 0; round < 20; round++) {
		int before = handled;
		edits = round & 1;
		setitimer(ITIMER_REAL, &ticks, NULL);   /* again and again: the first may come before the call */
		unsigned low = call_with_state(SYS_nanosleep, (long)&time, 0, &result);
		setitimer(ITIMER_REAL, &off, NULL);
		CHECK(result == -EINTR && handled > before);
		CHECK_EQ(low, edits ? 0x600d600d : 0x33333333);
		CHECK(mxcsr == 0x1f80 && control == 0x37f);
		handle(SIGUSR1, on_signal, 0);
		before = handled;
		low = call_with_state(SYS_tkill, gettid(), SIGUSR1, &result);   /* comes at the call's end */
		CHECK(result == 0 && handled == before + 1);
		CHECK_EQ(low, edits ? 0x600d600d : 0x33333333);
		CHECK(mxcsr == 0x1f80 && control == 0x37f);
	}
	say("handlers began with mxcsr %#x, control word %#x", mxcsr, control);
	return 0;
}
