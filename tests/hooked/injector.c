/* injector.c - send a signal at every instruction of a system call, or list these; for tests/test_inject.py
 *
 *     injector SIGNAL PROGRAM CASE RESULT FORM [NAME=VALUE ...]
 *
 * Runs PROGRAM (injected.c), with NAME=VALUE in its environment, under ptrace. In round k it lets it come to the first
 * breakpoint and over the jump that follows, makes k steps, sends SIGNAL, and lets it go on to the second: the program
 * itself checks what the handler is shown and what becomes of the call. The last round is the one whose steps come to
 * the second breakpoint, or to a call that sleeps in the kernel. SIGNAL 0: no signal; one call is stepped through from
 * end to end, and then the program is done with (tests/test_hotpath.py).
 * Output: `map` and a line of /proc/PID/maps for each mapping of code, `at PC` for each signal, `asleep` for one to
 * a call that sleeps, and `steps N`; or FAIL, and exit status 1. For SIGNAL 0 `at PC CODE` for each instruction, CODE
 * being its first eight bytes, as a number.
 *
 * A step must not be seen by the program, but pushfq and `syscall` store the trap flag: it is taken out there.
 */
#include "injected.h"
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUND_SECONDS = 20, SHORT_LOOKS = 20, LOOK_US = 200, LOOKS_ASLEEP = 3 };
enum { PUSHFQ = 0x9c, SYSCALL = 0x050f, JUMP = 0x25ff, TRAP_FLAG = 0x100, KNOWN = 4096 };

static pid_t program;
static struct user_regs_struct regs;   /* of the program, when it stopped last */
static uint64_t begin, end, sent_at;   /* begin: where the call begins; end: behind the breakpoint after it */
static long steps;

static void on_alarm(int signal)
{
	(void)signal;   /* waitpid() ends with EINTR */
}

__attribute__((noreturn, format(printf, 1, 2))) static void fail(const char *format, ...)
{
	va_list list;

	printf("FAIL at step %ld, pc %#lx: ", steps, sent_at);
	va_start(list, format);
	vprintf(format, list);
	va_end(list);
	printf("\n");
	exit(1);   /* PTRACE_O_EXITKILL ends the program */
}

static void check(bool is_good, const char *what)
{
	if (!is_good)
		fail("%s: %s", what, strerror(errno));
}

static void read_registers(void)
{
	check(ptrace(PTRACE_GETREGS, program, 0, &regs) == 0, "PTRACE_GETREGS");
}

static void write_register(size_t at, uint64_t value)
{
	check(ptrace(PTRACE_POKEUSER, program, at, value) == 0, "PTRACE_POKEUSER");
}

/* The signal that stopped the program. */
static int stopped_by(int status)
{
	if (WIFEXITED(status))
		fail("the program ended with status %d", WEXITSTATUS(status));
	if (WIFSIGNALED(status))
		fail("the program died of signal %d", WTERMSIG(status));
	return WSTOPSIG(status);
}

static int wait_stop(void)
{
	int status;
	pid_t pid = waitpid(program, &status, 0);

	if (pid < 0 && errno == EINTR)
		fail("the program hangs");
	check(pid == program, "waitpid");
	return stopped_by(status);
}

static bool is_sleeping(void)
{
	char path[64], line[512], *end;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", program);
	file = fopen(path, "r");
	check(file && fgets(line, sizeof(line), file), path);
	fclose(file);
	end = strrchr(line, ')');
	return end && end[2] == 'S';
}

/* After a step over a `syscall`; 0 if it sleeps. */
static int wait_stop_or_sleep(void)
{
	int status;

	for (int looks = 0, asleep = 0; asleep < LOOKS_ASLEEP; looks++) {
		if (waitpid(program, &status, WNOHANG) == program)
			return stopped_by(status);
		usleep(looks < SHORT_LOOKS ? 0 : LOOK_US);
		asleep = looks >= SHORT_LOOKS && is_sleeping() ? asleep + 1 : 0;
	}
	return 0;
}

/* After a step over `code`. */
static void hide_step(uint16_t code)
{
	read_registers();
	if ((code & 0xff) == PUSHFQ) {
		long flags = ptrace(PTRACE_PEEKDATA, program, regs.rsp, 0);
		check(ptrace(PTRACE_POKEDATA, program, regs.rsp, flags & ~(long)TRAP_FLAG) == 0, "PTRACE_POKEDATA");
	}
	if (code == SYSCALL && regs.rcx == regs.rip)
		write_register(offsetof(struct user, regs.r11), regs.r11 & ~(uint64_t)TRAP_FLAG);
	if (regs.eflags & TRAP_FLAG)   /* after a popfq the kernel takes it for the program's own */
		write_register(offsetof(struct user, regs.eflags), regs.eflags & ~(uint64_t)TRAP_FLAG);
}

