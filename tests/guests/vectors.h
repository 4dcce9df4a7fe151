/* vectors.h - every register of every component of the CPU's extended state, around one call
 *
 * vectors_call(v) loads v->in by xrstor, calls v->call, and stores all that there is right before and right after it:
 * by xsave in the standard format, whose places CPUID leaf 0xd tells, and by xgetbv(1), which says what is in use.
 * VECTORS_ROUTINE makes another such routine, with other instructions as the call.
 *
 * v->mask has the components: x87/MMX, SSE with MXCSR, AVX, opmasks, upper halves of zmm0-15, zmm16-31, r16-r31, and
 * AMX tiles when the kernel gives leave. Not PKRU, which says where the program may read.
 */
#ifndef GUEST_VECTORS_H
#define GUEST_VECTORS_H

#include "jump.h"
#include <cpuid.h>
#include <stddef.h>

enum { X87, SSE, AVX, OPMASKS = 5, HIGH_HALVES, HIGH_16, TILE_CONFIG = 17, TILES, APX, COMPONENTS };
enum { VECTORS_AREA = 16384, LAST_AT = 6, MXCSR_AT = 24, ST_AT = 32, XMM_AT = 160, MAGIC_AT = 464, IN_USE_AT = 512 };
enum { ARCH_REQ_PERMISSION = 0x1023 };
#define BIT(n) (1ul << (n))
#define AMX (BIT(TILE_CONFIG) | BIT(TILES))

struct vectors {
	uint64_t mask, in_use_before, in_use_after;
	long result, nr, arg[5];
	call_function *call;
	struct vectors *other;   /* vec_children */
	_Alignas(64) unsigned char in[VECTORS_AREA], before[VECTORS_AREA], after[VECTORS_AREA];
};
_Static_assert(offsetof(struct vectors, in) == 128 && offsetof(struct vectors, other) == 88, "VECTORS_ROUTINE");

/* Zero but for MXCSR, which makes it the initial state; and whether xgetbv(1) is there. */
unsigned char vectors_initial[VECTORS_AREA] __attribute__((aligned(64)));
int vectors_tell;
static unsigned vectors_at[COMPONENTS], vectors_size[COMPONENTS];

#define VECTORS_IN_USE(at) "cmpl $0,vectors_tell(%rip); je 11f; movl $1,%ecx; xgetbv; shlq $32,%rdx; orq %rdx,%rax\n" \
	"movq %rax," at "(%rbx); 11: movl (%rbx),%eax; movl 4(%rbx),%edx\n"
/* name(v): call: with v in rbx, the result in rax; tail: after all is stored. */
#define VECTORS_ROUTINE(name, call, tail) FUNCTION(name, \
	"pushq %rbx; pushq %rbp; pushq %r12; pushq %r13; pushq %r14; pushq %r15; subq $8,%rsp; movq %rdi,%rbx\n" \
	"movl (%rbx),%eax; movl 4(%rbx),%edx; xrstor64 128(%rbx)\n" VECTORS_IN_USE("8") "xsave64 128+16384(%rbx)\n" \
	"movq 40(%rbx),%rdi; movq 48(%rbx),%rsi; movq 56(%rbx),%rdx; movq 64(%rbx),%rcx; movq 72(%rbx),%r8\n" call \
	"movq %rax,24(%rbx)\n" VECTORS_IN_USE("16") "xsave64 128+2*16384(%rbx); xrstor64 vectors_initial(%rip)\n" tail \
	"addq $8,%rsp; popq %r15; popq %r14; popq %r13; popq %r12; popq %rbp; popq %rbx; ret"); \
	extern void name(struct vectors *v)
VECTORS_ROUTINE(vectors_call, "call *80(%rbx)\n", "");

