/* vector.c - what vector.S saves, found out once at start */
#include "trampoline/entry.h"
#include <cpuid.h>
#include "base/poison.h"

enum { LEAF_FEATURES = 1, LEAF_XSAVE = 0xd, XSAVE_BIT = 1 << 27 /* OSXSAVE */, XSAVEC_BIT = 1 << 1 };
enum { VECTOR_FXSAVE, VECTOR_XSAVE, VECTOR_XSAVEC };   /* as in vector.S */
static const uint64_t pkru = 1 << 9;

uint32_t zl_vector_size = 512;
uint32_t zl_vector_kind = VECTOR_FXSAVE;
uint64_t zl_vector_mask;

void zl_vectors_start(void)
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
		zl_vector_kind = VECTOR_XSAVEC;
}
