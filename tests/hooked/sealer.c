/* sealer.c - make the agent's shared memory read-only between two breakpoints of a program; for tests/test_sealed.py
 *
 *     sealer GATE LIBRARY PROGRAM ... [NAME=VALUE ...]
 *
 * Runs PROGRAM (sealed.c), with NAME=VALUE in its environment, under ptrace. At its first breakpoint all that it can
 * write becomes read-only, but for
 *
 *     what it names itself     rdi: its own memory, rsi: how many ranges; and heap and stack
 *     slots of its threads     where gs points, base/slot.h
 *
 * by mprotect calls that are injected at the agent's own `syscall`, GATE bytes into LIBRARY, so that no code of the
 * agent sees them. At the second breakpoint all of it gets back what it had.
 * Output: `sealed` with a line of /proc/PID/maps for each piece, what the program prints, and how it ended if that was
 * not at its end. Exit status: the program's, or 3, or 1 for a fault of this program or the machine.
 */
#include "base/slot.h"
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 1024, SECONDS = 120, ENDED_EARLY = 3, SYSCALL_SIZE = 2 };

struct range { uintptr_t start, end; };

static pid_t program;
static uintptr_t gate;
static struct range kept[MOST];            /* stay writable */
static size_t keeps;
static struct { struct range range; int protection; } sealed[MOST];
static size_t seals;

__attribute__((noreturn, format(printf, 2, 3))) static void stop(int status, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vprintf(format, list);
	va_end(list);
	printf("\n");
	exit(status);   /* PTRACE_O_EXITKILL ends the program */
}

static void check(bool is_good, const char *what)
{
	if (!is_good)
		stop(1, "%s: %s", what, strerror(errno));
}

static void on_alarm(int signal)
{
	(void)signal;   /* waitpid() ends with EINTR */
}

static int wait_for(pid_t thread)
{
	int status;

	if (waitpid(thread, &status, __WALL) < 0 && errno == EINTR)
		stop(ENDED_EARLY, "the program hangs");
	return status;
}

/* Signals go to the program, but for the breakpoint's. */
static void go_to_breakpoint(struct user_regs_struct *regs)
{
	int signal = 0, status;

	do {
		check(ptrace(PTRACE_CONT, program, 0, signal) == 0, "PTRACE_CONT");
		status = wait_for(program);
		if (WIFEXITED(status))
			stop(ENDED_EARLY, "the program ended with status %d", WEXITSTATUS(status));
		if (WIFSIGNALED(status))
			stop(ENDED_EARLY, "the program died of signal %d", WTERMSIG(status));
		signal = WSTOPSIG(status);
	} while (signal != SIGTRAP);
	check(ptrace(PTRACE_GETREGS, program, 0, regs) == 0, "PTRACE_GETREGS");
}

static void keep(uintptr_t start, uintptr_t end)
{
	if (keeps == MOST)
		stop(1, "too many pieces of memory");
	kept[keeps++] = (struct range){ start, end };
}

static void keep_slot(uintptr_t gs)
{
	keep(gs & ~(uintptr_t)(SLOT_SIZE - 1), (gs | (SLOT_SIZE - 1)) + 1);
}

static void keep_slots(const struct user_regs_struct *first)
{
	struct user_regs_struct regs;
	struct dirent *entry;
	char path[64];
	DIR *folder;

	keep_slot(first->gs_base);
	snprintf(path, sizeof(path), "/proc/%d/task", program);
	folder = opendir(path);
	check(folder != NULL, path);
	while ((entry = readdir(folder))) {
		pid_t thread = (pid_t)atol(entry->d_name);
		if (thread == 0 || thread == program)
			continue;
		check(ptrace(PTRACE_SEIZE, thread, 0, 0) == 0, "PTRACE_SEIZE");
		check(ptrace(PTRACE_INTERRUPT, thread, 0, 0) == 0, "PTRACE_INTERRUPT");
		wait_for(thread);
		check(ptrace(PTRACE_GETREGS, thread, 0, &regs) == 0, "PTRACE_GETREGS");
		keep_slot(regs.gs_base);
		check(ptrace(PTRACE_DETACH, thread, 0, 0) == 0, "PTRACE_DETACH");
	}
	closedir(folder);
}

/* What the program says is its own. */
static void keep_named(const struct user_regs_struct *regs)
{
	static struct range ranges[MOST];
	struct iovec to = { ranges, regs->rsi * sizeof(ranges[0]) }, from = { (void *)regs->rdi, to.iov_len };

	check(to.iov_len <= sizeof(ranges) && process_vm_readv(program, &to, 1, &from, 1, 0) == (ssize_t)to.iov_len,
	      "process_vm_readv");
	for (size_t i = 0; i < regs->rsi; i++)
		keep(ranges[i].start, ranges[i].end);
}

