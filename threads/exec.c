/* exec.c - execve and execveat keep the agent
 *
 * The new program gets a copy of the environment array with the agent in it (environment.c), in memory of the agent's:
 * on its stack where it fits, so that an exec needs no memory that could be missing. Where exec is not to be followed
 * (ZLAZY_FOLLOW=0), or the program's seccomp filters, which last over it, would end the agent in the new program, it
 * is a copy without the agent.
 * The real signal mask becomes the virtual one for the call, and comes back if it fails; a signal that comes before
 * the gate is delivered first, and the program makes the call again.
 */
#include "threads/exec.h"
#include "base/os.h"
#include "base/print.h"
#include "base/seccomp.h"
#include "threads/call.h"
#include "threads/deliver.h"
#include "threads/environment.h"
#include "threads/owners.h"
#include "threads/sighand.h"
#include "threads/slots.h"
#include "threads/target.h"
#include <linux/errno.h>
#include <linux/mman.h>
#include <stdatomic.h>
#include "base/poison.h"

struct zl_exec_environment zl_exec_environment = { .is_followed = true };

enum {
	SMALL = 8 << 10,         /* bytes of a plan on the stack: about a thousand variables */
	SPARE = 8 << 10,         /* what the rest of an exec needs of the stack */
};

/* May the agent go on in the new program? */
static bool may_follow(void)
{
	static _Atomic bool is_said;

	if (!zl_exec_environment.is_followed || zl_seccomp_may_start(zl_seccomp_here()))
		return zl_exec_environment.is_followed;
	if (!atomic_exchange(&is_said, true))
		zl_say(zl_notice, "a seccomp filter forbids what the agent needs in a program that is started: it runs unhooked");
	return false;
}

/* The mask that the new program is to begin with; what is blocked there and wanted here stays out by zl_gate_call:
 * it makes no call once a signal is noted. */
static long exec_with_mask(struct zl_frame *frame, struct zl_block *block)
{
	uint64_t mask = block->mask;
	long result;

	if (zl_is_nested(frame))
		return zl_call_make(frame);
	if (!zl_signals_close_all(block, frame))
		return zl_call_interrupted(frame);
	zl_trace_at_exec(block, &frame->call);
	zl_sighand_leave(block->sighand);
	zl_requeue_kept(block);   /* while none of them can come back */
	zl_raw(__NR_rt_sigprocmask, SIG_SETMASK, &mask, 0, sizeof(mask));
	result = zl_call_make(frame);
	zl_sighand_stay(block->sighand);
	zl_signals_open(block);
	return result;
}

/* Bytes left on the stack of the slot that we stand on. */
static size_t stack_left(void)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0) % SLOT_SIZE;
	return here - (here < SLOT_NESTED_TOP ? SLOT_NESTED : SLOT_HOOK);
}

/* With the environment of a plan. */
static long exec_as_planned(struct zl_frame *frame, const struct zl_plan *plan, long *environment)
{
	long theirs = *environment, result;

	if (zl_exec_environment.is_first && zl_exec_environment.is_followed && stack_left() >= SPARE)
		zl_target_look(&frame->call);
	*environment = (long)plan->entry;
	result = exec_with_mask(frame, zl_block_here());
	*environment = theirs;
	return result;
}

__attribute__((noinline)) static long exec_small(struct zl_frame *frame, const struct zl_environment *m,
						  long *environment)
{
	uintptr_t room[SMALL / sizeof(uintptr_t)];
	struct zl_plan plan = { .entry = room };

	if (!zl_environment_fill(&plan, m, (uintptr_t)*environment, may_follow()))
		return exec_with_mask(frame, zl_block_here());
	return exec_as_planned(frame, &plan, environment);
}

static void say_no_memory(void)
{
	static _Atomic bool is_said;
	if (!atomic_exchange(&is_said, true))
		zl_say(zl_notice, zl_exec_environment.is_followed ?
			"no memory for an environment with the agent in it: the program is started unhooked" :
			"no memory for an environment without the agent: the program is started hooked");
}

static long exec_mapped(struct zl_frame *frame, const struct zl_environment *m, long *environment)
{
	struct zl_block *block = zl_block_here();
	size_t size = zl_align_up(zl_environment_size(m), ZL_PAGE);
	struct zl_plan plan;
	long memory = zl_os_map(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
	long result;

	if (zl_is_error(memory)) {
		say_no_memory();
		return exec_with_mask(frame, block);
	}
	plan.entry = (uintptr_t *)memory;
	block->exec_scratch = (uintptr_t)memory;
	block->exec_scratch_size = size;
	result = zl_environment_fill(&plan, m, (uintptr_t)*environment, may_follow()) ?
		exec_as_planned(frame, &plan, environment) : exec_with_mask(frame, block);
	block->exec_scratch = 0;
	zl_os_unmap((uintptr_t)memory, size);
	return result;
}

long zl_own_exec(struct zl_frame *frame)
{
	long *environment = &frame->call.arg[frame->call.number == __NR_execve ? 2 : 3];
	struct zl_environment m;

	if (!zl_exec_environment.library || zl_is_nested(frame))   /* what hook code starts is not the program's */
		return exec_with_mask(frame, zl_block_here());
	zl_environment_measure(&m, (uintptr_t)*environment);
	if (m.entries == -EFAULT)   /* let the kernel say so, or find a worse error first */
		return exec_with_mask(frame, zl_block_here());
	if (m.entries < 0)
		return m.entries;
	if (zl_environment_size(&m) <= SMALL && stack_left() >= SMALL + SPARE)
		return exec_small(frame, &m, environment);
	return exec_mapped(frame, &m, environment);
}