/* All components of this CPU; skips where there is no xsave. */
static uint64_t vectors_start(void)
{
	unsigned a, b, c, d, low, high;
	__cpuid(1, a, b, c, d);
	if (!(c & 1 << 27))
		SKIP("no xsave here");
	asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	uint64_t all = BIT(X87) | BIT(SSE) | BIT(AVX) | 7 << OPMASKS | AMX | BIT(APX);
	uint64_t mask = ((uint64_t)high << 32 | low) & all;
	if ((mask & AMX) != AMX || syscall(SYS_arch_prctl, ARCH_REQ_PERMISSION, TILES) != 0)
		mask &= ~AMX;
	for (unsigned i = AVX; i < COMPONENTS; i++) {
		__cpuid_count(0xd, i, vectors_size[i], vectors_at[i], c, d);
		CHECK(!(mask & BIT(i)) || vectors_at[i] + vectors_size[i] <= VECTORS_AREA);
	}
	__cpuid_count(0xd, 1, a, b, c, d);
	vectors_tell = a >> 2 & 1;
	memcpy(vectors_initial + MXCSR_AT, &(uint32_t){ 0x1f80 }, 4);
	return mask;
}

/* For each component: do two images have the same, take it from the other. */
static bool vectors_same(const unsigned char *a, const unsigned char *b, unsigned i)
{
	if (i == X87)
		return !memcmp(a, b, MXCSR_AT) && !memcmp(a + ST_AT, b + ST_AT, XMM_AT - ST_AT);
	if (i == SSE)
		return !memcmp(a + MXCSR_AT, b + MXCSR_AT, 4) && !memcmp(a + XMM_AT, b + XMM_AT, 256);
	return !memcmp(a + vectors_at[i], b + vectors_at[i], vectors_size[i]);
}

GUEST_UNUSED static void vectors_take(unsigned char *to, const unsigned char *from, unsigned i)
{
	if (i == X87)
		memcpy(to, from, MXCSR_AT), memcpy(to + ST_AT, from + ST_AT, XMM_AT - ST_AT);
	else if (i == SSE)
		memcpy(to + MXCSR_AT, from + MXCSR_AT, 4), memcpy(to + XMM_AT, from + XMM_AT, 256);
	else
		memcpy(to + vectors_at[i], from + vectors_at[i], vectors_size[i]);
}

/* A full stack; MMX; an empty stack, but another control word; two registers and an exception that the next x87
 * instruction but a few raises: fxsave, xsave and fninit are among those few, fldcw and emms are not. */
static void vectors_fill_x87(unsigned char *image, unsigned seed)
{
	static const struct { uint16_t control, status; uint8_t tag; } kinds[] = {
		{ 0x0c7f, 0x2822, 0xff }, { 0x037f, 0x0000, 0xff }, { 0x0f7f, 0x0000, 0x00 }, { 0x0b7e, 0xb081, 0xc0 } };
	unsigned kind = seed % 4;
	memset(image, 0, MXCSR_AT);
	memcpy(image, &kinds[kind], 5);
	memcpy(image + LAST_AT, &(uint16_t){ 0x1d9 }, 2);   /* the last instruction: opcode, its address, its operand's */
	memcpy(image + LAST_AT + 2, (uint64_t[]){ 0x123456789abc + seed, 0x3cba98765432 + seed }, 16);
	for (unsigned i = 0; i < 8; i++) {
		unsigned char *st = image + ST_AT + 16 * i;
		memset(st + 10, 0, 6);
		memcpy(st + 8, kind == 1 ? "\xff\xff" : "\x01\x40", 2);
		st[7] |= 0x80;
	}
}

/* v->in: components `use` in use, with bytes that the seed gives, or zero; the others in their initial state. */
static void vectors_fill(struct vectors *v, uint64_t use, unsigned seed, bool zero)
{
	static const uint32_t mxcsr[] = { 0x1f80, 0x9fc0, 0x7f80, 0x3fbf, 0x0000, 0x603f, 0x1fa0 };
	memset(v->in, 0, VECTORS_AREA);
	for (unsigned i = 0; !zero && i < VECTORS_AREA; i++)
		if (i < IN_USE_AT || i >= IN_USE_AT + 64)
			v->in[i] = (unsigned char)(i * 7 + i / 64 + seed * 13 + 1);
	if (zero)
		v->in[0] = 0x40;   /* a bit of the control word that is always set */
	else
		vectors_fill_x87(v->in, seed);
	memcpy(v->in + IN_USE_AT, &use, 8);
	memcpy(v->in + MXCSR_AT, &mxcsr[seed % COUNT_OF(mxcsr)], 4);
	if (v->mask & AMX) {   /* palette 1: eight tiles of 16 rows of 64 bytes */
		unsigned char *config = memset(v->in + vectors_at[TILE_CONFIG], 0, vectors_size[TILE_CONFIG]);
		config[0] = 1;
		for (int i = 0; i < 8; i++)
			config[16 + 2 * i] = 64, config[48 + i] = 16;
	}
}

