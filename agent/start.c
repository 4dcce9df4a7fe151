/* start.c - the core's start
 *
 *     configuration -> shared counters -> can SUD be had? -> page zero -> (hooks, decoder: load.c) ->
 *     block, handlers, owners -> armed
 *
 * Nothing of the program's is changed before all of it is known to work.
 */
#include "agent/start.h"
#include "agent/config.h"
#include "agent/count.h"
#include "agent/describe.h"
#include "agent/hooks.h"
#include "base/fatal.h"
#include "base/fs.h"
#include "base/inject.h"
#include "base/os.h"
#include "base/print.h"
#include "base/ranges.h"
#include "base/string.h"
#include "base/tally.h"
#include "lazy/codefd.h"
#include "lazy/maps.h"
#include "lazy/patch.h"
#include "lazy/leaves.h"
#include "lazy/near.h"
#include "lazy/sud.h"
#include "lazy/tactic.h"
#include "lazy/trap.h"
#include "lazy/vdso.h"
#include "threads/exec.h"
#include "threads/owners.h"
#include "threads/sighand.h"
#include "threads/slots.h"
#include "threads/vsud.h"
#include "trampoline/entry.h"
#include "trampoline/zero.h"
#include <asm/hwcap2.h>
#include <asm/stat.h>
#include <linux/auxvec.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include "base/poison.h"

static struct zl_shared own;
struct zl_shared *zl_shared = &own;
static bool is_prepared;
static bool is_possible;
static const char *why_trapping;

/* Notices of start-up: who is refused afterwards is told that one thing only. */
static struct { struct zl_line line[4]; unsigned count; } held;

/* Notices are for the first process of a run. */
static void notice(struct zl_line *line)
{
	if (!zl_config.is_child)
		zl_notice(line);
}

void zl_notice_at_start(const struct zl_line *line)
{
	if (held.count < ZL_ARRAY_SIZE(held.line))
		held.line[held.count++] = *line;
}

static void send_held(void)
{
	for (unsigned i = 0; i < held.count; i++)
		notice(&held.line[i]);
	held.count = 0;
}

static _Noreturn void refuse(const char *what, const char *why)
{
	zl_say(zl_complain, "cannot start: ", what, why);
	zl_exit_process(ZL_EXIT_REFUSED);
}

static _Noreturn void refuse_stats(const char *why, long error)
{
	struct zl_line line = { 0 };

	zl_put(&line, "zlazy: cannot start: ZLAZY_STATS=");
	zl_put(&line, zl_config.stats);
	zl_put(&line, why);
	if (error)
		zl_put_error(&line, error);
	zl_put(&line, "; start the program by the zlazy command");
	zl_complain(&line);
	zl_exit_process(ZL_EXIT_REFUSED);
}

static void map_shared(void)
{
	long fd = zl_os_open(zl_config.stats, O_RDWR), at;
	struct stat st;

	if (zl_config.is_child && (fd == -ENOENT || fd == -EACCES || fd == -EPERM))
		return;   /* another root directory or user: this process is hooked, not counted (man page) */
	if (zl_is_error(fd))
		refuse_stats(": it can't be opened: ", fd);
	if (zl_raw(__NR_fstat, fd, &st) != 0 || (size_t)st.st_size < sizeof(own))
		refuse_stats(": the file is too short", 0);
	at = zl_os_map(0, sizeof(own), PROT_READ | PROT_WRITE, MAP_SHARED, (int)fd);
	zl_raw(__NR_close, fd);
	if (zl_is_error(at))
		refuse_stats(": it can't be mapped: ", at);
	if (((struct zl_shared *)at)->magic != ZL_SHARED_MAGIC || ((struct zl_shared *)at)->size != sizeof(own))
		refuse_stats(": not a file of this version", 0);
	zl_shared = (struct zl_shared *)at;
#ifdef ZL_FAULT_INJECTION
	zl_inject_count_in(&zl_shared->own);
#endif
}

/* Valgrind's client request RUNNING_ON_VALGRIND; on a processor these instructions do nothing. Valgrind passes the
 * prctl on to the kernel, and the next call of its own, outside our gate, would kill the process. */
