/* without.c - run a command on a kernel that lacks something
 *
 *     without FEATURE -- command args...
 *
 * FEATURE: sud         Syscall User Dispatch is answered EINVAL, as by a kernel before 5.11
 *          sud-eperm   the same, EPERM, as by a sandbox
 *          page-zero   CAP_SYS_RAWIO is dropped, so vm.mmap_min_addr forbids it
 *          membarrier  membarrier is answered ENOSYS
 *
 * The feature is asked for before the command is executed: if it is still there, exit status 77 with the reason.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/membarrier.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Noreturn void skip(const char *why)
{
	printf("without: %s: %s\n", why, strerror(errno));
	exit(77);
}

/* Answer `number` with an error; only if its first argument is `first`, unless that is negative. */
static void forbid(unsigned number, int first, unsigned error)
{
	struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | (first < 0 ? BPF_JGE : BPF_JEQ) | BPF_K, first < 0 ? 0 : (unsigned)first, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { sizeof(program) / sizeof(program[0]), program };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
		skip("no seccomp filter can be set");
}

static void take_dispatch(int error)
{
	forbid(SYS_prctl, PR_SET_SYSCALL_USER_DISPATCH, (unsigned)error);
	if (prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, 0UL, -4096UL, NULL) == 0 || errno != error)
		skip("dispatch is still there");
}

static void take_page_zero(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];
	unsigned bit = ~(1U << CAP_SYS_RAWIO);

	prctl(PR_CAPBSET_DROP, CAP_SYS_RAWIO, 0, 0, 0);   /* root gets back at exec what is in this set */
	if (syscall(SYS_capget, &header, data) != 0)
		skip("capget");
	data[0].effective &= bit;
	data[0].permitted &= bit;
	data[0].inheritable &= bit;
	if (syscall(SYS_capset, &header, data) != 0)
		skip("capset");
	if (mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED)
		skip("page zero can be mapped all the same: vm.mmap_min_addr is 0");
}

static void take_membarrier(void)
{
	forbid(SYS_membarrier, -1, ENOSYS);
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0) != -1 || errno != ENOSYS)
		skip("membarrier is still there");
}

int main(int argc, char **argv)
{
	const char *feature = argc > 3 && strcmp(argv[2], "--") == 0 ? argv[1] : "";

	if (strcmp(feature, "sud") == 0)
		take_dispatch(EINVAL);
	else if (strcmp(feature, "sud-eperm") == 0)
		take_dispatch(EPERM);
	else if (strcmp(feature, "page-zero") == 0)
		take_page_zero();
	else if (strcmp(feature, "membarrier") == 0)
		take_membarrier();
	else {
		fprintf(stderr, "usage: without sud|sud-eperm|page-zero|membarrier -- command args...\n");
		return 2;
	}
	execvp(argv[3], argv + 3);
	perror(argv[3]);
	return 126;
}