static FILE *open_maps(void)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/maps", program);
	file = fopen(path, "r");
	check(file != NULL, path);
	return file;
}

static void add_piece(uintptr_t start, uintptr_t end, bool is_code, const char *line)
{
	if (seals == MOST)
		stop(1, "too many pieces of memory");
	sealed[seals].range = (struct range){ start, end };
	sealed[seals++].protection = PROT_READ | PROT_WRITE | (is_code ? PROT_EXEC : 0);
	printf("sealed %lx-%lx of %s", start, end, line);
}

/* What of a writable mapping is not kept. */
static void add_pieces(uintptr_t start, uintptr_t end, bool is_code, const char *line)
{
	while (start < end) {
		uintptr_t next = end, behind = start;
		for (size_t i = 0; i < keeps; i++) {
			if (kept[i].start <= start && kept[i].end > behind)
				behind = kept[i].end;
			if (kept[i].start > start && kept[i].start < next)
				next = kept[i].start;
		}
		if (behind == start)
			add_piece(start, next, is_code, line);
		start = behind == start ? next : behind;
	}
}

static void find_pieces(void)
{
	FILE *file = open_maps();
	uintptr_t start, end;
	char line[512], access[8];

	while (fgets(line, sizeof(line), file)) {
		check(sscanf(line, "%lx-%lx %7s", &start, &end, access) == 3, line);
		if (access[1] == 'w' && !strstr(line, "[heap]") && !strstr(line, "[stack]"))
			add_pieces(start, end, access[2] == 'x', line);
	}
	fclose(file);
}

static void find_gate(const char *library, uintptr_t offset)
{
	FILE *file = open_maps();
	char line[512];

	while (gate == 0 && fgets(line, sizeof(line), file))
		if (strstr(line, library))
			gate = strtoul(line, NULL, 16) + offset;
	fclose(file);
	check(gate != 0, "no agent in the program");
}

static void inject_protect(const struct range *range, int protection)
{
	struct user_regs_struct regs, call;

	check(ptrace(PTRACE_GETREGS, program, 0, &regs) == 0, "PTRACE_GETREGS");
	call = regs;
	call.orig_rax = (uint64_t)-1;
	call.rax = SYS_mprotect;
	call.rdi = range->start;
	call.rsi = range->end - range->start;
	call.rdx = (uint64_t)protection;
	call.rip = gate;
	check(ptrace(PTRACE_SETREGS, program, 0, &call) == 0, "PTRACE_SETREGS");
	check(ptrace(PTRACE_SINGLESTEP, program, 0, 0) == 0, "PTRACE_SINGLESTEP");
	check(WIFSTOPPED(wait_for(program)), "the injected call");
	check(ptrace(PTRACE_GETREGS, program, 0, &call) == 0, "PTRACE_GETREGS");
	if (call.rip != gate + SYSCALL_SIZE || call.rax != 0)
		stop(1, "the injected mprotect answers %lld at %llx", call.rax, call.rip);
	check(ptrace(PTRACE_SETREGS, program, 0, &regs) == 0, "PTRACE_SETREGS");
}

/* Everything that can still be written is to be kept. */
static void look_again(void)
{
	seals = 0;
	find_pieces();
	if (seals != 0)
		stop(1, "not everything is sealed");
}

static void start(char **words)
{
	char **setting = words;

	while (*setting && !strchr(*setting, '='))
		setting++;
	program = fork();
	check(program >= 0, "fork");
	if (program == 0) {
		for (char **s = setting; *s; s++)
			putenv(*s);
		*setting = NULL;
		if (ptrace(PTRACE_TRACEME, 0, 0, 0) == 0)
			execv(words[0], words);
		_exit(127);
	}
	check(WIFSTOPPED(wait_for(program)), "exec");
	check(ptrace(PTRACE_SETOPTIONS, program, 0, PTRACE_O_EXITKILL) == 0, "PTRACE_SETOPTIONS");
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct user_regs_struct regs;
	size_t pieces;
	int status;

	if (argc < 4)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	sigaction(SIGALRM, &action, NULL);
	alarm(SECONDS);
	start(argv + 3);
	go_to_breakpoint(&regs);
	find_gate(argv[2], strtoul(argv[1], NULL, 0));
	keep_named(&regs);
	keep_slots(&regs);
	find_pieces();
	for (size_t i = 0; i < seals; i++)
		inject_protect(&sealed[i].range, sealed[i].protection & ~PROT_WRITE);
	pieces = seals;
	look_again();
	go_to_breakpoint(&regs);
	for (size_t i = 0; i < pieces; i++)
		inject_protect(&sealed[i].range, sealed[i].protection);
	check(ptrace(PTRACE_DETACH, program, 0, 0) == 0, "PTRACE_DETACH");
	status = wait_for(program);
	return WIFEXITED(status) ? WEXITSTATUS(status) : ENDED_EARLY;
}
