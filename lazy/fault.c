/* fault.c - faults that are the agent's to mend
 *
 *   pc in zl_copy, zl_swap            a bad pointer of the program: the copy ends there
 *   pc in zl_read_self                the program has changed gs
 *   pc in zl_read_ticks               the program may not read the counter
 *   pc in zl_call_code                the entry looks at the code of its caller, which is gone, or can't be read
 *   pc == rax, a site on the stack    the number lies outside the sled: as a trap
 *   pc == a site, bytes ff d0         the push faulted (no stack), or rax is no canonical address: as a trap
 *   pc == a site, bytes 0f 05         the same, and the bytes have been put back meanwhile: executed again
 *   pc == a site, SIGILL              it was 0f d0, between the two steps of patch.c: as a trap; or has been, and is
 *                                     something else by now: executed again
 *     pc == where a jump is, SIGILL     the guard of jump.c: on in the stub
 *     pc where a copied jump leads      as a trap of the copied site
 */
#include "lazy/fault.h"
#include "base/copy.h"
#include "base/fatal.h"
#include "base/sites.h"
#include "base/string.h"
#include "lazy/bytes.h"
#include "lazy/codefd.h"
#include "lazy/poke.h"
#include "lazy/stubs.h"
#include "lazy/trap.h"
#include "trampoline/entry.h"
#include "trampoline/zero.h"
#include "base/poison.h"

enum { GENERAL_PROTECTION = 13, PAGE_FAULT = 14 };
enum { ERROR_PRESENT = 1, ERROR_USER = 4, ERROR_FETCH = 0x10, ERROR_KEY = 0x20 };

/* Instructions that may fault, and where to go on then. */
static bool fix_up(struct sigcontext *context)
{
	static const struct { const char *start, *end, *to; } places[] = {
		{ zl_copy_insn, zl_copy_fault, zl_copy_fault },
		{ zl_swap16_insn, zl_swap16_insn + 1, zl_swap16_fault },
		{ zl_swap8_insn, zl_swap8_insn + 1, zl_swap8_fault },
		{ zl_read_self_insn, zl_read_self_insn + 1, zl_read_self_fault },
		{ zl_read_ticks_insn, zl_read_ticks_insn + 1, zl_read_ticks_fault },
		{ zl_call_code, zl_call_code_end, zl_call_claimed },
	};

	for (size_t i = 0; i < ZL_ARRAY_SIZE(places); i++)
		if (context->rip >= (uintptr_t)places[i].start && context->rip < (uintptr_t)places[i].end) {
			context->rip = (uintptr_t)places[i].to;
			return true;
		}
	return false;
}

/* On as after a trap of the site. */
static void trap(struct sigcontext *context, struct zl_block *block, uintptr_t after)
{
	if (zl_read_self() != block)   /* this entry does not check it */
		zl_fatal(ZL_FATAL_BLOCK, context->rip);
	block->ret = after;
	context->rip = (uintptr_t)zl_entry_jump;
}

static bool is_fetch(const struct sigcontext *context)
{
	return context->trapno == PAGE_FAULT && context->err & ERROR_FETCH;
}

/* Is there no instruction of the program's at pc? The kernel's half shows other faults, too, where it has vsyscalls. */
static bool is_nowhere(const struct sigcontext *context)
{
	return is_fetch(context) || zl_zero_contains(context->rip) || (intptr_t)context->rip < 0;
}

/* Has the thread met the middle of a change that is over? Natively it would have met what is there now, or was before.
 * The second time, with no other change begun since, the instruction itself is undefined. */
static bool is_ill_of_ours(const struct sigcontext *context, struct zl_block *block, enum zl_site_state state)
{
	uint64_t changes = atomic_load_explicit(&zl_poke_changes, memory_order_acquire);
	bool is_first = block->ill_again != context->rip || block->ill_changes != changes;

	if (state == ZL_SITE_NONE && !zl_site_was(context->rip + ZL_SITE_SIZE))
		return false;
	block->ill_again = is_first ? context->rip : 0;
	block->ill_changes = changes;
	return is_first;
}

/* A jump that is being written, or taken back, or has been: the stub does the same. Where none is recorded any more, a
 * guard is the program's own. */
static bool resolve_at_jump(struct sigcontext *context, struct zl_block *block)
{
	const struct zl_stub *stub = zl_stub_from(context->rip);
	uint8_t byte;

	if (!stub)
		return false;
	if (!stub->is_live || !zl_codefd_read(&byte, context->rip, sizeof(byte)) || byte != ZL_GUARD)   /* or unmapped */
		return is_ill_of_ours(context, block, ZL_SITE_JUMPED);
	context->rip = stub->code;
	return true;
}

/* The program has copied a jump elsewhere, and what that leads to is no code. */
static bool resolve_copied_jump(struct sigcontext *context, struct zl_block *block)
{
	struct zl_stub_copy copy;

	if (!is_fetch(context) || !zl_stub_of_copy(context->rip, &copy))
		return false;
	if (copy.has_number)
		context->rax = copy.number;
	trap(context, block, copy.site + ZL_SITE_SIZE);
	return true;
}

