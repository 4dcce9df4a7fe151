/* test_trap.c - what becomes of a site that traps (lazy/trap.c), on code laid into private pages
 *
 *   rewritten        an ordinary site; one whose first caller had fs = 0, or passed number 15, or came while no
 *                    descriptor was to be had
 *   refused          a restorer; any site without a decoder; a shared mapping; one in writable memory, but for those
 *                    whose number is moved to eax right before
 *   claimed          calls from where no site is: what was one until a moment ago, and copies
 *   not claimed      every encoding of the program's own `call`, where a site was
 *   stale record     of code that was there before: gone when the new code is refused
 *   neighbours       already rewritten or not: the verdict is the same
 *
 * The window around a site must be mapped: no handler catches faults here.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "agent/zydis.h"
#include "base/raw.h"
#include "base/tally.h"
#include "lazy/codefd.h"
#include "lazy/decoder.h"
#include "lazy/sites.h"
#include "lazy/tactic.h"
#include "lazy/trap.h"
#include <asm/prctl.h>
#include <dlfcn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

enum { SIZE = 3 * 4096, AT = 4096 + 512, NOP = 0x90, GETPID = 39, RT_SIGRETURN = 15 };
#define SITE "\x0f\x05"

bool zl_copy_hides_zero;   /* trampoline/zero.c has it */
const char zl_entry_stub[1];   /* trampoline/entry.S has it */
static struct zl_shared own;
struct zl_shared *zl_shared = &own;

/* Code of a case, and where its site is. */
struct site { uint8_t *bytes; uintptr_t after; };

static struct site lay_at(uint8_t *page, const char *code, size_t size)
{
	struct site site = { page + AT, 0 };

	assert_ptr_not_equal(page, MAP_FAILED);
	memset(page, NOP, SIZE);
	memcpy(site.bytes, code, size);
	while (memcmp(site.bytes, SITE, 2) != 0)
		site.bytes++;
	site.after = (uintptr_t)site.bytes + 2;
	return site;
}

/* The addresses are not used again: records would be found. */
static struct site lay_shared(const char *code, size_t size, int sharing)
{
	const int all = PROT_READ | PROT_WRITE | PROT_EXEC;
	return lay_at(mmap(NULL, SIZE, all, sharing | MAP_ANONYMOUS, -1, 0), code, size);
}

static struct site lay_closed(const char *code, size_t size)
{
	struct site site = lay_shared(code, size, MAP_PRIVATE);
	mprotect((void *)((uintptr_t)site.bytes & ~0xfffUL), 4096, PROT_READ | PROT_EXEC);
	return site;
}
#define lay(code) lay_closed(code, sizeof(code) - 1)
#define lay_open(code) lay_shared(code, sizeof(code) - 1, MAP_PRIVATE)

#define PLAIN "\x89\xf8" SITE "\xc3"                         /* mov %edi,%eax; syscall; ret */
#define INSIDE "\xb8" SITE "\x00\x00\xc3"                    /* mov $0x50f,%eax; ret */

static void expect_rewritten(struct site site)
{
	assert_memory_equal(site.bytes, "\xff\xd0", 2);
	assert_true(zl_site_state(site.after));
}

static bool is_refused(struct site site)
{
	const struct zl_leaf *leaf = zl_leaf_find(site.after);
	return leaf && zl_site_bit(leaf->refused, site.after);
}

static void expect_old(struct site site, bool refused)
{
	assert_memory_equal(site.bytes, SITE, 2);
	assert_false(zl_site_state(site.after));
	assert_int_equal(is_refused(site), refused);
}

static void test_trap_rewrites(void **state)
{
	struct site site = lay(PLAIN);

	(void)state;
	zl_site_trapped(site.after, GETPID);
	expect_rewritten(site);
	zl_site_trapped(site.after, GETPID);   /* the trap of a thread that was slower */
	expect_rewritten(site);
}

static void test_trap_judges_again_after_number_15(void **state)
{
	struct site site = lay(PLAIN);

	(void)state;
	zl_site_trapped(site.after, RT_SIGRETURN);
	expect_old(site, false);
	zl_site_trapped(site.after, GETPID);
	expect_rewritten(site);
}

static void test_trap_refuses_restorer(void **state)
{
	struct site site = lay("\x48\xc7\xc0\x0f\x00\x00\x00" SITE);

	(void)state;
	zl_site_trapped(site.after, RT_SIGRETURN);
	expect_old(site, true);
	assert_int_equal(atomic_load(&own.tally.refused[ZL_SIGRETURN]), 1);
}

