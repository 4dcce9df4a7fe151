/* seccomp.c - a filter that takes the calls of the loop's site, by their address; SECCOMP_RET_TRAP with a handler */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "handler.h"

#define FIELD(name) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, name))
#define UNLESS_EQUAL(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip)
#define ACTION(value) BPF_STMT(BPF_RET | BPF_K, value)

long seccomp_take_site(unsigned action, unsigned flags)
{
	unsigned long after = (unsigned long)loop_site + 2;
	struct sock_filter code[] = {
		FIELD(instruction_pointer),
		UNLESS_EQUAL((unsigned)after, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, instruction_pointer) + sizeof(unsigned)),
		UNLESS_EQUAL((unsigned)(after >> 32), 1),
		ACTION(action),
		ACTION(SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };
	long result;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -errno;
	result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	return result < 0 ? -errno : result;
}

static void on_sigsys(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)info;
	handle_call(context);
}

int seccomp_arm(void)
{
	struct sigaction action = { .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO };

	if (sigaction(SIGSYS, &action, NULL) != 0)
		return -errno;
	return (int)seccomp_take_site(SECCOMP_RET_TRAP, 0);
}
