/* owners.c - the table of special calls */
#include "threads/owners.h"
#include "base/fatal.h"
#include "base/raw.h"
#include "base/seccomp.h"
#include "threads/call.h"
#include "threads/memory.h"
#include "threads/slots.h"
#include "trampoline/entry.h"
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/prctl.h>
#include "base/poison.h"

bool zl_io_uring_is_denied;

static long own_io_uring_setup(struct zl_frame *frame)
{
	return zl_io_uring_is_denied && !zl_is_nested(frame) ? -EPERM : zl_call_make(frame);
}

/* A thread has one list of robust mutexes in the kernel, the program's: fork() of the hooks' libc sets its own in the
 * child. */
static long own_set_robust_list(struct zl_frame *frame)
{
	return zl_is_nested(frame) && !zl_block_here()->is_hook_thread ? 0 : zl_call_make(frame);
}

static long (*const owners[ZLAZY_NUMBERS])(struct zl_frame *) = {
	[__NR_rt_sigaction] = zl_own_sigaction,
	[__NR_rt_sigprocmask] = zl_own_sigprocmask,
	[__NR_rt_sigpending] = zl_own_sigpending,
	[__NR_rt_sigtimedwait] = zl_own_sigtimedwait,
	[__NR_sigaltstack] = zl_own_sigaltstack,
	[__NR_rt_sigreturn] = zl_own_sigreturn,
	[__NR_clone] = zl_own_clone,
	[__NR_clone3] = zl_own_clone,
	[__NR_fork] = zl_own_clone,
	[__NR_vfork] = zl_own_clone,
	[__NR_exit] = zl_own_exit,
	[__NR_exit_group] = zl_own_exit,
	[__NR_execve] = zl_own_exec,
	[__NR_execveat] = zl_own_exec,
	[__NR_close] = zl_own_descriptor,
	[__NR_fstat] = zl_own_descriptor,
	[__NR_newfstatat] = zl_own_stat,
	[__NR_statx] = zl_own_stat,
	[__NR_fcntl] = zl_own_descriptor,
	[__NR_dup] = zl_own_descriptor,
	[__NR_getdents] = zl_own_getdents,
	[__NR_getdents64] = zl_own_getdents,
	[__NR_dup2] = zl_own_dup,
	[__NR_dup3] = zl_own_dup,
	[__NR_close_range] = zl_own_close_range,
	[__NR_mmap] = zl_own_mmap,
	[__NR_munmap] = zl_own_munmap,
	[__NR_mremap] = zl_own_mremap,
	[__NR_mprotect] = zl_own_range,
	[__NR_pkey_mprotect] = zl_own_range,
	[__NR_madvise] = zl_own_range,
	[__NR_msync] = zl_own_range,
	[__NR_mincore] = zl_own_range,
	[__NR_mlock] = zl_own_range,
	[__NR_mlock2] = zl_own_range,
	[__NR_munlock] = zl_own_range,
	[__NR_remap_file_pages] = zl_own_range,
	[__NR_mseal] = zl_own_range,
	[__NR_process_madvise] = zl_own_process_madvise,
	[__NR_shmat] = zl_own_shmat,
	[__NR_shmdt] = zl_own_shmdt,
	[__NR_brk] = zl_own_brk,
	[__NR_mlockall] = zl_own_mlockall,
	[__NR_munlockall] = zl_own_munlockall,
	[__NR_io_uring_setup] = own_io_uring_setup,
	[__NR_set_robust_list] = own_set_robust_list,
	[__NR_prctl] = zl_own_prctl,
	[__NR_arch_prctl] = zl_own_arch_prctl,
	[__NR_ptrace] = zl_own_ptrace,
	[__NR_seccomp] = zl_own_seccomp,
	[__NR_wait4] = zl_own_wait,
	[__NR_waitid] = zl_own_wait,
	[__NR_rt_sigsuspend] = zl_own_look,
	[__NR_ppoll] = zl_own_look,
	[__NR_pselect6] = zl_own_look,
	[__NR_epoll_pwait] = zl_own_look,
	[441 /* epoll_pwait2 */] = zl_own_look,
	[__NR_io_pgetevents] = zl_own_look,
	[__NR_io_uring_enter] = zl_own_look,
	[__NR_read] = zl_own_look,
	[__NR_readv] = zl_own_look,
	[__NR_poll] = zl_own_look,
	[__NR_select] = zl_own_look,
	[__NR_epoll_wait] = zl_own_look,
};

