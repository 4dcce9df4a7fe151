/* sighand.c - the program's signal dispositions
 *
 * The kernel has: the agent's one handler for each signal that the program handles and for the agent's own
 * signals; SIG_DFL and SIG_IGN as they are for all others. The table has what the program asked for. A handler
 * runs with all signals blocked but faults (its own included: SA_NODEFER), so a bad pointer of the program is met
 * even while a fault is looked at, and the agent's own faults are seen at once.
 */
#include "threads/sighand.h"
#include "threads/slots.h"
#include "base/os.h"
#include "base/string.h"
#include "threads/handler.h"
#include "threads/owners.h"
#include "threads/call.h"
#include "base/copy.h"
#include <linux/errno.h>
#include <linux/mman.h>
#include "base/poison.h"

enum {
	KNOWN_FLAGS = (int)0xdc000807,  /* UAPI_SA_FLAGS: the kernel drops all others */
	PASSED_FLAGS = SA_RESTART | SA_NOCLDSTOP | SA_NOCLDWAIT,
};

#define BIT(signal) (1UL << ((signal) - 1))
const uint64_t zl_fault_signals = BIT(SIGSEGV) | BIT(SIGBUS) | BIT(SIGILL) | BIT(SIGFPE) | BIT(SIGTRAP);
static const uint64_t unmaskable = BIT(SIGKILL) | BIT(SIGSTOP);
_Atomic uint64_t zl_agent_signals;

static bool is_handler(uintptr_t handler)
{
	return handler > (uintptr_t)SIG_IGN;
}

static struct zl_action real_action(uint64_t program_flags)
{
	return (struct zl_action){
		.handler = (uintptr_t)zl_real_handler,
		.flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | ZL_SA_RESTORER | (program_flags & PASSED_FLAGS),
		.restorer = (uintptr_t)zl_restorer,
		.mask = ~zl_fault_signals,
	};
}

/* For a signal of the agent's own. Where the program has no handler it interrupts no call. */
static struct zl_action agents_action(const struct zl_action *wanted)
{
	return real_action(is_handler(wanted->handler) ? wanted->flags : SA_RESTART);
}

static void claim(const struct zl_sighand *hand, int signal)
{
	struct zl_action ours = agents_action(&hand->action[signal - 1]);
	atomic_fetch_or(&zl_agent_signals, zl_signal_bit(signal));
	zl_raw(__NR_rt_sigaction, signal, &ours, 0, sizeof(uint64_t));
}

void zl_sighand_claim_sigill(const struct zl_sighand *hand)
{
	if (!(atomic_load(&zl_agent_signals) & zl_signal_bit(SIGILL)))
		claim(hand, SIGILL);
}

static struct zl_sighand first;

/* The first table has one user more than threads: it is never unmapped. */
static uint32_t users_alone(const struct zl_sighand *hand)
{
	return hand == &first ? 2 : 1;
}

void zl_sighand_alone(struct zl_sighand *hand)
{
	atomic_store(&hand->users, users_alone(hand));
	atomic_store(&hand->spans_processes, false);
}

struct zl_sighand *zl_sighand_start(void)
{
	zl_sighand_alone(&first);
	for (int signal = 1; signal <= ZL_SIGNALS; signal++)
		zl_raw(__NR_rt_sigaction, signal, 0, &first.action[signal - 1], sizeof(uint64_t));
	claim(&first, SIGSYS);
	claim(&first, SIGSEGV);
	claim(&first, SIGBUS);
	return &first;
}

struct zl_sighand *zl_sighand_share(struct zl_sighand *hand)
{
	atomic_fetch_add(&hand->users, 1);
	return hand;
}

/* One table is kept for the next child of a vfork, which then needs no memory. */
static struct zl_sighand *_Atomic spare;

static struct zl_sighand *new_table(void)
{
	struct zl_sighand *table = atomic_exchange(&spare, NULL);
	long page;

	if (table) {
		memset(table, 0, sizeof(*table));
		return table;
	}
	page = zl_os_map(0, sizeof(*table), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	return zl_is_error(page) ? NULL : (struct zl_sighand *)page;
}

struct zl_sighand *zl_sighand_copy(struct zl_sighand *hand)
{
	struct zl_sighand *copy = new_table();

