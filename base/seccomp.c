/* seccomp.c - put a call to the filters, as the kernel will
 *
 * Classic BPF with the kernel's restrictions for seccomp (Linux, kernel/seccomp.c, seccomp_check_filter): words of
 * struct seccomp_data, sixteen words of memory, no loops. The copy of a program may be asked before the kernel has
 * checked it, so nothing here leads back, or out of an array.
 * Of several filters the most severe answer counts, and they are ordered by their values, as signed numbers.
 */
#include "base/seccomp.h"
#include "base/block.h"
#include "base/copy.h"
#include "base/raw.h"
#include <linux/audit.h>
#include <linux/errno.h>
#include "base/poison.h"

_Atomic bool zl_seccomp_is_used;
const struct zl_seccomp *_Atomic zl_seccomp_synced;

const struct zl_seccomp zl_seccomp_strict = {
	.depth = 1, .length = 7, .forbids_patching = true,
	.code = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_read, 4, 0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_write, 3, 0),
		  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_exit, 2, 0),
		  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_rt_sigreturn, 1, 0),
		  BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_THREAD), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) },
};

/* The registers of a run. */
struct machine {
	const struct seccomp_data *data;
	uint32_t a, x, memory[BPF_MEMWORDS];
};

static uint32_t load(const struct machine *m, const struct sock_filter *step)
{
	switch (BPF_MODE(step->code)) {
	case BPF_ABS: return ((const uint32_t *)m->data)[step->k / 4 % (sizeof(*m->data) / 4)];
	case BPF_MEM: return m->memory[step->k % BPF_MEMWORDS];
	case BPF_LEN: return sizeof(*m->data);
	default: return step->k;
	}
}

/* A division by zero, which ends the run, is not met here. */
static uint32_t calculate(unsigned operation, uint32_t a, uint32_t value)
{
	switch (operation) {
	case BPF_ADD: return a + value;
	case BPF_SUB: return a - value;
	case BPF_MUL: return a * value;
	case BPF_DIV: return a / value;
	case BPF_AND: return a & value;
	case BPF_OR: return a | value;
	case BPF_XOR: return a ^ value;
	case BPF_LSH: return a << (value & 31);
	case BPF_RSH: return a >> (value & 31);
	default: return -a;
	}
}

static uint32_t jump(const struct sock_filter *step, uint32_t a, uint32_t value)
{
	switch (BPF_OP(step->code)) {
	case BPF_JEQ: return a == value ? step->jt : step->jf;
	case BPF_JGT: return a > value ? step->jt : step->jf;
	case BPF_JGE: return a >= value ? step->jt : step->jf;
	case BPF_JSET: return a & value ? step->jt : step->jf;
	default: return step->k;
	}
}

static uint32_t run(const struct zl_seccomp *filter, const struct seccomp_data *data)
{
	struct machine m = { .data = data };

	for (uint64_t at = 0; at < filter->length; at++) {   /* the kernel may still refuse it: no jump leads back */
		const struct sock_filter *step = &filter->code[at];
		uint32_t value = BPF_SRC(step->code) == BPF_X ? m.x : step->k;

		switch (BPF_CLASS(step->code)) {
		case BPF_LD: m.a = load(&m, step); break;
		case BPF_LDX: m.x = load(&m, step); break;
		case BPF_ST: m.memory[step->k % BPF_MEMWORDS] = m.a; break;
		case BPF_STX: m.memory[step->k % BPF_MEMWORDS] = m.x; break;
		case BPF_JMP: at += jump(step, m.a, value); break;
		case BPF_RET: return BPF_RVAL(step->code) == BPF_A ? m.a : step->k;
		case BPF_MISC:
			if (BPF_MISCOP(step->code) == BPF_TAX)
				m.x = m.a;
			else
				m.a = m.x;
			break;
		default:
			if (BPF_OP(step->code) == BPF_DIV && value == 0)
				return SECCOMP_RET_KILL_THREAD;
			m.a = calculate(BPF_OP(step->code), m.a, value);
		}
	}
	return SECCOMP_RET_KILL_PROCESS;
}

uint32_t zl_seccomp_ask(const struct zl_seccomp *filters, uintptr_t after, long number, const long arg[6])
{
	struct seccomp_data data = { .nr = (int)number, .arch = AUDIT_ARCH_X86_64, .instruction_pointer = after };
	uint32_t worst = SECCOMP_RET_ALLOW;

	for (int i = 0; i < 6; i++)
		data.args[i] = (uint64_t)arg[i];
	for (; filters; filters = filters->previous) {
		uint32_t action = run(filters, &data) & SECCOMP_RET_ACTION_FULL;
		if ((int32_t)action < (int32_t)worst)
			worst = action;
	}
	return worst;
}

const struct zl_seccomp *zl_seccomp_of(const struct zl_block *block)
{
	const struct zl_seccomp *own = block->seccomp, *synced = atomic_load(&zl_seccomp_synced);
	return own && (!synced || own->depth >= synced->depth) ? own : synced;
}

const struct zl_seccomp *zl_seccomp_here(void)
{
	const struct zl_block *block = atomic_load_explicit(&zl_seccomp_is_used, memory_order_acquire) ? zl_read_self() : NULL;
	return block ? zl_seccomp_of(block) : NULL;
}

bool zl_seccomp_lets(const struct zl_seccomp *filters, long number, long a, long b, long c)
{
	const long arg[6] = { a, b, c, 0, 0, 0 };
	return !filters || zl_seccomp_passes(zl_seccomp_ask(filters, (uintptr_t)zl_raw_syscall_after, number, arg));
}

long zl_raw_asked(long number, long a, long b, long c, long d, long e, long f)
{
	const struct zl_seccomp *filters = zl_seccomp_here();
	const long arg[6] = { a, b, c, d, e, f };

	if (filters && !zl_seccomp_passes(zl_seccomp_ask(filters, (uintptr_t)zl_raw_syscall_after, number, arg)))
		return -EACCES;
	return zl_raw_syscall(number, a, b, c, d, e, f);
}
