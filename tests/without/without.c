/* without.c - run a command on a kernel that lacks something
 *
 *     without FEATURE -- command args...
 *
 * FEATURE: sud         Syscall User Dispatch is answered EINVAL, as by a kernel before 5.11
 *          sud-eperm   the same, EPERM, as by a sandbox
 *          page-zero   CAP_SYS_RAWIO is dropped for good, so vm.mmap_min_addr forbids it; where that is 0, a filter does
 *          privileges  root becomes nobody (user and group 65534, no other groups), and no capability is left
 *          membarrier  membarrier is answered ENOSYS
 *          proc-mem    /proc/self/mem can't be opened: EACCES, as by a hardened kernel. `without` stays, looks at every
 *                      openat of the command and of its children, and ends as the command does
 * What the CPU has can't be taken away from here: for AVX state, xsavec and xsave see ZLAZY_WITHOUT in
 * tests/test_faults.py.
 *
 * The feature is asked for before the command is executed: if it is still there, exit status 77 with the reason. Two at
 * once: without privileges -- without page-zero -- command.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/membarrier.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOBODY = 65534 };

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

/* What root gets back at exec is in this set. */
static void shrink_bounding_set(uint64_t which)
{
	for (int number = 0; number < 64; number++)
		if (which >> number & 1)
			prctl(PR_CAPBSET_DROP, number, 0, 0, 0);
}

/* Neither this process nor what it executes has these capabilities any more, or gets them back. */
static void drop_capabilities(uint64_t which)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) != 0)
		skip("capget");
	for (int half = 0; half < 2; half++) {
		unsigned kept = ~(unsigned)(which >> 32 * half);
		data[half].effective &= kept;
		data[half].permitted &= kept;
		data[half].inheritable &= kept;   /* and so the ambient ones */
	}
	if (syscall(SYS_capset, &header, data) != 0)
		skip("capset");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		skip("no_new_privs");
}

enum { LOWEST = 0x10000 };   /* what distributions set vm.mmap_min_addr to */

/* EPERM if the call's argument `address` is below LOWEST and its argument `flags` has one of these. */
#define FORBID_LOW(number, flags, mask, address) \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)), \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 7), \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[flags])), \
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, mask, 0, 5), \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[address]) + 4), \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3), \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[address])), \
	BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, LOWEST, 1, 0), \
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)

/* For a machine whose vm.mmap_min_addr is 0. */
static void forbid_low_addresses(void)
{
	struct sock_filter program[] = {
		FORBID_LOW(SYS_mmap, 3, MAP_FIXED | MAP_FIXED_NOREPLACE, 0),
		FORBID_LOW(SYS_mremap, 3, MREMAP_FIXED, 4),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { sizeof(program) / sizeof(program[0]), program };

	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
		skip("page zero can be mapped all the same: vm.mmap_min_addr is 0, and no seccomp filter can be set");
}

/* Whether a page can be mapped here. It is not, afterwards. */
static bool can_map(unsigned long address)
{
	void *place = (void *)address;

	if (mmap(place, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != place)
		return false;
	munmap(place, 4096);
	return true;
}

static void take_page_zero(void)
{
	shrink_bounding_set(1ULL << CAP_SYS_RAWIO);
	drop_capabilities(1ULL << CAP_SYS_RAWIO);
	if (can_map(0))
		forbid_low_addresses();
	if (can_map(0) || (errno != EPERM && errno != EACCES))   /* EACCES: SELinux */
		skip("page zero is not refused");
}

static void take_privileges(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	shrink_bounding_set(~0ULL);
	if (geteuid() == 0 && (setgroups(0, NULL) != 0 || setresgid(NOBODY, NOBODY, NOBODY) != 0 ||
			       setresuid(NOBODY, NOBODY, NOBODY) != 0))
		skip("root can't become nobody");
	drop_capabilities(~0ULL);
	if (syscall(SYS_capget, &header, data) != 0)
		skip("capget");
	if (geteuid() == 0 || data[0].permitted != 0 || data[1].permitted != 0)
		skip("there are capabilities left");
}

static void take_membarrier(void)
{
	forbid(SYS_membarrier, -1, ENOSYS);
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0) != -1 || errno != ENOSYS)
		skip("membarrier is still there");
}

static const char memory_path[] = "/proc/self/mem";

/* Is it this path that the process opens? What can't be read is the kernel's to refuse. */
static bool is_memory(const struct seccomp_notif *request)
{
	char path[sizeof(memory_path)];
	struct iovec here = { path, sizeof(path) }, there = { (void *)request->data.args[1], sizeof(path) };

	return process_vm_readv((pid_t)request->pid, &here, 1, &there, 1, 0) == sizeof(path) &&
	       memcmp(path, memory_path, sizeof(path)) == 0;
}

static void supervise(int listener)
{
	struct pollfd ready = { listener, POLLIN, 0 };

	while (poll(&ready, 1, -1) >= 0 || errno == EINTR) {
		struct seccomp_notif request = { 0 };
		struct seccomp_notif_resp response = { 0 };
		if (ready.revents & POLLHUP)   /* nobody is left */
			return;
		if (!(ready.revents & POLLIN) || ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) != 0)
			continue;
		response.id = request.id;
		if (is_memory(&request))
			response.error = -EACCES;
		else
			response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
	}
}

static _Noreturn void end_as(pid_t command, int listener)
{
	int status;
	supervise(listener);
	if (waitpid(command, &status, 0) != command)
		skip("waitpid");
	if (WIFSIGNALED(status)) {
		signal(WTERMSIG(status), SIG_DFL);
		raise(WTERMSIG(status));
	}
	exit(WEXITSTATUS(status));
}

/* The command is the child: it has the filter, and hands the listener over: both share their table of files. */
static int listen_in_child(void *shared)
{
	struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { sizeof(program) / sizeof(program[0]), program };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -1;
	*(volatile int *)shared = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
					       &filter);
	return *(volatile int *)shared;
}

static void take_memory_file(void)
{
	volatile int *listener = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	long child;

	if (listener == MAP_FAILED)
		skip("mmap");
	child = syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	if (child < 0)
		skip("clone");
	if (child > 0) {
		while (*listener == 0)
			usleep(500);
		if (*listener > 0)
			end_as((pid_t)child, *listener);
		exit(77);   /* the child has said why */
	}
	if (listen_in_child((void *)listener) < 0)
		skip("no seccomp listener");
	if (open(memory_path, O_RDWR) >= 0 || errno != EACCES)
		skip("/proc/self/mem is still there");
	if (syscall(SYS_unshare, CLONE_FILES) != 0 || close(*listener) != 0)
		skip("unshare");
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
	else if (strcmp(feature, "privileges") == 0)
		take_privileges();
	else if (strcmp(feature, "membarrier") == 0)
		take_membarrier();
	else if (strcmp(feature, "proc-mem") == 0)
		take_memory_file();
	else {
		fprintf(stderr, "usage: without sud|sud-eperm|page-zero|privileges|membarrier|proc-mem -- command args...\n");
		return 2;
	}
	execvp(argv[3], argv + 3);
	perror(argv[3]);
	return 126;
}
