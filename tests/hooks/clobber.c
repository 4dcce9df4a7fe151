/* clobber - row 10: writes every register of every component of the CPU's extended state around each call, but PKRU:
 * then the x87 stack is full, with other control bits, and an exception waits; MXCSR is not the default; AMX tiles are
 * in use, if the program has leave to. It also looks that its own code starts with an empty x87 stack and the control
 * bits that the ABI promises to a function, whatever the program has; else it says so and aborts.
 *
 * Calls with an even number it leaves to next() for good, by a jump; after others it writes all of it again.
 *
 * Call 1500, which the kernel doesn't know, it answers by itself, as the kernel would.
 * clobber.so:general wants getuid only, and says that it uses general registers only, which is not true;
 * clobber.so:sse writes those of x87 and SSE only; clobber.so:NUMBER wants that call only. */
#include <zlazy/zlazy.h>
#include <cpuid.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ANSWERED = 1500, ARCH_GET_PERMISSION = 0x1022 };
enum { AREA = 16384, LEGACY = 512, MXCSR_AT = 24, TILE_CONFIG = 17, TILES };
#define BIT(n) (1ul << (n))
#define AMX (BIT(TILE_CONFIG) | BIT(TILES))

static const struct zlazy_api *api;
static unsigned char junk[AREA] __attribute__((aligned(64)));
static uint64_t mask;   /* components; 0: no xrstor here, or only x87 and SSE are asked for */
static int is_general;

static void clobber(void)
{
	uint64_t now = mask, permitted = 0;
	if (mask & AMX && (syscall(SYS_arch_prctl, ARCH_GET_PERMISSION, &permitted) != 0 || !(permitted & BIT(TILES))))
		now &= ~AMX;
	if (now)
		asm volatile("xrstor64 %0" : : "m"(junk), "a"((uint32_t)now), "d"((uint32_t)(now >> 32)) : "memory");
	else
		asm volatile("fxrstor64 %0" : : "m"(junk) : "memory");
}

/* The psABI leaves these as they were to callers within the hook. */
static void restore_control(void)
{
	static const unsigned mxcsr = 0x1f80;
	asm volatile("fninit; ldmxcsr %0" : : "m"(mxcsr));
}

static void check_start(void)
{
	struct { uint16_t control, status; uint8_t tags, rest[19]; uint32_t mxcsr; uint8_t more[LEGACY - 28]; }
		state __attribute__((aligned(16)));
	char text[128];
	asm volatile("fxsave64 %0" : "=m"(state));
	if (state.control == 0x37f && state.status == 0 && state.tags == 0 && state.mxcsr == 0x1f80)
		return;
	restore_control();
	snprintf(text, sizeof(text), "clobber: starts with x87 control %#x, status %#x, tags %#x; MXCSR %#x", state.control,
		 state.status, state.tags, state.mxcsr);
	api->log(text);
	abort();
}

static long on_call(struct zlazy_call *call, void *data)
{
	(void)data;
	if (!is_general)
		check_start();
	clobber();
	restore_control();
	if (call->number != ANSWERED && call->number % 2 == 0)
		return api->next(call);
	long result = call->number == ANSWERED && call->abi == ZLAZY_ABI_X86_64 ? -ENOSYS : api->next(call);
	clobber();
	return result;
}

/* What xrstor makes all of: no byte zero but the reserved ones. */
static void fill_junk(void)
{
	static const uint16_t control_and_status[] = { 0x0c3e, 0x9881 };   /* an exception that is not masked waits */
	static const uint32_t mxcsr = 0x7fc0;
	unsigned size, at, c, d;
	memset(junk, 0xa5, sizeof(junk));
	memset(junk, 0, MXCSR_AT);
	memcpy(junk, control_and_status, sizeof(control_and_status));
	junk[4] = 0xff;
	memcpy(junk + MXCSR_AT, &mxcsr, sizeof(mxcsr));
	memset(junk + LEGACY, 0, 64);
	memcpy(junk + LEGACY, &mask, sizeof(mask));
	if (!(mask & AMX))
		return;
	__cpuid_count(0xd, TILE_CONFIG, size, at, c, d);
	memset(junk + at, 0, size);
	junk[at] = 1;   /* palette 1: eight tiles of 16 rows of 64 bytes */
	for (int i = 0; i < 8; i++)
		junk[at + 16 + 2 * (unsigned)i] = 64, junk[at + 48 + (unsigned)i] = 16;
}

static uint64_t all_components(void)
{
	static const uint64_t known = 0xe7 | AMX | BIT(19);   /* x87, SSE, AVX, AVX-512, AMX, APX */
	unsigned a, b, c, d, low, high;
	__cpuid(1, a, b, c, d);
	if (!(c & 1 << 27))
		return 0;
	asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return ((uint64_t)high << 32 | low) & known;
}

int zlazy_hook_init(const struct zlazy_api *a, const char *argument, struct zlazy_hook *hook)
{
	api = a;
	hook->on_call = on_call;
	is_general = strcmp(argument, "general") == 0;
	int is_sse = strcmp(argument, "sse") == 0;
	mask = is_sse ? 0 : all_components();
	fill_junk();
	if (is_general) {
		hook->registers = ZLAZY_GENERAL_ONLY;
		zlazy_want(hook, SYS_getuid);
	} else if (argument[0] && !is_sse) {
		zlazy_want(hook, atol(argument));
	} else {
		zlazy_want_all(hook);
	}
	return 0;
}
