/* vsud.c - the program's own Syscall User Dispatch, per thread
 *
 * The real one is the agent's, so the program's is virtual. A thread that has it on has zl_filter_all, which brings
 * every call to zl_dispatch(). There, before hooks and owners, the kernel's questions are asked in its order: is
 * the address after the site in the range; what is in the selector byte. A call that is not let through becomes SIGSYS
 * at the end of its frame, where the program's registers are as the kernel rolls them back: the result is the number.
 * A signal that is due already comes first, and the call is made again after its handler, as if it had come right
 * before the call.
 *
 * Off in children and after exec, as in the kernel: a new block has the plain filter, a copied one is given it.
 * (Linux, kernel/entry/syscall_user_dispatch.c)
 */
#include "threads/vsud.h"
#include "base/copy.h"
#include "base/fatal.h"
#include "base/raw.h"
#include "lazy/sud.h"
#include "threads/call.h"
#include "threads/deliver.h"
#include <linux/audit.h>
#include <linux/errno.h>
#include <linux/prctl.h>
#include "base/poison.h"

enum { MODE_OFF, MODE_EXCLUSIVE, MODE_INCLUSIVE };    /* PR_SYS_DISPATCH_*; the last since Linux 6.16 */
enum { SELECTOR_ALLOW, SELECTOR_BLOCK };              /* SYSCALL_DISPATCH_FILTER_* */
enum { USER_DISPATCH = 2 };                           /* SYS_USER_DISPATCH */

static void set(struct zl_block *block, struct zl_vsud wanted)
{
	block->vsud = wanted;
	zl_slot_choose_filter(block);
}

void zl_vsud_clear(struct zl_block *block)
{
	set(block, (struct zl_vsud){ 0 });
}

/* Mode and range, as the running kernel judges them: with a selector that it refuses nothing is changed, and that
 * comes last. */
static long check_range(const long *arg)
{
	long result = zl_raw(__NR_prctl, PR_SET_SYSCALL_USER_DISPATCH, arg[1], arg[2], arg[3], -1L);
	return result == -EFAULT ? 0 : result;
}

/* The same for the selector. It is the agent's own for a moment, in which this thread makes calls by the gate alone,
 * and for them the kernel doesn't look at it. */
static long check_selector(long selector)
{
	long result;

	if (!selector)
		return 0;
	result = zl_raw(__NR_prctl, PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, __start_zl_gate,
			__stop_zl_gate - __start_zl_gate, selector);
	if (zl_sud_arm() != 0)
		zl_fatal(ZL_FATAL_ARM, (unsigned long)selector);
	return result;
}

long zl_vsud_set(struct zl_frame *frame)
{
	struct zl_block *block = zl_block_here();
	const long *arg = frame->call.arg;
	struct zl_vsud wanted = { true, (uint64_t)arg[2], (uint64_t)arg[3], (uintptr_t)arg[4] };
	long result;

	if (arg[1] == MODE_OFF) {
		if (arg[2] || arg[3] || arg[4])
			return -EINVAL;
		zl_vsud_clear(block);
		return 0;
	}
	result = check_range(arg);
	if (result == 0)
		result = check_selector(arg[4]);
	if (result != 0)
		return result;
	if (arg[1] == MODE_INCLUSIVE) {   /* what the range leaves over passes */
		wanted.offset += wanted.length;
		wanted.length = -wanted.length;
	}
	set(block, wanted);
	return 0;
}

/* False if the call is to be made; else what the kernel forces on the thread. */
static bool judge(const struct zl_vsud *vsud, const struct zl_frame *frame, siginfo_t *info, enum zl_noted_as *as)
{
	uint8_t state = SELECTOR_BLOCK;
	bool is_readable;

	if (frame->rip - vsud->offset < vsud->length)
		return false;
	is_readable = !vsud->selector || zl_copy_in(&state, vsud->selector, sizeof(state));
	if (state == SELECTOR_ALLOW)
		return false;
	*as = is_readable && state == SELECTOR_BLOCK ? ZL_NOTED_FORCED : ZL_NOTED_EXIT;
	*info = (siginfo_t){ .si_signo = is_readable ? SIGSYS : SIGSEGV, .si_code = USER_DISPATCH };
	info->si_call_addr = (void *)frame->rip;
	info->si_syscall = (int)frame->rax;
	info->si_arch = frame->kind == KIND_I386 ? AUDIT_ARCH_I386 : AUDIT_ARCH_X86_64;
	return true;
}

bool zl_vsud_judge(struct zl_frame *frame)
{
	struct zl_block *block = zl_block_here();
	enum zl_noted_as as;
	siginfo_t info;

	if (!block->vsud.is_on || !judge(&block->vsud, frame, &info, &as))
		return false;
	frame->result = (long)frame->rax;
	if (!zl_signals_close_all(block, frame)) {
		frame->state = ZL_FRAME_BEFORE;
		return true;
	}
	zl_note_own(block, &info, as);
	zl_signals_open(block);
	return true;
}
