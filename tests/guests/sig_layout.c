/* sig_layout - row 11: the frame of a signal at the end of a call has the extended state as the kernel lays it out, upper
 * halves of AVX registers included, and what is edited there holds; the state of an interrupted call, too */
#include "guest.h"

enum { SOFTWARE = 464, YMM_HIGH = 576, SEEN = 0x11223344, EDITED = 0x55667788 };
static bool has_avx;
static volatile int handled;

static void on_signal(int signo, siginfo_t *info, void *context)
{
	ucontext_t *c = context;
	char *state = (char *)c->uc_mcontext.fpregs;
	struct _fpx_sw_bytes *layout = (struct _fpx_sw_bytes *)(state + SOFTWARE);
	uint64_t *header = (uint64_t *)(state + 512);
	uint32_t end, *high = (uint32_t *)(state + YMM_HIGH + 5 * 16);
	(void)signo, (void)info;
	CHECK((uintptr_t)state % 64 == 0 && layout->magic1 == FP_XSTATE_MAGIC1);
	memcpy(&end, state + layout->xstate_size, sizeof(end));
	CHECK(end == FP_XSTATE_MAGIC2 && (header[0] & 3) == 3 && (header[0] & ~layout->xstate_bv) == 0);
	for (int i = 1; i < 8; i++)
		CHECK(header[i] == 0);
	if (has_avx && (header[0] & 4) && *high == SEEN)   /* not before the call, nor after it */
		*high = EDITED;
	if (handled++ < 2)
		say("flags %#lx, size %u of %u, features %#llx, segments %#llx", c->uc_flags, layout->xstate_size,
		    layout->extended_size, (unsigned long long)layout->xstate_bv,
		    (unsigned long long)c->uc_mcontext.gregs[REG_CSGSFS]);
}

/* A call with ymm5 of our own; what its upper half begins with afterwards. */
__attribute__((noinline)) static uint32_t call_with_ymm(long nr, long a, long b)
{
	uint32_t in[8] = { 1, 1, 1, 1, SEEN, SEEN, SEEN, SEEN }, out[8] = { 0, 0, 0, 0, EDITED };
	if (has_avx)
		asm volatile("vmovdqu (%[in]), %%ymm5; syscall; vmovdqu %%ymm5, (%[out]); vzeroupper" : "+a"(nr)
			: "D"(a), "S"(b), [in] "r"(in), [out] "r"(out) : "rcx", "r11", "memory", "xmm5");
	else
		asm volatile("syscall" : "+a"(nr) : "D"(a), "S"(b) : "rcx", "r11", "memory");
	return out[4];
}

int main(void)
{
	struct itimerval ticks = { { 0, 3000 }, { 0, 3000 } }, off = { { 0, 0 }, { 0, 0 } };
	struct timespec time = { 1, 0 };
	has_avx = __builtin_cpu_supports("avx");
	handle(SIGUSR1, on_signal, 0), handle(SIGALRM, on_signal, 0);
	for (int i = 0; i < 20; i++) {
		CHECK_EQ(call_with_ymm(SYS_tkill, gettid(), SIGUSR1), EDITED);
		setitimer(ITIMER_REAL, &ticks, NULL);
		CHECK_EQ(call_with_ymm(SYS_nanosleep, (long)&time, 0), EDITED);
		setitimer(ITIMER_REAL, &off, NULL);
	}
	return 0;
}
