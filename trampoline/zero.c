/* zero.c - page zero and the sled
 *
 * `call *%rax` lands on the system call number. Page zero holds `e9 PP PP PP PP` over and over, PP a segment
 * prefix: wherever the call lands, up to four prefixes are ignored by the e9 that follows, so one jump leaves.
 * Jump k goes to 5k + 5 + 0xPPPPPPPP, where the second mapping holds jumps to one stub, and the stub jumps to
 * zl_entry_call. The last bytes of the page hold half a jump: a call that lands there faults, and the SIGSEGV
 * handler takes it from there like every other number outside the page (lazy/fault.c).
 *
 *     0x0000: e9 65 65 65 65 ...           0x6565656a: e9 <stub> e9 <stub> ...   stub: jmp *target
 *
 * Where no prefix finds room, chains of short jumps (`eb 66 90`) run through the page to a jump at its end, to a
 * stub below 2 GiB. Each sled is probed before it is used, for prefixes on jumps are reserved by the manuals.
 * Page zero is executable only: with a protection key neither the program nor the kernel can read it.
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
	SECOND_SIZE = 2 * ZL_PAGE, STUB_SIZE = 16,
	SHORT_STEP = 0x68,     /* how far `eb 66` goes */
};

static struct { bool is_mapped; uintptr_t second; } state;
bool zl_copy_hides_zero;

bool zl_probe_call(uintptr_t landing);
ZL_LABEL(zl_probe_landed);
ZL_LABEL(zl_probe_failed);

bool zl_zero_is_mapped(void)
{
	return state.is_mapped;
}

bool zl_zero_contains(uintptr_t address)
{
	return state.is_mapped && (address < ZL_PAGE || address - state.second < SECOND_SIZE);
}

static void put_jump(uintptr_t at, uintptr_t target)
{
	int32_t relative = (int32_t)(target - (at + JUMP_SIZE));
	uint8_t *bytes;
	__asm__("" : "=r"(bytes) : "0"(at));   /* address 0 is an address here, not a null pointer */
	bytes[0] = JUMP;
	memcpy(bytes + 1, &relative, sizeof(relative));
}

/* jmp *target, with the target behind, aligned: the program may have alignment checks on. pre: at % 8 == 0 */
static void put_stub(uintptr_t at, const void *target)
{
	static const uint8_t jump[] = { 0xff, 0x25, 2, 0, 0, 0, 0xcc, 0xcc };
	memcpy((void *)at, jump, sizeof(jump));
	memcpy((void *)(at + sizeof(jump)), &target, sizeof(target));
}

static uintptr_t stub_address(void)
{
	return state.second + SECOND_SIZE - STUB_SIZE;
}

static bool map_second(uintptr_t address, int flags)
{
	long at = zl_os_map(address, SECOND_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1);
	if (zl_is_error(at))
		return false;
	if ((flags & MAP_FIXED_NOREPLACE) && at != (long)address) {
		zl_os_unmap((uintptr_t)at, SECOND_SIZE);   /* a kernel before 4.17 takes it for a hint */
		return false;
	}
	state.second = (uintptr_t)at;
	return true;
}

static bool lay_jump_sled(uint8_t prefix)
{
	uintptr_t displacement = prefix * 0x01010101u, first = displacement + JUMP_SIZE;
	uint8_t *zero;

	if (!map_second(zl_align_down(first, ZL_PAGE), MAP_FIXED_NOREPLACE))
		return false;
	__asm__("" : "=r"(zero) : "0"(0L));
	for (unsigned i = 0; i < ZL_PAGE; i++)
		zero[i] = i % JUMP_SIZE ? prefix : JUMP;
	for (unsigned k = 0; k < JUMPS; k++)
		put_jump(first + k * JUMP_SIZE, stub_address());
	return true;
}

static bool lay_short_sled(void)
{
	static const uint8_t pattern[] = { 0xeb, SHORT_STEP - 2, 0x90 };
	uint8_t *zero;

	if (!map_second(0, MAP_32BIT))
		return false;
	__asm__("" : "=r"(zero) : "0"(0L));
	memset(zero, 0x90, ZL_PAGE);
	for (unsigned i = 0; i + SHORT_STEP + 2 * sizeof(pattern) < ZL_PAGE - JUMP_SIZE; i += sizeof(pattern))
		memcpy(zero + i, pattern, sizeof(pattern));
	put_jump(ZL_PAGE - JUMP_SIZE, stub_address());
	return true;
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
	for (uintptr_t n = ZL_PAGE - 2 * SHORT_STEP; arrived && n <= ZL_PAGE - JUMP_SIZE - 1; n++)
		arrived = zl_probe_call(n);
	for (size_t i = 0; i < ZL_ARRAY_SIZE(faults); i++)
		zl_raw(__NR_rt_sigaction, faults[i], &theirs[i], 0, sizeof(ours.mask));
	return arrived;
}

static bool lay(enum zl_sled kind, uint8_t prefix)
{
	if (kind == ZL_SLED_JUMP ? !lay_jump_sled(prefix) : !lay_short_sled())
		return false;
	put_stub(stub_address(), zl_probe_landed);
	if (zl_os_protect(0, ZL_PAGE, PROT_EXEC) == 0 &&
	    zl_os_protect(state.second, SECOND_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC) == 0 && probe()) {
		put_stub(stub_address(), zl_entry_call);
		if (zl_os_protect(state.second, SECOND_SIZE, PROT_READ | PROT_EXEC) == 0)
			return true;
	}
	zl_os_unmap(state.second, SECOND_SIZE);
	zl_os_protect(0, ZL_PAGE, PROT_READ | PROT_WRITE);
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
	if (zl_os_protect(0, ZL_PAGE, PROT_EXEC) == 0 && is_readable() && !may_be_readable) {
		result = ZL_ZERO_READABLE;
		goto out;
	}
	if (zl_os_protect(0, ZL_PAGE, PROT_READ | PROT_WRITE) != 0)
		goto out;
	for (size_t i = 0; !is_laid && first == ZL_SLED_JUMP && i < ZL_ARRAY_SIZE(prefixes); i++)
		is_laid = lay(ZL_SLED_JUMP, prefixes[i]);
	if (!is_laid)
		is_laid = lay(ZL_SLED_SHORT, 0);
	if (is_laid) {
		state.is_mapped = zl_copy_hides_zero = true;
		return ZL_ZERO_READY;
	}
out:
	zl_os_unmap(0, ZL_PAGE);
	return result;
}