static bool is_in_valgrind(void)
{
	uint64_t request[6] = { 0x1001 }, answer = 0;
	__asm__ volatile("rolq $3, %%rdi; rolq $13, %%rdi; rolq $61, %%rdi; rolq $51, %%rdi; xchgq %%rbx, %%rbx"
			 : "+d"(answer) : "a"(request) : "cc", "memory");
	return answer != 0;
}

/* Arm and disarm once, while nothing depends on it. Puts why not into the line. */
static bool can_dispatch(struct zl_line *line)
{
	long result;

	if (is_in_valgrind()) {
		zl_put(line, "the program runs in valgrind, which makes its calls for it; start valgrind without the agent");
		return false;
	}
	result = zl_sud_arm();
	if (result == 0) {
		zl_raw(__NR_prctl, PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_OFF, 0, 0, 0);
		return true;
	}
	zl_put(line, "the kernel refused Syscall User Dispatch: ");
	zl_put_error(line, result);
	zl_put(line, result == -EINVAL ? "; Linux 5.11 or later, without a sandbox of its own, is needed" :
					 "; see kernel.syscall_user_dispatch and the sandbox's rules");
	return false;
}

/* Returns false if the program is to run unhooked. */
static bool find_dispatch(void)
{
	struct zl_line line = { 0 };

	zl_put(&line, "zlazy: cannot start: ");
	if (can_dispatch(&line))
		return true;
	if (zl_config.on_error == ZL_ON_ERROR_STOP) {
		zl_complain(&line);
		zl_exit_process(ZL_EXIT_REFUSED);
	}
	zl_put(&line, "; running unhooked");
	notice(&line);
	return false;
}

static const char *zero_reason(enum zl_zero_result result)
{
	switch (result) {
	case ZL_ZERO_MIN_ADDR: return "vm.mmap_min_addr forbids it and CAP_SYS_RAWIO is missing";
	case ZL_ZERO_USER_NAMESPACE: return "vm.mmap_min_addr forbids it and CAP_SYS_RAWIO is held in a user namespace only";
	case ZL_ZERO_SECURITY: return "a security module forbids it (SELinux: mmap_zero, mmap_low_allowed)";
	case ZL_ZERO_IN_USE: return "the program has a mapping there";
	case ZL_ZERO_READABLE: return "without a protection key it could be read, and NULL bugs would go unnoticed";
	case ZL_ZERO_SLED: return "no sled works here";
	default: return "the kernel refused";
	}
}

/* Page zero, or one line on why not. */
static bool set_up_zero(void)
{
	bool is_forced = zl_config.tactic == ZL_SET_ZPOLINE;
	struct zl_line line = { 0 };
	enum zl_zero_result result;
	long error;

	result = zl_zero_start(zl_config.sled, is_forced, &error);
	if (result == ZL_ZERO_READY)
		return true;
	zl_put(&line, is_forced ? "zlazy: cannot start: ZLAZY_TACTIC=zpoline needs page zero: " :
				  "zlazy: page zero is not used: ");
	zl_put(&line, zero_reason(result));
	if (error) {
		zl_put(&line, ": ");
		zl_put_error(&line, error);
	}
	if (is_forced && !zl_config.is_child) {   /* a program of the run may have less privilege: it is not ended */
		zl_put(&line, "; use ZLAZY_TACTIC=auto");
		zl_complain(&line);
		zl_exit_process(ZL_EXIT_REFUSED);
	}
	zl_put(&line, "; sites are rewritten to jumps instead");
	if (result == ZL_ZERO_READABLE)
		zl_put(&line, " (ZLAZY_TACTIC=zpoline uses it all the same)");
	zl_notice_at_start(&line);
	return false;
}

static void set_up_tactics(void)
{
	enum zl_setting setting = zl_config.tactic;

	if (setting == ZL_SET_TRAP)
		why_trapping = "ZLAZY_TACTIC=trap";
	zl_may_rewrite = setting != ZL_SET_TRAP;
	zl_tactics.may_call = setting != ZL_SET_TRAP && setting != ZL_SET_JUMP && set_up_zero();
	zl_tactics.may_jump = setting != ZL_SET_TRAP && (setting != ZL_SET_ZPOLINE || !zl_tactics.may_call);
}

