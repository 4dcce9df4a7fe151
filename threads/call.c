/* call.c - see call.h */
#include "threads/call.h"
#include "base/print.h"
#include "base/raw.h"
#include "base/seccomp.h"
#include "base/string.h"
#include "threads/sighand.h"
#include "threads/slots.h"
#include <linux/errno.h>
#include "base/poison.h"

bool zl_is_nested(const struct zl_frame *frame)
{
	const struct zl_block *block = zl_block_here();
	return block->is_hook_thread || zl_is_in_slot(block, frame->rsp);
}

long zl_call_interrupted(struct zl_frame *frame)
{
	frame->state = ZL_FRAME_AGAIN;
	return ZLAZY_INTERRUPTED;
}

/* Of hook code: what the program's filters would end the program for is refused. */
__attribute__((noinline)) static long make_nested(const struct zlazy_call *call)
{
	const struct zl_seccomp *filters = zl_seccomp_here();

	if (filters && zl_seccomp_stops(zl_seccomp_ask(filters, (uintptr_t)zl_raw_syscall_after, call->number, call->arg)))
		return -EPERM;
	return zl_raw_syscall(call->number, call->arg[0], call->arg[1], call->arg[2], call->arg[3], call->arg[4],
			      call->arg[5]);
}

long zl_call_make(struct zl_frame *frame)
{
	struct zl_block *block = zl_block_here();
	const struct zlazy_call *call = &frame->call;

	bool is_i386 = zl_unlikely(call->abi == ZLAZY_ABI_I386);

	if (zl_unlikely(!is_i386 && zl_is_nested(frame)))
		return make_nested(call);
	if (zl_returns_by_jump && frame->kind == KIND_CALL)
		frame->kind = KIND_JUMP;
	block->frame = frame;
	return is_i386 ? zl_gate_i386(frame) : zl_gate_call(frame);
}

long zl_call_as(struct zl_frame *frame, long number, long a, long b, long c, long d, long e, long f)
{
	struct zlazy_call saved = frame->call;
	const long arg[6] = { a, b, c, d, e, f };
	long result;

	frame->call.number = number;
	memcpy(frame->call.arg, arg, sizeof(arg));
	result = zl_call_make(frame);
	frame->call = saved;
	return result;
}

/* A noted signal waits for the program's call, not for the calls that hook code makes of its own. */
bool zl_signals_close_all(struct zl_block *block, const struct zl_frame *frame)
{
	const uint64_t all = ~0UL;

	zl_raw(__NR_rt_sigprocmask, SIG_SETMASK, &all, 0, sizeof(all));
	if (!block->noted || zl_is_nested(frame))
		return true;
	zl_signals_open(block);
	return false;
}

uint64_t zl_signals_mask(const struct zl_block *block)
{
	if (block->is_hook_thread)
		return block->hook_mask;
	return zl_real_mask(block->mask) | (block->noted ? zl_sighand_held(block->sighand) : 0);
}

void zl_signals_open(struct zl_block *block)
{
	uint64_t real = zl_signals_mask(block);
	zl_raw(__NR_rt_sigprocmask, SIG_SETMASK, &real, 0, sizeof(real));
}

void zl_refused_once(_Atomic bool *is_said, const char *what)
{
	if (!atomic_exchange(is_said, true))
		zl_say(zl_notice, "refused: ", what, " (see docs/LIMITS.md)");
}