/* By now the bytes may be the new ones, or the old ones again. */
static bool resolve_at_site(int signal, struct sigcontext *context, struct zl_block *block)
{
	uintptr_t after = context->rip + ZL_SITE_SIZE;
	enum zl_site_state state;
	uint8_t bytes[ZL_SITE_SIZE] = { 0 };
	bool is_readable = zl_site_look(context->rip, &state, bytes), is_ill = signal == SIGILL;

	if (is_fetch(context))
		return false;   /* the site itself can't be executed any more */
	if (is_readable && bytes[0] == ZL_OLD_FIRST && bytes[1] == ZL_OLD_SECOND)
		return true;
	if (is_readable && state != ZL_SITE_NONE && bytes[1] == ZL_NEW_SECOND &&
	    (bytes[0] == ZL_NEW_FIRST || (is_ill && bytes[0] == ZL_OLD_FIRST)) &&
	    (state == ZL_SITE_PATCHED || zl_code_moves(context->rip, context->rax, true))) {
		trap(context, block, after);
		return true;
	}
	return is_ill && is_ill_of_ours(context, block, state);
}

static bool resolve(int signal, struct sigcontext *context, struct zl_block *block)
{
	uintptr_t after;

	if (fix_up(context))
		return true;
	if (context->rip == context->rax && is_nowhere(context) && zl_copy_in(&after, context->rsp, sizeof(after)) &&
	    zl_site_claims(after, context->rax)) {
		context->rsp += sizeof(after);
		trap(context, block, after);
		return true;
	}
	if (signal == SIGILL && resolve_at_jump(context, block))
		return true;
	if (signal == SIGSEGV && resolve_copied_jump(context, block))
		return true;
	return signal != SIGTRAP && signal != SIGFPE && resolve_at_site(signal, context, block);
}

/* A fault sets the resume flag, which the handler of a signal that comes next would be shown. */
bool zl_fault_resolve(int signal, struct sigcontext *context, struct zl_block *block)
{
	bool is_resolved = resolve(signal, context, block);
	if (is_resolved)
		context->eflags &= ~(uint64_t)FLAGS_RESUME;
	return is_resolved;
}

void zl_fault_clean(siginfo_t *info, struct sigcontext *context)
{
	if (context->trapno == GENERAL_PROTECTION && zl_zero_is_mapped() && context->rip < ZL_PAGE) {
		context->trapno = PAGE_FAULT;      /* a halt behind a jump of the short or nop sled */
		context->err = ERROR_USER | ERROR_FETCH;
		context->cr2 = context->rip;
		info->si_addr = (void *)context->rip;
	}
	if (context->trapno != PAGE_FAULT)
		return;
	if (zl_zero_is_mapped() && context->cr2 == ZL_PAGE && context->rip < ZL_PAGE) {
		/* the half jump at the end of the page: without it the fetch fails at the landing point */
		context->cr2 = context->rip;
		info->si_addr = (void *)context->rip;
	}
	if (!zl_zero_contains(context->cr2))
		return;
	info->si_code = SEGV_MAPERR;
	memset((char *)&info->si_addr + sizeof(info->si_addr), 0,
	       sizeof(*info) - offsetof(siginfo_t, si_addr) - sizeof(info->si_addr));
	context->err &= ~(uint64_t)(ERROR_PRESENT | ERROR_KEY);
}

static uint64_t register_value(const struct sigcontext *c, unsigned number)
{
	const uint64_t values[] = { c->rax, c->rcx, c->rdx, c->rbx, c->rsp + 8, c->rbp, c->rsi, c->rdi,
				    c->r8, c->r9, c->r10, c->r11, c->r12, c->r13, c->r14, c->r15 };
	return values[number];
}

/* Where the indirect call that ends at `after` went, for the forms that compilers make; 0 if it can't be told. */
static uint64_t call_target(const struct sigcontext *c, uintptr_t after)
{
	static const struct { uint8_t length, mode, displacement; } forms[] = {
		{ 2, 0xd0, 0 }, { 2, 0x10, 0 }, { 3, 0x50, 1 }, { 6, 0x90, 4 },
	};
	for (size_t i = 0; i < ZL_ARRAY_SIZE(forms); i++) {
		uint8_t bytes[8] = { 0 };
		unsigned length = forms[i].length, base;
		int64_t displacement = 0;
		uint64_t target;

		if (!zl_copy_in(bytes, after - length - 1, length + 1u) || bytes[1] != 0xff ||
		    (bytes[2] & 0xf8) != forms[i].mode)
			continue;
		base = bytes[2] & 7u;
		if (forms[i].displacement == 1)
			displacement = (int8_t)bytes[3];
		else if (forms[i].displacement == 4)
			displacement = (int32_t)((uint32_t)bytes[3] | (uint32_t)bytes[4] << 8 |
						 (uint32_t)bytes[5] << 16 | (uint32_t)bytes[6] << 24);
		for (unsigned high = (bytes[0] & 0xf1) == 0x41 ? 8 : 0;; high = 0) {
			target = register_value(c, base + high);
			if ((forms[i].mode == 0xd0 ||
			     zl_copy_in(&target, target + (uint64_t)displacement, sizeof(target))) &&
			    target < ZL_PAGE)
				return target;
			if (!high)
				break;
		}
	}
	return 0;
}

void zl_fault_null_call(siginfo_t *info, struct sigcontext *context, const struct zl_block *block)
{
	uintptr_t after = 0;

	context->rcx = block->top->rcx;
	context->r11 = block->r11;
	context->rax = block->top->rax;
	zl_copy_in(&after, context->rsp, sizeof(after));
	context->rip = call_target(context, after);
	context->cr2 = context->rip;
	context->trapno = PAGE_FAULT;
	context->err = ERROR_USER | ERROR_FETCH;
	memset(info, 0, sizeof(*info));
	info->si_signo = SIGSEGV;
	info->si_code = SEGV_MAPERR;
	info->si_addr = (void *)context->rip;
}