/* The first two bytes of an instruction. Code doesn't change any more. */
static uint16_t code_at(uint64_t pc)
{
	static struct { uint64_t pc; uint16_t code; } known[KNOWN];
	size_t i = pc % KNOWN;

	if (known[i].pc != pc) {
		known[i].pc = pc;
		known[i].code = (uint16_t)ptrace(PTRACE_PEEKTEXT, program, pc, 0);
	}
	return known[i].code;
}

/* One instruction, the first of a handler included; false if it is a call that sleeps. From regs, and to them. */
static bool step(void)
{
	int signal = 0;

	do {
		uint16_t code = code_at(regs.rip);
		check(ptrace(PTRACE_SINGLESTEP, program, 0, signal) == 0, "PTRACE_SINGLESTEP");
		signal = code == SYSCALL ? wait_stop_or_sleep() : wait_stop();
		if (signal == 0)
			return false;
		hide_step(code);
	} while (signal != SIGTRAP);
	return true;
}

/* To the next breakpoint; other signals go to the program. */
static void go_on(void)
{
	int signal = 0;

	do {
		check(ptrace(PTRACE_CONT, program, 0, signal) == 0, "PTRACE_CONT");
		signal = wait_stop();
	} while (signal != SIGTRAP);
	read_registers();
}

static void go_to(uint64_t pc)
{
	go_on();
	if (regs.rip != pc)
		fail("a SIGTRAP at pc %#llx", regs.rip);
}

/* Behind the first breakpoint. */
static void go_to_call(void)
{
	go_on();
	if (code_at(regs.rip) != JUMP || !step())
		fail("no jump behind the breakpoint at %#llx", regs.rip);
	if (begin && begin != regs.rip)
		fail("a call at %#llx", regs.rip);
	begin = regs.rip;
}

static void print_maps(void)
{
	char path[64], line[512];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/maps", program);
	file = fopen(path, "r");
	check(file != NULL, path);
	while (fgets(line, sizeof(line), file))
		if (strstr(line, "xp "))
			printf("map %s", line);
	fclose(file);
}

static void start(char **words)
{
	program = fork();
	check(program >= 0, "fork");
	if (program == 0) {
		char *guest[] = { words[0], words[1], words[2], words[3], NULL };
		for (char **setting = words + 4; *setting; setting++)
			putenv(*setting);
		if (ptrace(PTRACE_TRACEME, 0, 0, 0) == 0)
			execv(guest[0], guest);
		_exit(127);
	}
	check(wait_stop() == SIGTRAP, "exec");
	check(ptrace(PTRACE_SETOPTIONS, program, 0, PTRACE_O_EXITKILL) == 0, "PTRACE_SETOPTIONS");
	for (int round = 0; round < WARM_ROUNDS; round++) {
		go_to_call();
		go_on();
		end = regs.rip;
	}
	go_to_call();
	print_maps();
}

/* From the first breakpoint to that of the next round; true if it was the last. */
static bool try_step(int signal)
{
	bool is_asleep = false;

	alarm(ROUND_SECONDS);
	for (long i = 0; i < steps && !is_asleep; i++)
		is_asleep = !step();
	sent_at = is_asleep ? 0 : regs.rip;
	if (is_asleep)
		printf("asleep\n");
	else
		printf("at %#lx\n", sent_at);
	check(syscall(SYS_tgkill, program, program, signal) == 0, "tgkill");
	if (is_asleep) {
		if (wait_stop() != SIGTRAP)
			fail("no end of the step over the call that slept");
		hide_step(SYSCALL);
	}
	go_to(end);
	go_to_call();
	return is_asleep || sent_at == end - 1;
}

static void print_call(void)
{
	alarm(ROUND_SECONDS);
	for (; regs.rip != end - 1; steps++) {
		sent_at = regs.rip;
		errno = 0;
		printf("at %#lx %#lx\n", sent_at, ptrace(PTRACE_PEEKTEXT, program, sent_at, 0));
		check(errno == 0, "PTRACE_PEEKTEXT");
		if (!step())
			fail("the call sleeps");
	}
	printf("steps %ld\n", steps);
}

/* The program, too: to wake it up on another would take longer. */
static void stay_on_this_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	sched_setaffinity(0, sizeof(set), &set);
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_alarm };

	if (argc < 6)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	sigaction(SIGALRM, &action, NULL);
	stay_on_this_cpu();
	alarm(ROUND_SECONDS);
	start(argv + 2);
	if (atoi(argv[1]) == 0) {
		print_call();
		return 0;
	}
	while (!try_step(atoi(argv[1])))
		steps++;
	printf("steps %ld\n", steps);
	return 0;
}
