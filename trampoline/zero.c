/* zero.c - page zero and the sled
 *
 * `call *%rax` lands on the system call number. Page zero holds `e9 PP PP PP PP` over and over, PP a segment
 * prefix: wherever the call lands, up to four prefixes are ignored by the e9 that follows, so one jump leaves.
 * Jump k goes to 5k + 5 + 0xPPPPPPPP, where the second mapping holds `jmp *target(%rip)`, six bytes with five of
 * room: the last byte of each is the first of the next, 0xff, which makes its displacement negative. So the
 * target lies in the page before them, and two jumps lead from the site to zl_entry_call. The last bytes of page
 * zero hold half a jump: a call that lands there faults, and the SIGSEGV handler takes it from there like every other
 * number outside the page (lazy/fault.c).
 *
 *     0: e9 65 65 65 65 e9 ...     0x65655000: target     0x6565656a: ff 25 90 ea ff [ff] 25 8b ea ff [ff] ...
 *
 * Where a CPU doesn't take prefixes on jumps, chains of short jumps (`eb 66 90`) run through the page to one
 * `e9 f4 f4 f4 PP` near its end, and that to a single `jmp *target(%rip)`. f4 (hlt) faults, with and without a
 * prefix before it, so the numbers that land behind the e9 go through the SIGSEGV handler, too. The nop sled, which
 * only benches ask for, has nothing but nops, and another e9 at 512, so that known numbers go as in the oldest sleds.
 *
 * Each sled is probed before it is used, for prefixes on jumps are reserved by the manuals. Page zero is executable
 * only: with a protection key neither the program nor the kernel can read it.
 */
#include "trampoline/zero.h"
#include "base/copy.h"
#include "base/os.h"
#include "base/string.h"
#include "trampoline/entry.h"
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/mman.h>
#include "base/poison.h"

enum {
	JUMP = 0xe9, JUMP_SIZE = 5, JUMPS = ZL_PAGE / JUMP_SIZE,
	CODE_SIZE = 2 * ZL_PAGE, SECOND_SIZE = ZL_PAGE + CODE_SIZE,
	SHORT_STEP = 0x68,     /* how far `eb 66` goes */
	SHORT_END = ZL_PAGE - 16, NOP_END = ZL_FILTER_SIZE - 1, NOP = 0x90, HALT = 0xf4,
};

static struct { bool is_mapped; enum zl_sled sled; uintptr_t second; } state;
bool zl_copy_hides_zero;

bool zl_probe_call(uintptr_t landing);
ZL_LABEL(zl_probe_landed);
ZL_LABEL(zl_probe_failed);

bool zl_zero_is_mapped(void)
{
	return state.is_mapped;
}

enum zl_sled zl_zero_sled(void)
{
	return state.sled;
}

uintptr_t zl_zero_second_mapping(void)
{
	return state.second;
}

bool zl_zero_contains(uintptr_t address)
{
	return state.is_mapped && (address < ZL_PAGE || address - state.second < SECOND_SIZE);
}

/* jmp *target(%rip). Writes over the first byte of a jump that follows at once, with the same value.
 * pre: the target lies less than 16 MiB before it. */
static void put_indirect_jump(uintptr_t at)
{
	enum { SIZE = 6 };
	int32_t relative = (int32_t)(state.second - (at + SIZE));
	uint8_t *bytes = (uint8_t *)at;
	bytes[0] = 0xff;
	bytes[1] = 0x25;
	memcpy(bytes + 2, &relative, sizeof(relative));
}

/* pre: the second mapping's first page is writable. */
static void set_target(const void *target)
{
	memcpy((void *)state.second, &target, sizeof(target));
}

/* One page for the target, two for the jumps, the first of which is at `first`. */
static bool map_second(uintptr_t first)
{
	state.second = zl_align_down(first, ZL_PAGE) - ZL_PAGE;
	return !zl_is_error(zl_os_map(state.second, SECOND_SIZE, PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1));
}

static uint8_t *page_zero(void)
{
	uint8_t *zero;
	__asm__("" : "=r"(zero) : "0"(0L));   /* address 0 is an address here, not a null pointer */
	return zero;
}

static bool lay_jump_sled(uint8_t prefix)
{
	uintptr_t displacement = prefix * 0x01010101u, first = displacement + JUMP_SIZE;
	uint8_t *zero = page_zero();

	if (!map_second(first))
		return false;
	for (unsigned i = 0; i < ZL_PAGE; i++)
		zero[i] = i % JUMP_SIZE ? prefix : JUMP;
	for (unsigned k = 0; k < JUMPS; k++)
		put_indirect_jump(first + k * JUMP_SIZE);
	return true;
}

/* Out of page zero. pre: the second mapping is there. */
static void put_jump(unsigned at, uintptr_t displacement)
{
	uint8_t *zero = page_zero();

	memset(zero + at, HALT, JUMP_SIZE);
	zero[at] = JUMP;
	zero[at + JUMP_SIZE - 1] = (uint8_t)(displacement >> 24);
	put_indirect_jump(at + JUMP_SIZE + displacement);
}

/* Nops, a jump at `first`, another one at the end, which may be the same, and halts. */
static bool lay_nop_sled(uint8_t prefix, unsigned first)
{
	uintptr_t displacement = ((uintptr_t)prefix << 24) + HALT * 0x010101u;

	if (!map_second(first + JUMP_SIZE + displacement))
		return false;
	memset(page_zero(), NOP, SHORT_END);
	memset(page_zero() + SHORT_END, HALT, ZL_PAGE - SHORT_END);
	put_jump(first, displacement);
	put_jump(SHORT_END, displacement);
	return true;
}

