/* vector.c - what vector.S saves, found out once at start
 *
 * With ZL_FAULT_INJECTION the CPU can be made to look poorer than it is (ZLAZY_WITHOUT). The program goes on using what
 * is then not saved, so only hooks that keep off it do no harm.
 */
#include "trampoline/entry.h"
#include "base/string.h"
#include <cpuid.h>
#include "base/poison.h"

enum { LEAF_FEATURES = 1, LEAF_MORE_FEATURES = 7, LEAF_XSAVE = 0xd, XSAVE_BIT = 1 << 27 /* OSXSAVE */,
       XSAVEC_BIT = 1 << 1, XGETBV_BIT = 1 << 2, AVX512BW_BIT = 1 << 30 };
static const uint64_t avx = 1 << 2, avx512 = 7 << 5, pkru = 1 << 9;

uint32_t zl_vector_size = 512;
uint32_t zl_vector_kind = VECTOR_FXSAVE;
uint64_t zl_vector_mask;

#ifdef ZL_FAULT_INJECTION
static enum { NOTHING, AVX512, XGETBV, AVX, XSAVEC, XSAVE } lacks;

bool zl_vectors_lack(const char *feature)
{
	static const char *const name[] = {
		[AVX512] = "avx512", [XGETBV] = "xgetbv", [AVX] = "avx", [XSAVEC] = "xsavec", [XSAVE] = "xsave",
	};

	lacks = XSAVE;
	while (lacks != NOTHING && !zl_equal(feature, name[lacks]))
		lacks--;
	return lacks != NOTHING;
}

/* As on a CPU without AVX-512; one that does not tell what is in use; one whose only extended states are those of x87
 * and SSE (XCR0 is 3, and there is no xsavec); one without xsavec; one without xsave. */
static void take_away(void)
{
	enum { X87_AND_SSE = 3, LEGACY_SIZE = 512, HEADER_SIZE = 64 };

	if (lacks == AVX512)
		zl_vector_mask &= ~avx512;
	if (lacks == XGETBV && zl_vector_kind == VECTOR_PARTS)
		zl_vector_kind = VECTOR_XSAVEC;
	if (lacks >= AVX && zl_vector_kind > VECTOR_XSAVE)
		zl_vector_kind = VECTOR_XSAVE;
	if (lacks == AVX && zl_vector_kind == VECTOR_XSAVE) {
		zl_vector_mask = X87_AND_SSE;
		zl_vector_size = LEGACY_SIZE + HEADER_SIZE;
	} else if (lacks == XSAVE) {
		zl_vector_kind = VECTOR_FXSAVE;
		zl_vector_mask = 0;
		zl_vector_size = LEGACY_SIZE;
	}
}
#else
static void take_away(void) { }
#endif

/* Those of AVX-512 are moved with instructions of AVX512BW, which but for Xeon Phi every CPU with AVX-512 has. */
static bool can_be_moved(void)
{
	unsigned a, b, c, d;

	if (!(zl_vector_mask & avx512))
		return zl_vector_mask & avx;
	__cpuid_count(LEAF_MORE_FEATURES, 0, a, b, c, d);
	return zl_vector_mask & avx && b & AVX512BW_BIT;
}

static void ask_cpu(void)
{
	unsigned a, b, c, d, low, high;

	__cpuid(LEAF_FEATURES, a, b, c, d);
	if (!(c & XSAVE_BIT))
		return;
	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	zl_vector_mask = (((uint64_t)high << 32) | low) & ~pkru;
	__cpuid_count(LEAF_XSAVE, 0, a, b, c, d);
	zl_vector_size = b;
	zl_vector_kind = VECTOR_XSAVE;
	__cpuid_count(LEAF_XSAVE, 1, a, b, c, d);
	if (a & XSAVEC_BIT)
		zl_vector_kind = a & XGETBV_BIT && can_be_moved() ? VECTOR_PARTS : VECTOR_XSAVEC;
}

void zl_vectors_start(enum zl_vectors choice)
{
	ask_cpu();
	take_away();
	if (zl_vector_kind == VECTOR_PARTS && choice == ZL_VECTORS_XSAVEC)
		zl_vector_kind = VECTOR_XSAVEC;
	if (zl_vector_kind == VECTOR_PARTS)
		zl_vector_size += PARTS_SIZE;
}
