/* sud.c - Syscall User Dispatch with the least code possible: the floor of the trap tactic
 *
 * The allowed range is libc's executable segment, so that stdio, exit and the handler's own rt_sigreturn go to
 * the kernel, and the one site of loop.c to the handler, which runs the hook. No selector byte.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "handler.h"

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#define PR_SYS_DISPATCH_ON 1
#endif

#define USER_SPACE_END 0x7ffffffff000UL

struct segment {
	unsigned long wanted;  /* an address inside */
	unsigned long start;
	unsigned long size;
};

static void answer(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)info;
	handle_call(context);
}

static int find_segment(struct dl_phdr_info *object, size_t size, void *data)
{
	struct segment *segment = data;

	(void)size;
	for (int i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &object->dlpi_phdr[i];
		unsigned long start = object->dlpi_addr + p->p_vaddr;

		if (p->p_type != PT_LOAD || segment->wanted - start >= p->p_memsz)
			continue;
		segment->start = start;
		segment->size = p->p_memsz;
		return 1;
	}
	return 0;
}

int sud_arm(enum sud_range range)
{
	struct segment allowed = { .start = 0x1000, .size = USER_SPACE_END - 0x1000 };
	struct sigaction action = { .sa_sigaction = answer, .sa_flags = SA_SIGINFO };

	if (range == SUD_LIBC_ONLY) {
		allowed.wanted = (unsigned long)exit;
		if (!dl_iterate_phdr(find_segment, &allowed))
			return -ENOENT;
	}
	if (sigaction(SIGSYS, &action, NULL) != 0)
		return -errno;
	if (prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, allowed.start, allowed.size, NULL) != 0)
		return -errno;
	return 0;
}