/* What v->in asked for was there before the call. (Addresses of the last x87 instruction an AMD CPU keeps only while
 * an exception waits.) */
GUEST_UNUSED static void vectors_check_loaded(const struct vectors *v)
{
	static unsigned char wanted[VECTORS_AREA];
	uint64_t use;
	memcpy(&use, v->in + IN_USE_AT, 8);
	memset(wanted, 0, sizeof(wanted));
	memcpy(wanted, &(uint16_t){ 0x37f }, 2);
	memcpy(wanted + MXCSR_AT, v->in + MXCSR_AT, 4);
	for (unsigned i = 0; i < COMPONENTS; i++)
		if (v->mask & use & BIT(i))
			vectors_take(wanted, v->in, i);
	memcpy(wanted + LAST_AT, v->before + LAST_AT, MXCSR_AT - LAST_AT);
	for (unsigned i = 0; i < COMPONENTS; i++)
		if (v->mask & BIT(i) && !vectors_same(v->before, wanted, i))
			FAIL("component %u was not loaded, %#lx in use", i, use);
}

/* After the call each component of `mask` is as expected. */
static void vectors_check(const struct vectors *v, const unsigned char *expected, uint64_t mask, const char *when)
{
	for (unsigned i = 0; i < COMPONENTS; i++)
		if (v->mask & mask & BIT(i) && !vectors_same(v->after, expected, i))
			FAIL("%s: component %u changed, %#lx in use before, %#lx after", when, i, v->in_use_before, v->in_use_after);
}

/* The extended state that a handler was given is the one before the call. */
GUEST_UNUSED static void vectors_check_view(const struct vectors *v, const unsigned char *state)
{
	uint64_t in_use;
	memcpy(&in_use, state + IN_USE_AT, 8);
	CHECK(!memcmp(state + MAGIC_AT, "SXPF", 4));
	CHECK((in_use & 3) == 3);   /* the kernel always says so of x87 and SSE */
	for (unsigned i = 0; i < COMPONENTS; i++)
		if (v->mask & BIT(i) && !vectors_same(in_use & BIT(i) ? state : vectors_initial, v->before, i))
			FAIL("the handler sees another component %u, %#lx in use, %#lx before", i, in_use, v->in_use_before);
}

/* No component of `mask` that was in its initial state is in use after the call. (Seen natively, on a Zen 4, after a
 * thread switch: SSE in use where it was not, and AVX, too, where the upper halves of zmm0-15 were.) */
GUEST_UNUSED static void vectors_check_unused(const struct vectors *v, uint64_t mask, const char *when)
{
	uint64_t more = v->in_use_after & ~v->in_use_before & v->mask & mask;
	more &= ~(BIT(SSE) | (v->in_use_before & BIT(HIGH_HALVES) ? BIT(AVX) : 0));
	if (more)
		FAIL("%s: components %#lx came into use, %#lx were", when, more, v->in_use_before);
}

/* State 0 to 63: each set of the first six components, the others alternating. */
GUEST_UNUSED static uint64_t vectors_state(const struct vectors *v, unsigned state)
{
	static const unsigned order[] = { X87, SSE, AVX, OPMASKS, HIGH_HALVES, HIGH_16 };
	uint64_t use = (state & 1) != (state >> 3 & 1) ? AMX : 0;
	for (unsigned i = 0; i < COUNT_OF(order); i++)
		use |= state >> i & 1 ? BIT(order[i]) : 0;
	return (use | ((state ^ state >> 2) & 1 ? BIT(APX) : 0)) & v->mask;
}

#endif
