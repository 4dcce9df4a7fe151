/* seccomp.c - the program's seccomp filters leave the agent what it can't do without
 *
 * A filter is installed with a prologue of the agent's in front, which lets calls pass that are made at the agent's
 * own `syscall` (zl_raw_syscall_after), for its needs alone and not for the program's call in progress:
 *
 *     rt_sigprocmask, rt_sigaction    critical sections; a handler less (SA_RESETHAND, death by a signal, exec)
 *     sigaltstack, arch_prctl (SET_GS, GET_FS), prctl (SUD, on), gettid    a new thread or process
 *     getpid                          harmless, and asked for before a signal to oneself, and in notices
 *     futex (private wait and wake)   the agent's locks
 *     mmap (private, anonymous, not executable, not at a fixed place)    the block of a new thread
 *     rt_sigreturn, at zl_restorer    the way back from the agent's handler
 *
 * None of them reaches out of the process, opens anything or makes memory executable. Everything else goes on with the
 * program's own instructions, as they begin: A and X are 0. What the agent would like to do besides, it does only where
 * the filters let it pass (base/seccomp.h); patching, only if all of it may be done (lazy/patch.c).
 *
 * A filter that can't be copied, or with the prologue has more than BPF_MAXINSNS instructions or is too much for the
 * kernel, is handed on as it is: then all answers are the kernel's own, and the agent does without where it may not.
 * The program's calls are made elsewhere, in the gates, and meet its filters as natively. Where these stop or answer
 * a call that has an owner, the owner is passed over (threads/owners.c): it would answer first, or hold back signals,
 * or locks.
 *
 * The copy is in force for the agent before the filter is for the kernel. With TSYNC that holds for other threads, too,
 * and the patch lock keeps them from being in the middle of it.
 */
#include "base/seccomp.h"
#include "base/copy.h"
#include "base/os.h"
#include "base/string.h"
#include "lazy/maps.h"
#include "lazy/patch.h"
#include "threads/call.h"
#include "threads/owners.h"
#include <asm/prctl.h>
#include <linux/audit.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/futex.h>
#include <linux/memfd.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include "base/poison.h"

/* Where a jump of the prologue goes: NEXT, or the step with this label. */
enum label { NEXT, AT_RESTORER, AT_RAW, FUTEX, ARCH_PRCTL, PRCTL, MMAP, MMAP_FLAGS, PASS, PROGRAM, LABELS };
/* Constants that are known at run time only: halves of the two addresses. */
enum address { NONE, RAW_LOW, RAW_HIGH, RESTORER_LOW, RESTORER_HIGH, ADDRESSES };

struct step {
	uint16_t code;
	uint8_t yes, no;        /* enum label */
	uint32_t k;
	uint8_t label;          /* of this step; NEXT: none */
	uint8_t address;        /* in place of k */
};