/* Calls of the 32-bit table that have an owner, and arguments that mean the same as in their 64-bit twins: of ptrace
 * PTRACE_TRACEME alone has one, of prctl Syscall User Dispatch; arch_prctl does not know gs there. */
static long i386_twin(const struct zlazy_call *call)
{
	enum {
		EXIT = 1, FORK = 2, CLOSE = 6, PTRACE = 26, DUP2 = 63, MLOCKALL = 152, MUNLOCKALL = 153, PRCTL = 172, VFORK = 190, EXIT_GROUP = 252,
		DUP3 = 330, IO_URING_SETUP = 425, CLOSE_RANGE = 436, TRACEME = 0,
	};
	switch (call->number) {
	case EXIT: return __NR_exit;
	case FORK: return __NR_fork;
	case CLOSE: return __NR_close;
	case PTRACE: return call->arg[0] == TRACEME ? __NR_ptrace : -1;
	case DUP2: return __NR_dup2;
	case MLOCKALL: return __NR_mlockall;
	case MUNLOCKALL: return __NR_munlockall;
	case PRCTL: return call->arg[0] == PR_SET_SYSCALL_USER_DISPATCH ? __NR_prctl : -1;
	case VFORK: return __NR_vfork;
	case EXIT_GROUP: return __NR_exit_group;
	case DUP3: return __NR_dup3;
	case IO_URING_SETUP: return __NR_io_uring_setup;
	case CLOSE_RANGE: return __NR_close_range;
	default: return -1;
	}
}

__attribute__((noinline)) static long call_i386(struct zl_frame *frame)
{
	/* execve, signal, sigaction, sgetmask, ssetmask, sigsuspend, sigpending, sigreturn, clone, sigprocmask, rt_sig*,
	 * sigaltstack, execveat, rt_sigtimedwait_time64, clone3: frames and structures of the other ABI. Refused as
	 * by a kernel without them: see docs/LIMITS.md. */
	static const short refused[] = { 11, 48, 67, 68, 69, 72, 73, 119, 120, 126, 173, 174, 175, 176, 177, 179, 186,
					 358, 421, 435 };
	long number = frame->call.number, twin = i386_twin(&frame->call), result;

	for (size_t i = 0; i < ZL_ARRAY_SIZE(refused); i++)
		if (number == refused[i])
			return -ENOSYS;
	if (twin < 0)
		twin = zl_memory_i386_twin(frame);
	if (twin < 0)
		return zl_memory_i386_refuses(frame) ? -EPERM : zl_memory_i386_mapped(frame, zl_call_make(frame));
	frame->call.number = twin;
	frame->call.abi = ZLAZY_ABI_X86_64;
	result = owners[twin](frame);
	frame->call.number = number;   /* the hook's */
	frame->call.abi = ZLAZY_ABI_I386;
	return result;
}

/* Do the program's filters stop this call, or answer it, where it would be made? */
__attribute__((noinline)) static bool is_filtered(const struct zl_frame *frame)
{
	const struct zl_seccomp *filters = zl_seccomp_here();
	uintptr_t after;
	uint32_t action;

	if (!filters)
		return false;
	after = (uintptr_t)(zl_is_nested(frame) ? zl_raw_syscall_after : zl_gate_call_after);
	action = zl_seccomp_ask(filters, after, frame->call.number, frame->call.arg);
	return action == SECCOMP_RET_ERRNO || zl_seccomp_stops(action);
}

/* The frame's filter marks what has an owner. */
long zl_call_real(struct zl_frame *frame)
{
	unsigned long number = (unsigned long)frame->call.number;

	if (zl_unlikely(frame->call.abi == ZLAZY_ABI_I386))
		return call_i386(frame);
	if (number < ZL_ARRAY_SIZE(owners) && frame->filter[number] & ZL_SPECIAL && owners[number] &&
	    !is_filtered(frame))
		return owners[number](frame);
	return zl_call_make(frame);
}

/* zl_own_look() does nothing in a thread that keeps no signal, and one that does has zl_filter_all. */
static bool has_owner(size_t number)
{
	return owners[number] && owners[number] != zl_own_look;
}

void zl_owners_start(void)
{
	for (size_t i = 0; i < ZL_ARRAY_SIZE(owners); i++)
		if (has_owner(i)) {
			zl_filter[i] |= ZL_SPECIAL;
			zl_filter_nested[i] |= ZL_SPECIAL;
			zl_filter_foreign[i] |= ZL_SPECIAL;
		}
}

_Noreturn void zl_entry_block_lost(uintptr_t pc)
{
	zl_fatal(ZL_FATAL_BLOCK, pc);
}