static void test_trap_judges_again_after_no_thread_pointer(void **state)
{
	struct site site = lay(PLAIN);
	unsigned long fs = 0;

	(void)state;
#ifdef __SANITIZE_ADDRESS__
	skip();   /* its run time needs fs */
#endif
	zl_raw(__NR_arch_prctl, ARCH_GET_FS, &fs);
	zl_raw(__NR_arch_prctl, ARCH_SET_FS, 0);
	zl_site_trapped(site.after, GETPID);
	zl_raw(__NR_arch_prctl, ARCH_SET_FS, fs);
	expect_old(site, false);
	zl_site_trapped(site.after, GETPID);
	expect_rewritten(site);
}

static void test_trap_judges_again_after_no_descriptor(void **state)
{
	struct site site = lay(PLAIN);
	struct rlimit limit, none;

	(void)state;
	getrlimit(RLIMIT_NOFILE, &limit);
	none = (struct rlimit){ 0, limit.rlim_max };
	setrlimit(RLIMIT_NOFILE, &none);
	zl_site_trapped(site.after, GETPID);
	setrlimit(RLIMIT_NOFILE, &limit);
	expect_old(site, false);
	zl_site_trapped(site.after, GETPID);
	expect_rewritten(site);
}

static void test_trap_refuses_without_decoder(void **state)
{
	struct site site = lay(PLAIN);
	const struct zl_decoder *decoder = zl_decoder;

	(void)state;
	zl_decoder = NULL;
	zl_site_trapped(site.after, GETPID);
	zl_decoder = decoder;
	expect_old(site, true);
}

static void test_trap_refuses_shared_memory(void **state)
{
	struct site site = lay_shared(PLAIN, sizeof(PLAIN) - 1, MAP_SHARED);

	(void)state;
	zl_site_trapped(site.after, GETPID);
	expect_old(site, true);
	assert_int_equal(atomic_load(&own.tally.refused[ZL_SHARED]), 1);
}

#define DESCRIBED "\xb8\x27\x00\x00\x00" SITE "\xc3"    /* mov $39,%eax; syscall; ret */

static void test_trap_rewrites_described_site_in_writable_memory(void **state)
{
	struct site site = lay_open(DESCRIBED);

	(void)state;
	zl_site_trapped(site.after, GETPID);
	assert_memory_equal(site.bytes, "\xff\xd0", 2);
	assert_int_equal(zl_site_state(site.after), ZL_SITE_OPEN);
}

static void test_trap_refuses_other_site_in_writable_memory(void **state)
{
	struct site plain = lay_open(PLAIN), other = lay_open(DESCRIBED);

	(void)state;
	zl_site_trapped(plain.after, GETPID);
	expect_old(plain, true);
	zl_site_trapped(other.after, GETPID + 1);
	expect_old(other, true);
}

/* Calls that come through page zero from where nothing is recorded, or only an open site is. */
static void test_trap_claims_what_was_a_site(void **state)
{
	struct site old = lay_open(DESCRIBED), copy = lay_open("\xb8\x27\x00\x00\x00\xff\xd0" SITE),
		    own_call = lay_open("\x31\xc0\x90\x90\x90\xff\xd0" SITE), gone = lay_open("\x90\x90" SITE);

	(void)state;
	copy.after -= 2;
	own_call.after -= 2;
	assert_false(zl_site_claims(old.after, GETPID));           /* never a site: some instruction's last bytes */
	zl_site_publish(zl_leaf_make(old.after), old.after, ZL_SITE_PATCHED);
	zl_site_retract(zl_leaf_make(old.after), old.after);
	assert_true(zl_site_claims(old.after, GETPID));            /* its bytes are back */
	assert_false(zl_site_claims(own_call.after, GETPID));
	assert_false(zl_site_claims(copy.after, GETPID + 1));
	assert_true(zl_site_claims(copy.after, GETPID));
	assert_int_equal(zl_site_state(copy.after), ZL_SITE_OPEN);
	assert_true(zl_site_claims(copy.after, GETPID + 1));       /* jumped to */
	zl_site_publish(zl_leaf_make(own_call.after), own_call.after, ZL_SITE_OPEN);
	assert_false(zl_site_claims(own_call.after, 0));
	assert_int_equal(zl_site_state(own_call.after), ZL_SITE_NONE);
	assert_false(zl_site_claims(own_call.after, 0));           /* dropped, but a call is there */
	memset(gone.bytes, NOP, 2);
	assert_false(zl_site_claims(gone.after, GETPID));
	zl_site_publish(zl_leaf_make(gone.after), gone.after, ZL_SITE_PATCHED);
	zl_site_retract(zl_leaf_make(gone.after), gone.after);
	assert_true(zl_site_claims(gone.after, GETPID));
}

/* Lay `call r/m64` by these bytes (rex 0: none) so that it ends at `after`, behind nops. */
static void put_call(uint8_t *after, uint8_t rex, uint8_t modrm, uint8_t sib, int32_t displacement)
{
	unsigned mod = modrm >> 6, rm = modrm & 7, size = mod == 1 ? 1 : mod == 2 ? 4 : 0, length = 0;
	bool has_sib = mod != 3 && rm == 4;
	uint8_t code[16];

	if (mod == 0 && (rm == 5 || (has_sib && (sib & 7) == 5)))
		size = 4;
	if (rex)
		code[length++] = rex;
	code[length++] = 0xff;
	code[length++] = modrm;
	if (has_sib)
		code[length++] = sib;
	memcpy(code + length, &displacement, size);
	length += size;
	memset(after - 16, NOP, 16);
	memcpy(after - length, code, length);
}