static bool lay_short_sled(uint8_t prefix)
{
	static const uint8_t pattern[] = { 0xeb, SHORT_STEP - 2, NOP };

	if (!lay_nop_sled(prefix, SHORT_END))
		return false;
	for (unsigned i = 0; i + SHORT_STEP + 2 * sizeof(pattern) < SHORT_END; i += sizeof(pattern))
		memcpy(page_zero() + i, pattern, sizeof(pattern));
	return true;
}

static bool lay_sled(enum zl_sled kind, uint8_t prefix)
{
	switch (kind) {
	case ZL_SLED_JUMP: return lay_jump_sled(prefix);
	case ZL_SLED_SHORT: return lay_short_sled(prefix);
	default: return lay_nop_sled(prefix, NOP_END);
	}
}

struct action {
	void (*handler)(int, siginfo_t *, struct ucontext *);
	unsigned long flags;
	void (*restorer)(void);
	unsigned long mask;
};

static void on_probe_fault(int signal, siginfo_t *info, struct ucontext *context)
{
	(void)signal, (void)info;
	context->uc_mcontext.rip = (uintptr_t)zl_probe_failed;
}

/* Call every landing point that a known number may have, and the last ones. */
static bool probe(void)
{
	static const int faults[] = { SIGILL, SIGSEGV, SIGBUS, SIGTRAP };
	struct action ours = { on_probe_fault, SA_SIGINFO | 0x04000000 /* SA_RESTORER */, zl_restorer, 0 };
	struct action theirs[ZL_ARRAY_SIZE(faults)];
	bool arrived = true;

	for (size_t i = 0; i < ZL_ARRAY_SIZE(faults); i++)
		zl_raw(__NR_rt_sigaction, faults[i], &ours, &theirs[i], sizeof(ours.mask));
	for (uintptr_t n = 0; arrived && n < ZL_FILTER_SIZE; n++)
		arrived = zl_probe_call(n);
	for (uintptr_t n = ZL_PAGE - 2 * SHORT_STEP; arrived && n <= SHORT_END; n++)
		arrived = zl_probe_call(n);
	for (size_t i = 0; i < ZL_ARRAY_SIZE(faults); i++)
		zl_raw(__NR_rt_sigaction, faults[i], &theirs[i], 0, sizeof(ours.mask));
	return arrived;
}

static bool lay(enum zl_sled kind, uint8_t prefix)
{
	if (zl_os_protect(0, ZL_PAGE, PROT_READ | PROT_WRITE) != 0)
		return false;
	if (!lay_sled(kind, prefix))
		return false;
	state.sled = kind;
	set_target(zl_probe_landed);
	if (zl_os_protect(0, ZL_PAGE, PROT_EXEC) == 0 &&
	    zl_os_protect(state.second + ZL_PAGE, CODE_SIZE, PROT_READ | PROT_EXEC) == 0 && probe()) {
		set_target(zl_entry_call);
		if (zl_os_protect(state.second, ZL_PAGE, PROT_READ) == 0)
			return true;
	}
	zl_os_unmap(state.second, SECOND_SIZE);
	return false;
}

/* Ask the kernel to read page zero for us: it fails like the program's own read would. */
static bool is_readable(void)
{
	enum { NO_SUCH_HOW = 99 };
	return zl_raw(__NR_rt_sigprocmask, NO_SUCH_HOW, ZL_PAGE / 2, 0, sizeof(unsigned long)) != -EFAULT;
}

static bool has_raw_io(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { 0 };
	return zl_raw(__NR_capget, &header, data) == 0 && data[0].effective >> CAP_SYS_RAWIO & 1;
}

static enum zl_zero_result why_not(long error)
{
	switch (error) {
	case -EPERM: return has_raw_io() ? ZL_ZERO_USER_NAMESPACE : ZL_ZERO_MIN_ADDR;
	case -EACCES: return ZL_ZERO_SECURITY;
	case -EEXIST: return ZL_ZERO_IN_USE;
	default: return ZL_ZERO_OTHER;
	}
}

enum zl_zero_result zl_zero_start(enum zl_sled first, bool may_be_readable, long *error)
{
	static const uint8_t prefixes[] = { 0x65, 0x64, 0x3e };   /* by where the second mapping then lies */
	enum zl_zero_result result = ZL_ZERO_SLED;
	bool is_laid = false;

	*error = zl_os_map(0, ZL_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1);
	if (*error)
		return why_not(*error);
	*error = zl_os_protect(0, ZL_PAGE, PROT_EXEC);
	if (*error) {
		result = ZL_ZERO_OTHER;
		goto out;
	}
	if (is_readable() && !may_be_readable) {
		result = ZL_ZERO_READABLE;
		goto out;
	}
	for (size_t i = 0; !is_laid && first == ZL_SLED_JUMP && i < ZL_ARRAY_SIZE(prefixes); i++)
		is_laid = lay(ZL_SLED_JUMP, prefixes[i]);
	for (size_t i = 0; !is_laid && i < ZL_ARRAY_SIZE(prefixes); i++)
		is_laid = lay(first == ZL_SLED_NOP ? ZL_SLED_NOP : ZL_SLED_SHORT, prefixes[i]);
	if (is_laid) {
		state.is_mapped = zl_copy_hides_zero = true;
		return ZL_ZERO_READY;
	}
out:
	zl_os_unmap(0, ZL_PAGE);
	return result;
}