#define LOAD(field) .code = BPF_LD | BPF_W | BPF_ABS, .k = offsetof(struct seccomp_data, field)
#define HIGH(field) .code = BPF_LD | BPF_W | BPF_ABS, .k = offsetof(struct seccomp_data, field) + 4
#define IF(value) .code = BPF_JMP | BPF_JEQ | BPF_K, .k = (value)
#define IF_ADDRESS(which) .code = BPF_JMP | BPF_JEQ | BPF_K, .address = (which)
static const struct step steps[] = {
	{ LOAD(arch) },
	{ IF(AUDIT_ARCH_X86_64), .no = PROGRAM },
	{ LOAD(instruction_pointer) },
	{ IF_ADDRESS(RAW_LOW), .yes = AT_RAW },
	{ IF_ADDRESS(RESTORER_LOW), .yes = AT_RESTORER, .no = PROGRAM },
	{ .label = AT_RESTORER, HIGH(instruction_pointer) },
	{ IF_ADDRESS(RESTORER_HIGH), .no = PROGRAM },
	{ LOAD(nr) },
	{ IF(__NR_rt_sigreturn), .yes = PASS, .no = PROGRAM },
	{ .label = AT_RAW, HIGH(instruction_pointer) },
	{ IF_ADDRESS(RAW_HIGH), .no = PROGRAM },
	{ LOAD(nr) },
	{ IF(__NR_rt_sigprocmask), .yes = PASS },
	{ IF(__NR_rt_sigaction), .yes = PASS },
	{ IF(__NR_sigaltstack), .yes = PASS },
	{ IF(__NR_getpid), .yes = PASS },
	{ IF(__NR_gettid), .yes = PASS },
	{ IF(__NR_futex), .yes = FUTEX },
	{ IF(__NR_arch_prctl), .yes = ARCH_PRCTL },
	{ IF(__NR_prctl), .yes = PRCTL },
	{ IF(__NR_mmap), .yes = MMAP, .no = PROGRAM },
	{ .label = FUTEX, LOAD(args[1]) },
	{ IF(FUTEX_WAIT_PRIVATE), .yes = PASS },
	{ IF(FUTEX_WAKE_PRIVATE), .yes = PASS, .no = PROGRAM },
	{ .label = ARCH_PRCTL, LOAD(args[0]) },
	{ IF(ARCH_SET_GS), .yes = PASS },
	{ IF(ARCH_GET_FS), .yes = PASS, .no = PROGRAM },
	{ .label = PRCTL, LOAD(args[0]) },
	{ IF(PR_SET_SYSCALL_USER_DISPATCH), .no = PROGRAM },
	{ LOAD(args[1]) },
	{ IF(PR_SYS_DISPATCH_ON), .yes = PASS, .no = PROGRAM },
	{ .label = MMAP, LOAD(args[2]) },
	{ IF(PROT_NONE), .yes = MMAP_FLAGS },
	{ IF(PROT_READ | PROT_WRITE), .no = PROGRAM },
	{ .label = MMAP_FLAGS, LOAD(args[3]) },
	{ IF(MAP_PRIVATE | MAP_ANONYMOUS), .yes = PASS },
	{ IF(MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE), .yes = PASS, .no = PROGRAM },
	{ .label = PASS, .code = BPF_RET | BPF_K, .k = SECCOMP_RET_ALLOW },
	{ .label = PROGRAM, .code = BPF_LD | BPF_IMM, .k = 0 },
};
enum { PROLOGUE = ZL_ARRAY_SIZE(steps) };

static void put_prologue(struct sock_filter code[PROLOGUE])
{
	const uint64_t raw = (uintptr_t)zl_raw_syscall_after, restorer = (uintptr_t)zl_restorer_after;
	const uint32_t address[ADDRESSES] = { 0, (uint32_t)raw, raw >> 32, (uint32_t)restorer, restorer >> 32 };
	unsigned place[LABELS];

	for (unsigned at = 0; at < PROLOGUE; at++)
		place[steps[at].label] = at;
	for (unsigned at = 0; at < PROLOGUE; at++) {
		const struct step *s = &steps[at];
		place[NEXT] = at + 1;
		code[at] = (struct sock_filter){
			.code = s->code, .k = s->address ? address[s->address] : s->k,
			.jt = (uint8_t)(place[s->yes] - at - 1), .jf = (uint8_t)(place[s->no] - at - 1),
		};
	}
}

static size_t size_of(unsigned length)
{
	return sizeof(struct zl_seccomp) + (PROLOGUE + length) * sizeof(struct sock_filter);
}

/* Each call of hook code is to be looked at from now on: threads/call.c keeps it from ending the program. */
static void begin_use(void)
{
	if (atomic_load(&zl_seccomp_is_used))
		return;
	for (unsigned n = 0; n < ZL_FILTER_SIZE; n++)
		zl_filter_nested[n] |= ZL_SPECIAL;
	atomic_store_explicit(&zl_seccomp_is_used, true, memory_order_release);
}