	if (!copy)
		return NULL;
	zl_lock(&hand->lock);
	memcpy(copy->action, hand->action, sizeof(copy->action));
	atomic_store(&copy->handled, atomic_load(&hand->handled));
	zl_unlock(&hand->lock);
	atomic_store(&copy->users, 1);
	return copy;
}

void zl_sighand_drop(struct zl_sighand *hand)
{
	struct zl_sighand *none = NULL;
	if (atomic_fetch_sub(&hand->users, 1) == 1 && !atomic_compare_exchange_strong(&spare, &none, hand))
		zl_os_unmap((uintptr_t)hand, sizeof(*hand));
}

void zl_sighand_clear(struct zl_sighand *hand)
{
	uint64_t ours = atomic_load(&zl_agent_signals);
	for (int signal = 1; signal <= ZL_SIGNALS; signal++) {
		if (is_handler(hand->action[signal - 1].handler))
			hand->action[signal - 1] = (struct zl_action){ 0 };
		if (ours & zl_signal_bit(signal))
			claim(hand, signal);
	}
	atomic_store(&hand->handled, 0);
}

static bool is_agents(int signal)
{
	return atomic_load(&zl_agent_signals) & zl_signal_bit(signal);
}

void zl_sighand_default(struct zl_sighand *hand, int signal)
{
	struct zl_action none = { 0 };
	if (is_agents(signal) && atomic_load(&hand->spans_processes))
		atomic_fetch_or(&hand->lost, zl_signal_bit(signal));
	zl_raw(__NR_rt_sigaction, signal, &none, 0, sizeof(none.mask));
}

void zl_sighand_repair(struct zl_sighand *hand)
{
	uint64_t lost = atomic_load(&hand->lost) ? atomic_exchange(&hand->lost, 0) : 0;
	for (int signal = 1; lost >> (signal - 1); signal++)
		if (lost & zl_signal_bit(signal))
			claim(hand, signal);
}

void zl_sighand_leave(struct zl_sighand *hand)
{
	const struct zl_action ignore = { .handler = (uintptr_t)SIG_IGN };
	if (atomic_load(&hand->users) != users_alone(hand))
		return;
	for (int signal = 1; signal <= ZL_SIGNALS; signal++)
		if (is_agents(signal) && hand->action[signal - 1].handler == ignore.handler)
			zl_raw(__NR_rt_sigaction, signal, &ignore, 0, sizeof(ignore.mask));
}

void zl_sighand_stay(struct zl_sighand *hand)
{
	if (atomic_load(&hand->users) != users_alone(hand))
		return;
	for (int signal = 1; signal <= ZL_SIGNALS; signal++)
		if (is_agents(signal) && hand->action[signal - 1].handler == (uintptr_t)SIG_IGN)
			claim(hand, signal);
}

struct zl_action zl_sighand_get(struct zl_sighand *hand, int signal, bool take)
{
	struct zl_action action;

	zl_lock(&hand->lock);
	action = hand->action[signal - 1];
	if (take && (action.flags & SA_RESETHAND) && is_handler(action.handler)) {
		hand->action[signal - 1].handler = (uintptr_t)SIG_DFL;
		atomic_fetch_and(&hand->handled, ~zl_signal_bit(signal));
		if (!is_agents(signal))
			zl_sighand_default(hand, signal);
	}
	zl_unlock(&hand->lock);
	return action;
}

/* What the kernel is to be told; locks: hand->lock */
static long tell_kernel(struct zl_frame *frame, int signal, const struct zl_action *wanted)
{
	struct zl_action real = { .handler = wanted ? wanted->handler : 0, .flags = wanted ? wanted->flags : 0,
				  .restorer = (uintptr_t)zl_restorer };
	if (!wanted)
		return zl_call_as(frame, __NR_rt_sigaction, signal, 0, 0, sizeof(real.mask), 0, 0);
	if (is_agents(signal))
		real = agents_action(wanted);
	else if (is_handler(wanted->handler))
		real = real_action(wanted->flags);
	return zl_call_as(frame, __NR_rt_sigaction, signal, (long)&real, 0, sizeof(real.mask), 0, 0);
}

long zl_own_sigaction(struct zl_frame *frame)
{
	struct zl_block *block = zl_block_here();
	struct zl_sighand *hand = block->sighand;
	int signal = (int)frame->call.arg[0];
	uintptr_t new = (uintptr_t)frame->call.arg[1], old = (uintptr_t)frame->call.arg[2];
	struct zl_action wanted, before;
	long result;

	if (frame->call.arg[3] != sizeof(wanted.mask))
		return -EINVAL;
	if (new && !zl_copy_in(&wanted, new, sizeof(wanted)))
		return -EFAULT;
	if (signal < 1 || signal > ZL_SIGNALS || (new && (zl_signal_bit(signal) & unmaskable)))
		return -EINVAL;
	if (zl_is_nested(frame))
		new = 0;   /* hook code can't take a signal from the program */
	zl_sighand_repair(hand);
	zl_lock(&hand->lock);
	before = hand->action[signal - 1];
	result = tell_kernel(frame, signal, new ? &wanted : NULL);
	if (result == 0 && new) {
		wanted.flags &= (unsigned)KNOWN_FLAGS;
		wanted.mask &= ~unmaskable;
		hand->action[signal - 1] = wanted;
		if (is_handler(wanted.handler))
			atomic_fetch_or(&hand->handled, zl_signal_bit(signal));
		else
			atomic_fetch_and(&hand->handled, ~zl_signal_bit(signal));
		if (wanted.handler == (uintptr_t)SIG_IGN) {
			__atomic_fetch_and(&block->kept_pending, ~zl_signal_bit(signal), __ATOMIC_SEQ_CST);
			zl_slot_choose_filter(block);
		}
	}
	zl_unlock(&hand->lock);
	if (result == 0 && old && !zl_copy_out(old, &before, sizeof(before)))
		return -EFAULT;
	return result;
}

/* A child of CLONE_SIGHAND that died of one of the agent's signals has taken the handler along. */
long zl_own_wait(struct zl_frame *frame)
{
	long result = zl_call_make(frame);
	zl_sighand_repair(zl_block_here()->sighand);
	return result;
}