static void expect_own_call(struct site site, uint8_t rex, uint8_t modrm, uint8_t sib)
{
	static const int32_t displacements[] = { 0, 0x12345678, -0x1234568 };

	for (unsigned i = 0; i < sizeof(displacements) / sizeof(displacements[0]); i++) {
		put_call((uint8_t *)site.after, rex, modrm, sib, displacements[i]);
		if (zl_site_claims(site.after, GETPID))
			fail_msg("rex %#x ff %#x sib %#x displacement %d", rex, modrm, sib, displacements[i]);
	}
}

static void test_trap_leaves_every_form_of_call(void **state)
{
	struct site site = lay_open(DESCRIBED);

	(void)state;
	zl_site_publish(zl_leaf_make(site.after), site.after, ZL_SITE_PATCHED);
	zl_site_retract(zl_leaf_make(site.after), site.after);
	memset((uint8_t *)site.after - 16, NOP, 16);
	assert_true(zl_site_claims(site.after, GETPID));           /* no call ends there: it was the site */
	for (unsigned rex = 0x3f; rex < 0x50; rex++)
		for (unsigned modrm = 2 << 3; modrm < 0x100; modrm += (modrm & 7) == 7 ? 0x40 - 7 : 1)
			for (unsigned sib = 0; sib < (modrm < 0xc0 && (modrm & 7) == 4 ? 0x100 : 1); sib++)
				expect_own_call(site, rex == 0x3f ? 0 : rex, modrm, sib);
	memcpy((uint8_t *)site.after - 5, "\xe8\x78\x56\x34\x12", 5);
	assert_false(zl_site_claims(site.after, GETPID));
}

static void test_trap_drops_stale_record(void **state)
{
	struct site site = lay(INSIDE);

	(void)state;
	zl_site_publish(zl_leaf_make(site.after), site.after, ZL_SITE_PATCHED);
	zl_site_trapped(site.after, GETPID);
	expect_old(site, true);
}

/* A leaf's local at -4(%rbp), its frame out of sight, and behind a long stretch of nops a second site and the exit, which
 * tells that rbp points to the slot. Taken for a call, the second site would tell that this is no leaf. */
#define LONG_NOP "\x66\x0f\x1f\x84\x00\x00\x00\x00\x00"
#define NOPS LONG_NOP LONG_NOP LONG_NOP LONG_NOP LONG_NOP LONG_NOP LONG_NOP LONG_NOP
#define SECOND "\xb8\x68\x00\x00\x00" SITE "\x5d\xc3"
#define LEAF "\x89\x7d\xfc\xb8\x27\x00\x00\x00" SITE "\x8b\x7d\xfc" NOPS NOPS NOPS SECOND

static void test_trap_takes_rewritten_neighbour_for_a_system_call(void **state)
{
	struct site first = lay(LEAF), second = first;

	(void)state;
	second.bytes += 2 + 3 + sizeof(NOPS NOPS NOPS) - 1 + 5;
	second.after = (uintptr_t)second.bytes + 2;
	zl_site_trapped(second.after, GETPID);
	expect_rewritten(second);
	zl_site_trapped(first.after, GETPID);
	expect_old(first, true);
}

static void *find_symbol(const char *name)
{
	return dlsym(RTLD_DEFAULT, name);
}

static int start(void **state)
{
	(void)state;
	zl_codefd_open();
	zl_may_rewrite = zl_tactics.may_call = true;
	return zl_zydis_bind(find_symbol);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trap_rewrites),
		cmocka_unit_test(test_trap_judges_again_after_number_15),
		cmocka_unit_test(test_trap_refuses_restorer),
		cmocka_unit_test(test_trap_judges_again_after_no_thread_pointer),
		cmocka_unit_test(test_trap_judges_again_after_no_descriptor),
		cmocka_unit_test(test_trap_refuses_without_decoder),
		cmocka_unit_test(test_trap_refuses_shared_memory),
		cmocka_unit_test(test_trap_rewrites_described_site_in_writable_memory),
		cmocka_unit_test(test_trap_refuses_other_site_in_writable_memory),
		cmocka_unit_test(test_trap_claims_what_was_a_site),
		cmocka_unit_test(test_trap_leaves_every_form_of_call),
		cmocka_unit_test(test_trap_drops_stale_record),
		cmocka_unit_test(test_trap_takes_rewritten_neighbour_for_a_system_call),
	};
	return cmocka_run_group_tests(tests, start, NULL);
}