/* A copy of the program's filter, with the prologue; NULL if it can't be read, or *error if there is no memory. */
static struct zl_seccomp *copy_filter(const struct sock_fprog *theirs, const struct zl_seccomp *previous, long *error)
{
	struct zl_seccomp *filter;
	long memory = zl_os_map(0, size_of(theirs->len), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	*error = zl_is_error(memory) ? -ENOMEM : 0;
	if (*error)
		return NULL;
	filter = (struct zl_seccomp *)memory;
	if (!zl_copy_in(filter->code + PROLOGUE, (uintptr_t)theirs->filter, theirs->len * sizeof(struct sock_filter))) {
		zl_os_unmap((uintptr_t)memory, size_of(theirs->len));
		return NULL;
	}
	put_prologue(filter->code);
	filter->previous = previous;
	filter->depth = previous ? previous->depth + 1 : 1;
	filter->length = PROLOGUE + theirs->len;
	return filter;
}

static void drop_prologue(struct zl_seccomp *filter)
{
	filter->length -= PROLOGUE;
	memmove(filter->code, filter->code + PROLOGUE, filter->length * sizeof(struct sock_filter));
}

/* Ask the kernel for it; `program` is the argument that points to the program's struct sock_fprog. */
static long install(struct zl_frame *frame, struct zl_seccomp *filter, long *program)
{
	struct sock_fprog ours = { .len = (unsigned short)filter->length, .filter = filter->code };
	long theirs = *program, result = -ENOMEM;

	if (filter->length <= BPF_MAXINSNS) {
		*program = (long)&ours;
		result = zl_call_make(frame);
		*program = theirs;
	}
	if (result != -ENOMEM)
		return result;
	drop_prologue(filter);
	return zl_call_make(frame);
}

/* The same, with the copy in force for this thread. */
static long install_here(struct zl_frame *frame, struct zl_seccomp *filter, long *program)
{
	struct zl_block *block = zl_block_here();
	const struct zl_seccomp *before = block->seccomp;
	long result;

	block->seccomp = filter;
	result = install(frame, filter, program);
	if (zl_is_error(result) || result == ZLAZY_INTERRUPTED)
		block->seccomp = before;
	return result;
}

/* And for all threads. A positive answer is a thread that could not be brought along: nothing is installed then. */
static long install_everywhere(struct zl_frame *frame, struct zl_seccomp *filter, long *program, bool has_listener)
{
	struct zl_block *block = zl_block_here();
	const struct zl_seccomp *before = block->seccomp, *synced;
	long result;

	zl_lock(&zl_patch_lock);
	synced = atomic_load(&zl_seccomp_synced);
	if (!block->is_vforked && !block->has_own_process)   /* the threads of its process are not all that see this */
		atomic_store(&zl_seccomp_synced, filter);
	result = install_here(frame, filter, program);
	if (zl_is_error(result) || result == ZLAZY_INTERRUPTED || (result > 0 && !has_listener)) {
		block->seccomp = before;
		atomic_store(&zl_seccomp_synced, synced);
	}
	zl_unlock(&zl_patch_lock);
	return result;
}

static long set_filter(struct zl_frame *frame, unsigned long flags, long *program)
{
	struct zl_block *block = zl_block_here();
	bool is_everywhere = flags & SECCOMP_FILTER_FLAG_TSYNC, has_listener = flags & SECCOMP_FILTER_FLAG_NEW_LISTENER;
	struct zl_seccomp *filter;
	struct sock_fprog theirs;
	long result;

	if (!zl_copy_in(&theirs, (uintptr_t)*program, sizeof(theirs)) || theirs.len == 0 || theirs.len > BPF_MAXINSNS)
		return zl_call_make(frame);
	filter = copy_filter(&theirs, zl_seccomp_of(block), &result);
	if (!filter)
		return result ? result : zl_call_make(frame);
	filter->forbids_patching = !zl_patch_may(filter);
	begin_use();
	result = is_everywhere ? install_everywhere(frame, filter, program, has_listener) :
				 install_here(frame, filter, program);
	if (block->seccomp != filter && !is_everywhere)   /* there, another thread may just be asking it */
		zl_os_unmap((uintptr_t)filter, size_of(theirs.len));
	return result;
}

/* read, write, exit and rt_sigreturn are left: nothing of the agent's. */
static long set_strict(struct zl_frame *frame)
{
	struct zl_block *block = zl_block_here();
	const struct zl_seccomp *before = block->seccomp;
	long result;

	begin_use();
	block->seccomp = &zl_seccomp_strict;
	result = zl_call_make(frame);
	if (result != 0)
		block->seccomp = before;
	return result;
}

/* The next program's agent does not know these filters, and has its own instruction elsewhere. An error it copes with,
 * as ZLAZY_ON_ERROR says, but for the calls without which it has no handler or no block. */
bool zl_seccomp_may_start(const struct zl_seccomp *filters)
{
	static const struct { short number; long a, b, c; } needed[] = {
		{ __NR_arch_prctl, ARCH_SET_GS, 0, 0 }, { __NR_rt_sigaction, SIGSYS, 1, 0 }, { __NR_rt_sigreturn, 0, 0, 0 },
		{ __NR_sigaltstack, 1, 0, 0 },
	}, calls[] = {
		{ __NR_prctl, PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, 1 }, { __NR_arch_prctl, ARCH_GET_FS, 0, 0 },
		{ __NR_rt_sigprocmask, SIG_SETMASK, 1, 0 }, { __NR_madvise, 0, ZL_PAGE, MADV_DONTDUMP },
		{ __NR_mincore, 0, ZL_PAGE, 1 }, { __NR_get_robust_list, 0, 1, 1 }, { __NR_getrandom, 1, 8, 1 },
		{ __NR_write, 2, 1, 1 },
		{ __NR_getpid, 0, 0, 0 }, { __NR_gettid, 0, 0, 0 }, { __NR_getrlimit, 0, 0, 0 }, { __NR_capget, 1, 1, 0 },
		{ __NR_mmap, 0, ZL_PAGE, PROT_READ | PROT_WRITE }, { __NR_mprotect, 0, ZL_PAGE, PROT_READ | PROT_WRITE },
		{ __NR_munmap, 0, ZL_PAGE, 0 }, { __NR_openat, -100, 1, 0 }, { __NR_read, 3, 1, 1 }, { __NR_close, 3, 0, 0 },
		{ __NR_fstat, 3, 1, 0 }, { __NR_lseek, 3, 0, 1 }, { __NR_fcntl, 3, F_DUPFD_CLOEXEC, 3 }, { __NR_ioctl, 3, 0, 1 },
		{ __NR_ioctl, 3, ZL_MAPS_QUERY, 1 }, { __NR_madvise, 0, ZL_PAGE, MADV_NOHUGEPAGE },
		{ __NR_madvise, 0, ZL_PAGE, ZL_OS_GUARD },
		{ __NR_pwrite64, 3, 1, 1 }, { __NR_pread64, 3, 1, 1 }, { __NR_madvise, 0, ZL_PAGE, MADV_POPULATE_WRITE },
		{ __NR_memfd_create, 1, MFD_CLOEXEC, 0 }, { __NR_membarrier, 1 << 6, 0, 0 },
		{ __NR_futex, 1, FUTEX_WAIT_PRIVATE, 2 },
	};

	for (size_t i = 0; i < ZL_ARRAY_SIZE(needed); i++) {
		const long arg[6] = { needed[i].a, needed[i].b, needed[i].c };
		if (!zl_seccomp_passes(zl_seccomp_ask(filters, 0, needed[i].number, arg)))
			return false;
	}
	for (size_t i = 0; i < ZL_ARRAY_SIZE(calls); i++) {
		const long arg[6] = { calls[i].a, calls[i].b, calls[i].c, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 };
		if (zl_seccomp_stops(zl_seccomp_ask(filters, 0, calls[i].number, arg)))
			return false;
	}
	return true;
}

long zl_own_seccomp(struct zl_frame *frame)
{
	long *arg = frame->call.arg;

	switch ((unsigned)arg[0]) {
	case SECCOMP_SET_MODE_STRICT: return set_strict(frame);
	case SECCOMP_SET_MODE_FILTER: return set_filter(frame, (unsigned)arg[1], &arg[2]);
	default: return zl_call_make(frame);
	}
}

/* prctl(PR_SET_SECCOMP, mode, program) */
long zl_own_set_seccomp(struct zl_frame *frame)
{
	long *arg = frame->call.arg;

	switch (arg[1]) {
	case SECCOMP_MODE_STRICT: return set_strict(frame);
	case SECCOMP_MODE_FILTER: return set_filter(frame, 0, &arg[2]);
	default: return zl_call_make(frame);
	}
}
