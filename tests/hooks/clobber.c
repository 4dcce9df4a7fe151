/* clobber - row 10: writes every vector, mask, MMX and x87 register, mxcsr and the x87 control word around each call.
 * clobber.so:general wants getuid only, and says that it uses general registers only, which is not true;
 * clobber.so:sse writes those of x87 and SSE only; clobber.so:NUMBER wants that call only. */
#include <zlazy/zlazy.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

static const struct zlazy_api *api;
static int has_avx512, has_avx;

static void clobber(void)
{
	static const unsigned mxcsr = 0x7fc0;
	static const unsigned short control = 0x0c3f;
#define ALL16(text) text(0) text(1) text(2) text(3) text(4) text(5) text(6) text(7) text(8) text(9) text(10) text(11) \
	text(12) text(13) text(14) text(15)
#define SSE(n) "pcmpeqd %%xmm" #n ",%%xmm" #n "\n"
#define AVX(n) "vpcmpeqd %%ymm" #n ",%%ymm" #n ",%%ymm" #n "\n"
#define HIGH(n) "vpternlogd $255,%%zmm1" #n ",%%zmm1" #n ",%%zmm1" #n "\n"
#define MASK(n) "kxnorq %%k" #n ",%%k" #n ",%%k" #n "\n"
	if (has_avx512)
		asm volatile(HIGH(6) HIGH(7) HIGH(8) HIGH(9) "vpternlogd $255,%%zmm20,%%zmm20,%%zmm20\n"
			"vpternlogd $255,%%zmm25,%%zmm25,%%zmm25; vpternlogd $255,%%zmm31,%%zmm31,%%zmm31\n"
			"vpternlogd $255,%%zmm0,%%zmm0,%%zmm0; vpternlogd $255,%%zmm15,%%zmm15,%%zmm15\n"
			MASK(0) MASK(1) MASK(2) MASK(3) MASK(4) MASK(5) MASK(6) MASK(7) ::: "memory");
	if (has_avx)
		asm volatile(ALL16(AVX) ::: "memory");
	else
		asm volatile(ALL16(SSE) ::: "memory");
	asm volatile("fninit; fld1; fldpi; fldcw %0; ldmxcsr %1" : : "m"(control), "m"(mxcsr) : "memory");
}

/* The psABI leaves these as they were to callers within the hook. */
static void restore_control(void)
{
	static const unsigned mxcsr = 0x1f80;
	asm volatile("fninit; ldmxcsr %0" : : "m"(mxcsr));
}

static long on_call(struct zlazy_call *call, void *data)
{
	(void)data;
	clobber();
	restore_control();
	long result = api->next(call);
	clobber();
	return result;
}

int zlazy_hook_init(const struct zlazy_api *a, const char *argument, struct zlazy_hook *hook)
{
	api = a;
	has_avx = __builtin_cpu_supports("avx2");
	has_avx512 = __builtin_cpu_supports("avx512bw");
	hook->on_call = on_call;
	if (strcmp(argument, "general") == 0) {
		hook->registers = ZLAZY_GENERAL_ONLY;
		zlazy_want(hook, SYS_getuid);
	} else if (strcmp(argument, "sse") == 0) {
		has_avx = has_avx512 = 0;
		zlazy_want_all(hook);
	} else if (argument[0]) {
		zlazy_want(hook, atol(argument));
	} else {
		zlazy_want_all(hook);
	}
	return 0;
}