/* The library's own path: exec needs it absolute. */
static void find_library(void)
{
	static char path[4096];
	if (zl_maps_path((uintptr_t)__start_zl_gate, path, sizeof(path)))
		zl_exec_environment.library = path;
	else if (!zl_exec_environment.is_followed)
		zl_exec_environment.library = "libzlazy.so";   /* what is to be dropped */
}

/* From the first page of the library's first segment to the end of its last. */
static void guard_library(void)
{
	extern const char __ehdr_start[] __attribute__((visibility("hidden")));
	extern const char _end[] __attribute__((visibility("hidden")));
	zl_ranges_add((uintptr_t)__ehdr_start, (uintptr_t)_end, ZL_RANGE_AGENT);
}

static unsigned long value_of(const unsigned long (*auxv)[2], unsigned long type)
{
	for (; (*auxv)[0] != AT_NULL; auxv++)
		if ((*auxv)[0] == type)
			return (*auxv)[1];
	return 0;
}

bool zl_prepare(char *const *envp, const unsigned long (*auxv)[2])
{
	if (is_prepared)
		return is_possible;
	is_prepared = true;
	guard_library();
	zl_has_fsgsbase = value_of(auxv, AT_HWCAP2) & HWCAP2_FSGSBASE;
	zl_config_read(envp);
	if (zl_config.stats)
		map_shared();
	is_possible = find_dispatch();
	if (!is_possible)
		return false;
	if (zl_config.hooks)   /* nobody else has them saved; cpuid may take microseconds in a virtual machine */
		zl_vectors_start(zl_config.vectors);
	zl_near_stack = value_of(auxv, AT_RANDOM);   /* sixteen bytes that the kernel has put there */
	set_up_tactics();
	zl_returns_start(zl_config.returns);
	zl_owners_start();
	zl_leaves_start();
	zl_maps_start();
	zl_os_hide_from_dumps((uintptr_t)&own, sizeof(own));
	find_library();
	if (zl_shared->count_calls) {
		struct zlazy_hook hook = { .size = sizeof(hook) };
		zl_count_hook(&hook);
		zl_hooks_add(&hook, "(counts of -c)");
	}
	return true;
}

/* The mask is inherited over exec; the agent's signals can't be blocked. */
static void take_mask(struct zl_block *block)
{
	uint64_t real;
	zl_raw(__NR_rt_sigprocmask, SIG_BLOCK, 0, &block->mask, sizeof(block->mask));
	real = zl_real_mask(block->mask);
	zl_raw(__NR_rt_sigprocmask, SIG_SETMASK, &real, 0, sizeof(real));
}

struct zl_block *zl_first_block(void)
{
	static struct zl_block *block;

	if (!block)
		block = zl_slot_take();
	if (!block)
		refuse("no memory for the first thread's block", "; raise the limit on address space");
	return block;
}

static void hook_vdso(uintptr_t address)
{
	struct zl_line line = { 0 };
	const char *why = zl_config.hooks_vdso ? zl_vdso_hook(address) : NULL;

	if (!why)
		return;
	zl_put(&line, "zlazy: the vDSO is not hooked: ");
	zl_put(&line, why);
	zl_put(&line, "; its calls (clock_gettime and so on) are not seen");
	zl_notice_at_start(&line);
}

void zl_start(char *const *envp, const unsigned long (*auxv)[2])
{
	static bool is_started;
	struct zl_block *block;

	if (!zl_prepare(envp, auxv) || is_started)
		return;
	is_started = true;
	block = zl_first_block();
	zl_slots_start();
	zl_slot_set_thread(block);
	block->alternate.ss_flags = SS_DISABLE;
	block->sighand = zl_sighand_start();
	zl_codefd_open();
	zl_patch_start();
	hook_vdso(value_of(auxv, AT_SYSINFO_EHDR));
	zl_slot_install(block);
	take_mask(block);
	zl_tally_add(&zl_shared->tally.processes, 1);
	if (zl_sud_arm() != 0)
		zl_fatal(ZL_FATAL_ARM, (unsigned long)block);
	send_held();
	zl_describe_start(why_trapping);
}
