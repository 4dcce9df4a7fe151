/* ptrace.c - a tracer stops the loop at each system call, and answers: PTRACE_SYSCALL or PTRACE_SYSEMU
 *
 * The tracer is the process that was started; the loop goes on in its child. PTRACE_SYSCALL stops before and after a
 * call; to answer it the number is changed to none. PTRACE_SYSEMU stops once and makes no call: those that are not
 * the hook's are done again in single steps, which is how the loop prints and ends, and is not measured.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hook.h"

#ifndef PTRACE_SYSEMU
#define PTRACE_SYSEMU 31
#endif

enum { SITE_SIZE = 2, RAX = offsetof(struct user, regs.rax), ORIG_RAX = offsetof(struct user, regs.orig_rax),
       RIP = offsetof(struct user, regs.rip), NO_CALL = -1 };

static _Noreturn void fail(const char *what)
{
	perror(what);
	exit(1);
}

static long peek(pid_t pid, long where)
{
	errno = 0;
	long word = ptrace(PTRACE_PEEKUSER, pid, where, 0);

	if (errno)
		fail("loop: ptrace: peek");
	return word;
}

static void poke(pid_t pid, long where, long value)
{
	if (ptrace(PTRACE_POKEUSER, pid, where, value) != 0)
		fail("loop: ptrace: poke");
}

/* Until the loop's next stop; with the loop the tracer ends, too. */
static void wait_for(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		fail("loop: ptrace: wait");
	if (WIFSTOPPED(status))
		return;
	if (WIFSIGNALED(status))
		fprintf(stderr, "loop: ptrace: killed by signal %d\n", WTERMSIG(status));
	exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

static void go_on(pid_t pid, int request)
{
	if (ptrace((enum __ptrace_request)request, pid, 0, 0) != 0)
		fail("loop: ptrace: go on");
	wait_for(pid);
}

static void by_syscall(pid_t pid)
{
	long answer;

	go_on(pid, PTRACE_SYSCALL);
	if (!hook_answers(peek(pid, ORIG_RAX), &answer)) {
		go_on(pid, PTRACE_SYSCALL);
		return;
	}
	poke(pid, ORIG_RAX, NO_CALL);
	go_on(pid, PTRACE_SYSCALL);
	poke(pid, RAX, answer);
}

static void make_call(pid_t pid, long number)
{
	long after = peek(pid, RIP);

	poke(pid, RIP, after - SITE_SIZE);
	poke(pid, RAX, number);
	poke(pid, ORIG_RAX, NO_CALL);
	do
		go_on(pid, PTRACE_SINGLESTEP);
	while (peek(pid, RIP) != after);
}

static void by_sysemu(pid_t pid)
{
	long number, answer;

	go_on(pid, PTRACE_SYSEMU);
	number = peek(pid, ORIG_RAX);
	if (hook_answers(number, &answer))
		poke(pid, RAX, answer);
	else
		make_call(pid, number);
}

int ptrace_arm(enum tracer kind, int cpu)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, 0, 0) != 0)
			return -errno;
		kill(getpid(), SIGSTOP);
		return 0;
	}
	wait_for(pid);
	if (ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_EXITKILL) != 0)
		fail("loop: ptrace: options");
	if (cpu >= 0)
		loop_move_to(cpu);
	for (;;)
		kind == TRACER_SYSEMU ? by_sysemu(pid) : by_syscall(pid);
}
