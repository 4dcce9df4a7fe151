/* vdso.c - run a command with another vDSO than the kernel gave it
 *
 *     vdso HOW NAME=VALUE... -- command args...
 *
 * HOW: absent   AT_SYSINFO_EHDR is taken out of the auxiliary vector
 *      moved    vDSO and its data are moved elsewhere by mremap, and AT_SYSINFO_EHDR says where
 *      sealed   the vDSO is sealed by mseal
 *      other    AT_SYSINFO_EHDR says where the dynamic linker lies: a shared object, but not the vDSO
 *
 * The variables are set for the command only. By ptrace, at the first instruction of the command; calls are made for it there. Then the command runs alone, and
 * `vdso` ends as it does. Exit status 77 with the reason where that can't be done.
 */
#include <errno.h>
#include <linux/auxvec.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_mseal
#define SYS_mseal 462
#endif

enum { MOST_PARTS = 8 };

struct part { unsigned long start, end; };

/* [vvar], [vvar_vclock] and the like, and last [vdso]. */
static struct { struct part part[MOST_PARTS]; int count; } here;
static pid_t child;

static _Noreturn void give_up(const char *why)
{
	printf("vdso: %s: %s\n", why, strerror(errno));
	kill(child, SIGKILL);
	exit(77);
}

static long peek(unsigned long address)
{
	return ptrace(PTRACE_PEEKDATA, child, address, 0);
}

static void poke(unsigned long address, unsigned long value)
{
	if (ptrace(PTRACE_POKEDATA, child, address, value) != 0)
		give_up("poke");
}

/* The place of the entry of this type in the auxiliary vector, which lies behind arguments and environment. */
static unsigned long find_entry(unsigned long type)
{
	struct user_regs_struct registers;
	unsigned long at;

	ptrace(PTRACE_GETREGS, child, 0, &registers);
	at = registers.rsp + 8 * (unsigned long)(peek(registers.rsp) + 2);
	while (peek(at) != 0)
		at += 8;
	for (at += 8; peek(at) != AT_NULL; at += 16)
		if ((unsigned long)peek(at) == type)
			return at;
	give_up("no such entry in the auxiliary vector");
}

static void find_parts(void)
{
	char path[64], line[256];
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)child);
	maps = fopen(path, "r");
	if (maps == NULL)
		give_up(path);
	while (fgets(line, sizeof(line), maps)) {
		struct part *part = &here.part[here.count];
		if ((strstr(line, "[vvar") || strstr(line, "[vdso]")) && here.count < MOST_PARTS)
			here.count += sscanf(line, "%lx-%lx", &part->start, &part->end) == 2;
	}
	fclose(maps);
	if (here.count == 0)
		give_up("no vDSO");
}

/* Let the child make one call, by a `syscall` that is put over its next instruction for the moment. */
static long call(long number, unsigned long a, unsigned long b, unsigned long c, unsigned long d, unsigned long e)
{
	struct user_regs_struct saved, registers;
	unsigned long word;
	int status;

	ptrace(PTRACE_GETREGS, child, 0, &saved);
	registers = saved;
	registers.rax = (unsigned long)number;
	registers.orig_rax = -1UL;
	registers.rdi = a;
	registers.rsi = b;
	registers.rdx = c;
	registers.r10 = d;
	registers.r8 = e;
	registers.r9 = 0;
	word = (unsigned long)peek(saved.rip);
	poke(saved.rip, (word & ~0xffffUL) | 0x050f);
	ptrace(PTRACE_SETREGS, child, 0, &registers);
	if (ptrace(PTRACE_SINGLESTEP, child, 0, 0) != 0 || waitpid(child, &status, 0) != child || !WIFSTOPPED(status))
		give_up("single step");
	ptrace(PTRACE_GETREGS, child, 0, &registers);
	poke(saved.rip, word);
	ptrace(PTRACE_SETREGS, child, 0, &saved);
	return (long)registers.rax;
}

static void expect(const char *what, long result, long expected)
{
	if (result == expected)
		return;
	errno = result < 0 ? (int)-result : 0;
	give_up(what);
}

static void move(void)
{
	const struct part *last = &here.part[here.count - 1];
	unsigned long first = here.part[0].start, room = last->end - first, entry = find_entry(AT_SYSINFO_EHDR);
	long to = call(SYS_mmap, 0, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1UL);

	if (to < 0)
		give_up("mmap");
	for (int i = here.count - 1; i >= 0; i--) {
		unsigned long from = here.part[i].start, size = here.part[i].end - from, place = (unsigned long)to + from - first;
		expect("mremap", call(SYS_mremap, from, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, place), (long)place);
	}
	poke(entry + 8, (unsigned long)to + last->start - first);
}

static void seal(void)
{
	const struct part *last = &here.part[here.count - 1];
	expect("mseal", call(SYS_mseal, last->start, last->end - last->start, 0, 0, 0), 0);
}

static _Noreturn void end_as_child(void)
{
	int status;
	if (waitpid(child, &status, 0) != child)
		give_up("waitpid");
	if (WIFSIGNALED(status)) {
		signal(WTERMSIG(status), SIG_DFL);
		raise(WTERMSIG(status));
	}
	exit(WEXITSTATUS(status));
}

int main(int argc, char **argv)
{
	const char *how = argc > 3 ? argv[1] : "";
	char **command = argv + 2;
	int status;

	while (command < argv + argc && strcmp(*command, "--") != 0)
		command++;
	command++;
	if (command >= argv + argc || (strcmp(how, "absent") != 0 && strcmp(how, "moved") != 0 &&
				       strcmp(how, "sealed") != 0 && strcmp(how, "other") != 0)) {
		fprintf(stderr, "usage: vdso absent|moved|sealed|other NAME=VALUE... -- command args...\n");
		return 2;
	}
	child = fork();
	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		for (char **variable = argv + 2; variable < command - 1; variable++)
			putenv(*variable);
		execvp(*command, command);
		perror(*command);
		_exit(126);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFSTOPPED(status))
		give_up("no stop at exec");
	find_parts();
	if (strcmp(how, "absent") == 0)
		poke(find_entry(AT_SYSINFO_EHDR), AT_IGNORE);
	else if (strcmp(how, "moved") == 0)
		move();
	else if (strcmp(how, "sealed") == 0)
		seal();
	else
		poke(find_entry(AT_SYSINFO_EHDR) + 8, (unsigned long)peek(find_entry(AT_BASE) + 8));
	ptrace(PTRACE_DETACH, child, 0, 0);
	end_as_child();
}
