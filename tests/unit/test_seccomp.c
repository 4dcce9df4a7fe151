/* test_seccomp - the agent's interpreter of filters against the kernel's
 *
 *   random programs, alone      both give the same answer to a call with random arguments
 *   random programs, in chains  and of several the most severe one counts
 *   strict mode                 lets read, write, exit and rt_sigreturn pass, nothing else
 */
#include "base/raw.h"
#include "base/seccomp.h"
#include <linux/audit.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

enum { LENGTH = 40, MOST = 3, STORES = 4 };
static unsigned long state;

static uint32_t pick(uint32_t below)
{
	state = state * 6364136223846793005UL + 1442695040888963407UL;
	return (uint32_t)(state >> 33) % below;
}

static struct sock_filter random_step(int left)
{
	static const unsigned short operations[] = { BPF_ADD, BPF_SUB, BPF_MUL, BPF_AND, BPF_OR, BPF_XOR, BPF_DIV, BPF_NEG, BPF_LSH,
		BPF_RSH }, tests[] = { BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET };
	unsigned short source = pick(2) ? BPF_X : BPF_K, operation = operations[pick(10)];
	uint32_t k = pick(2) ? pick(64) : pick(1U << 31) * 2;

	switch (pick(8)) {
	case 0: return (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, pick(16) < 2 ? 0 : 16 + 4 * pick(12));
	case 1: return (struct sock_filter)BPF_STMT(BPF_LD | (pick(2) ? BPF_IMM : BPF_MEM), pick(STORES));
	case 2: return (struct sock_filter)BPF_STMT(BPF_LDX | BPF_W | (pick(2) ? BPF_LEN : BPF_MEM), pick(STORES));
	case 3: return (struct sock_filter)BPF_STMT(pick(2) ? BPF_ST : BPF_STX, pick(STORES));
	case 4: return (struct sock_filter)BPF_STMT(BPF_MISC | (pick(2) ? BPF_TAX : BPF_TXA), 0);
	case 5: return (struct sock_filter)BPF_JUMP(BPF_JMP | tests[pick(4)] | source, k, pick((unsigned)left), pick((unsigned)left));
	default:
		if (operation == BPF_NEG)
			return (struct sock_filter)BPF_STMT(BPF_ALU | BPF_NEG, 0);
		if (operation == BPF_LSH || operation == BPF_RSH)
			k %= 32;
		return (struct sock_filter)BPF_STMT(BPF_ALU | operation | source, operation == BPF_DIV ? k | 1 : k);
	}
}

/* Only getppid is asked: the answer hangs on A. */
static struct zl_seccomp *random_filter(const struct zl_seccomp *previous)
{
	struct zl_seccomp *filter = calloc(1, sizeof(*filter) + (STORES + LENGTH + 10) * sizeof(struct sock_filter));
	struct sock_filter *at = filter->code;

	*at++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0);
	*at++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_getppid, 1, 0);
	*at++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	for (uint32_t i = 0; i < STORES; i++)
		*at++ = (struct sock_filter)BPF_STMT(BPF_ST, i);
	for (int left = LENGTH; left > 0; left--)
		*at++ = random_step(left);
	*at++ = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, 0x9e3779b1);   /* every bit of A counts */
	*at++ = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 30);
	*at++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 1, 2, 0);
	*at++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 0, 2, 0);
	*at++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP);
	*at++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	*at++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 1);
	filter->length = (uint32_t)(at - filter->code);
	filter->previous = previous;
	return filter;
}

static void install(const struct zl_seccomp *filter)
{
	struct sock_fprog program = { (unsigned short)filter->length, (struct sock_filter *)filter->code };
	if (filter->previous)
		install(filter->previous);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		_exit(250);
}

/* As of the kernel: the exit status says whether it answered an error, the signal that it did not. */
static uint32_t ask_kernel(const struct zl_seccomp *filter, const long arg[6])
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		signal(SIGSYS, SIG_DFL);   /* cmocka has a handler */
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		install(filter);
		long result = zl_raw_syscall(__NR_getppid, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
		_exit(result < 0 ? 1 : 2);
	}
	waitpid(pid, &status, 0);
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGSYS ? SECCOMP_RET_TRAP : 0xdead;
	assert_int_not_equal(WEXITSTATUS(status), 250);
	return WEXITSTATUS(status) == 1 ? SECCOMP_RET_ERRNO : SECCOMP_RET_ALLOW;
}

static void compare(int filters, int rounds)
{
	for (int round = 0; round < rounds; round++) {
		struct zl_seccomp *chain[MOST];
		long arg[6];
		for (int i = 0; i < 6; i++)
			arg[i] = (long)pick(1U << 31) << 32 | pick(100);
		for (int i = 0; i < filters; i++)
			chain[i] = random_filter(i ? chain[i - 1] : NULL);
		uint32_t ours = zl_seccomp_ask(chain[filters - 1], (uintptr_t)zl_raw_syscall_after, __NR_getppid, arg);
		uint32_t kernels = ask_kernel(chain[filters - 1], arg);
		if (ours == SECCOMP_RET_KILL_THREAD)   /* a division by zero; seen as the same signal */
			ours = SECCOMP_RET_TRAP;
		assert_int_equal(ours, kernels);
		for (int i = 0; i < filters; i++)
			free(chain[i]);
	}
}

static void test_seccomp_answers_as_the_kernel(void **nothing) { (void)nothing; compare(1, 400); }
static void test_seccomp_takes_the_most_severe(void **nothing) { (void)nothing; compare(MOST, 200); }

static void test_seccomp_strict_leaves_four_calls(void **nothing)
{
	static const long arg[6];
	int passed = 0;

	(void)nothing;
	for (long number = 0; number < 600; number++)
		passed += zl_seccomp_passes(zl_seccomp_ask(&zl_seccomp_strict, 0, number, arg));
	assert_int_equal(passed, 4);
	assert_true(zl_seccomp_lets(&zl_seccomp_strict, __NR_read, 0, 0, 0) && zl_seccomp_lets(&zl_seccomp_strict, __NR_write, 0, 0, 0));
	assert_true(zl_seccomp_lets(&zl_seccomp_strict, __NR_exit, 0, 0, 0));
	assert_true(zl_seccomp_lets(&zl_seccomp_strict, __NR_rt_sigreturn, 0, 0, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_seccomp_answers_as_the_kernel), cmocka_unit_test(test_seccomp_takes_the_most_severe),
		cmocka_unit_test(test_seccomp_strict_leaves_four_calls),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
