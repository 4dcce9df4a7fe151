/* exec.c - execve and execveat keep the agent
 *
 * The program's environment array is copied to memory of the agent's, with the agent's library first in LD_PRELOAD
 * and the ZLAZY_ variables of this run where the program has none of its own. Nothing of the program's memory is
 * written. The copy lies on the agent's stack if it fits there, so that an exec needs no memory that could be missing.
 * Where exec is not to be followed (ZLAZY_FOLLOW=0), or the program's seccomp filters, which last over it, would end
 * the agent in the new program, the agent's entry in LD_PRELOAD is left out of the copy instead.
 * The real signal mask becomes the virtual one for the call, and comes back if it fails; a signal that comes before
 * the gate is delivered first, and the program makes the call again.
 */
#include "threads/exec.h"
#include "base/copy.h"
#include "base/os.h"
#include "base/print.h"
#include "base/seccomp.h"
#include "base/string.h"
#include "threads/call.h"
#include "threads/deliver.h"
#include "threads/owners.h"
#include "threads/sighand.h"
#include "threads/slots.h"
#include "threads/target.h"
#include <linux/errno.h>
#include <linux/mman.h>
#include <stdatomic.h>
#include "base/poison.h"

struct zl_exec_environment zl_exec_environment = { .is_followed = true };
static const char preload_name[] = "LD_PRELOAD=";

enum {
	MOST_ENTRIES = 1 << 20, LONGEST = 1 << 17,
	SMALL = 8 << 10,         /* bytes of a plan on the stack: about a thousand variables */
	SPARE = 8 << 10,         /* what the rest of an exec needs of the stack */
};

/* The new array, and behind it the text of LD_PRELOAD. */
struct plan {
	uintptr_t *entry;
	long entries;
	char *text;
};

/* What is to be copied. */
struct measure {
	long entries;            /* or an error */
	uintptr_t preload;       /* the program's LD_PRELOAD, 0 if it has none; of several the last, as for ld.so */
	long preload_at;
	bool has_others;         /* more than one */
	long preload_length;     /* of its value; -1 if it is bad or too long: the kernel will refuse it, too */
};

/* Number of entries of the program's array, or -EFAULT. A NULL array is an empty one, as for the kernel. */
static long count_entries(uintptr_t array)
{
	uintptr_t pointer;
	for (long n = 0; n < MOST_ENTRIES; n++) {
		if (!array)
			return 0;
		if (!zl_copy_in(&pointer, array + (uintptr_t)n * sizeof(pointer), sizeof(pointer)))
			return -EFAULT;
		if (!pointer)
			return n;
	}
	return -E2BIG;
}

/* Length of a string of the program's, or -1 if it is bad or too long. */
static long measure_string(uintptr_t string)
{
	char piece[64];
	for (size_t n = 0; n < LONGEST; n += sizeof(piece)) {
		size_t copied = sizeof(piece) - zl_copy(piece, (const void *)(string + n), sizeof(piece));
		for (size_t i = 0; i < copied; i++)
			if (!piece[i])
				return (long)(n + i);
		if (copied < sizeof(piece))
			return -1;
	}
	return -1;
}

/* Does the program's string begin with "NAME=" of ours? */
static bool has_name(uintptr_t string, const char *ours)
{
	char byte;
	for (size_t i = 0;; i++) {
		if (!zl_copy_in(&byte, string + i, 1) || byte != ours[i])
			return false;
		if (byte == '=')
			return true;
	}
}

static bool is_string(uintptr_t string, const char *ours)
{
	char byte;
	do
		if (!zl_copy_in(&byte, string++, 1) || byte != *ours)
			return false;
	while (*ours++);
	return true;
}

/* Add ZLAZY_X=value where the program has no ZLAZY_X. Where it still has the relative path that it was started with,
 * the absolute one takes its place: the program may have changed its directory. */
static void put_variable(struct plan *plan, const char *variable, const char *original)
{
	bool is_there = false;

	for (long i = 0; i < plan->entries; i++) {
		if (!has_name(plan->entry[i], variable))
			continue;
		is_there = true;
		if (original && is_string(plan->entry[i], original))
			plan->entry[i] = (uintptr_t)variable;
	}
	if (!is_there)
		plan->entry[plan->entries++] = (uintptr_t)variable;
}

/* Length of the item that begins at s, in a list of libraries. */
static size_t item_length(const char *s)
{
	size_t n = 0;
	while (s[n] && s[n] != ':' && s[n] != ' ')
		n++;
	return n;
}

static const char *last_part(const char *path, size_t length)
{
	const char *part = path;
	for (const char *s = path; s < path + length; s++)
		if (*s == '/')
			part = s + 1;
	return part;
}

/* Does the item name the library, under whatever path? */
static bool is_library(const char *item, size_t length, const char *library)
{
	const char *part = last_part(item, length);
	return zl_after(part, last_part(library, zl_length(library))) == item + length;
}

/* Two agents can't share a process: the program's choice counts. */
static bool is_listed(const char *list, const char *library)
{
	for (size_t n; *list; list += n + (list[n] != '\0')) {
		n = item_length(list);
		if (is_library(list, n, library))
			return true;
	}
	return false;
}

/* Take the library out of a list, with one separator. */
static void drop_from_list(char *list, const char *library)
{
	char *to = list, *last = list;   /* where the items kept end, with and without a separator behind them */

	for (size_t n; *list; list += n + (list[n] != '\0')) {
		n = item_length(list);
		if (is_library(list, n, library))
			continue;
		for (size_t i = 0; i < n + (list[n] != '\0'); i++)
			to[i] = list[i];
		last = to + n;
		to += n + (list[n] != '\0');
	}
	*last = '\0';
}

static void measure(struct measure *m, uintptr_t array)
{
	*m = (struct measure){ .entries = count_entries(array) };
	for (long i = m->entries - 1; i >= 0 && !m->has_others; i--) {
		uintptr_t entry;
		if (!zl_copy_in(&entry, array + (uintptr_t)i * sizeof(entry), sizeof(entry)) ||
		    !has_name(entry, preload_name))
			continue;
		if (m->preload) {
			m->has_others = true;
			continue;
		}
		m->preload = entry + sizeof(preload_name) - 1;
		m->preload_at = i;
		m->preload_length = measure_string(m->preload);
	}
}

static size_t slots_size(const struct measure *m)
{
	return ((size_t)m->entries + ZL_EXEC_VARIABLES + 2) * sizeof(uintptr_t);
}

static size_t plan_size(const struct measure *m)
{
	return slots_size(m) + sizeof(preload_name) + zl_length(zl_exec_environment.library) + 1 +
	       (size_t)(m->preload_length > 0 ? m->preload_length : 0) + 1;
}

/* LD_PRELOAD=library[:what the program has there] */
static void put_preload(struct plan *plan, const struct measure *m)
{
	const char *library = zl_exec_environment.library;
	size_t prefix = sizeof(preload_name) - 1, length = zl_length(library), theirs = (size_t)m->preload_length;
	char *value = plan->text + prefix + length + 1;   /* room for the library before what there is */

	if (m->preload_length < 0 || (theirs && !zl_copy_in(value, m->preload, theirs)))
		return;
	value[theirs] = '\0';
	if (is_listed(value, library))
		return;
	memcpy(plan->text, preload_name, prefix);
	memcpy(plan->text + prefix, library, length);
	value[-1] = value[0] ? ':' : '\0';
	plan->entry[m->preload ? m->preload_at : plan->entries++] = (uintptr_t)plan->text;
}

/* The program's LD_PRELOAD without the agent; no LD_PRELOAD where nothing else was in the only one. */
static void drop_preload(struct plan *plan, const struct measure *m)
{
	size_t prefix = sizeof(preload_name) - 1, theirs = (size_t)m->preload_length;
	char *value = plan->text + prefix;

	if (m->preload_length <= 0 || !zl_copy_in(value, m->preload, theirs))
		return;
	value[theirs] = '\0';
	if (!is_listed(value, zl_exec_environment.library))
		return;
	drop_from_list(value, zl_exec_environment.library);
	memcpy(plan->text, preload_name, prefix);
	plan->entry[m->preload_at] = (uintptr_t)plan->text;
	if (*value || m->has_others)
		return;
	plan->entries--;
	for (long i = m->preload_at; i < plan->entries; i++)
		plan->entry[i] = plan->entry[i + 1];
}

static void put_agent(struct plan *plan, const struct measure *m)
{
	put_preload(plan, m);
	for (unsigned i = zl_exec_environment.variables; i-- > 0;)   /* of two of a name the last holds: agent/config.c */
		put_variable(plan, zl_exec_environment.variable[i], zl_exec_environment.original[i]);
}

/* May the agent go on in the new program? */
static bool may_follow(void)
{
	static _Atomic bool is_said;

	if (!zl_exec_environment.is_followed || zl_seccomp_may_start(zl_seccomp_here()))
		return zl_exec_environment.is_followed;
	if (!atomic_exchange(&is_said, true))
		zl_say(zl_notice, "a seccomp filter forbids what the agent needs in a program that is started: it runs unhooked");
	return false;
}

/* plan->entry: room for plan_size() bytes. False if the array can't be read any more. */
static bool fill_plan(struct plan *plan, const struct measure *m, uintptr_t array)
{
	plan->entries = m->entries;
	plan->text = (char *)plan->entry + slots_size(m);
	if (m->entries && !zl_copy_in(plan->entry, array, (size_t)m->entries * sizeof(uintptr_t)))
		return false;
	if (may_follow())
		put_agent(plan, m);
	else
		drop_preload(plan, m);
	plan->entry[plan->entries] = 0;
	return true;
}

/* The mask that the new program is to begin with; what is blocked there and wanted here stays out by zl_gate_call:
 * it makes no call once a signal is noted. */
static long exec_with_mask(struct zl_frame *frame, struct zl_block *block)
{
	uint64_t mask = block->mask;
	long result;

	if (zl_is_nested(frame))
		return zl_call_make(frame);
	if (!zl_signals_close_all(block, frame))
		return zl_call_interrupted(frame);
	zl_trace_at_exec(block, &frame->call);
	zl_sighand_leave(block->sighand);
	zl_requeue_kept(block);   /* while none of them can come back */
	zl_raw(__NR_rt_sigprocmask, SIG_SETMASK, &mask, 0, sizeof(mask));
	result = zl_call_make(frame);
	zl_sighand_stay(block->sighand);
	zl_signals_open(block);
	return result;
}

/* Bytes left on the stack of the slot that we stand on. */
static size_t stack_left(void)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0) % SLOT_SIZE;
	return here - (here < SLOT_NESTED_TOP ? SLOT_NESTED : SLOT_HOOK);
}

/* With the environment of a plan. */
static long exec_as_planned(struct zl_frame *frame, const struct plan *plan, long *environment)
{
	long theirs = *environment, result;

	if (zl_exec_environment.is_first && zl_exec_environment.is_followed && stack_left() >= SPARE)
		zl_target_look(&frame->call);
	*environment = (long)plan->entry;
	result = exec_with_mask(frame, zl_block_here());
	*environment = theirs;
	return result;
}

__attribute__((noinline)) static long exec_small(struct zl_frame *frame, const struct measure *m, long *environment)
{
	uintptr_t room[SMALL / sizeof(uintptr_t)];
	struct plan plan = { .entry = room };

	if (!fill_plan(&plan, m, (uintptr_t)*environment))
		return exec_with_mask(frame, zl_block_here());
	return exec_as_planned(frame, &plan, environment);
}

static void say_no_memory(void)
{
	static _Atomic bool is_said;
	if (!atomic_exchange(&is_said, true))
		zl_say(zl_notice, zl_exec_environment.is_followed ?
			"no memory for an environment with the agent in it: the program is started unhooked" :
			"no memory for an environment without the agent: the program is started hooked");
}

static long exec_mapped(struct zl_frame *frame, const struct measure *m, long *environment)
{
	struct zl_block *block = zl_block_here();
	size_t size = zl_align_up(plan_size(m), ZL_PAGE);
	struct plan plan;
	long memory = zl_os_map(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
	long result;

	if (zl_is_error(memory)) {
		say_no_memory();
		return exec_with_mask(frame, block);
	}
	plan.entry = (uintptr_t *)memory;
	block->exec_scratch = (uintptr_t)memory;
	block->exec_scratch_size = size;
	result = fill_plan(&plan, m, (uintptr_t)*environment) ? exec_as_planned(frame, &plan, environment) :
							       exec_with_mask(frame, block);
	block->exec_scratch = 0;
	zl_os_unmap((uintptr_t)memory, size);
	return result;
}

long zl_own_exec(struct zl_frame *frame)
{
	long *environment = &frame->call.arg[frame->call.number == __NR_execve ? 2 : 3];
	struct measure m;

	if (!zl_exec_environment.library || zl_is_nested(frame))   /* what hook code starts is not the program's */
		return exec_with_mask(frame, zl_block_here());
	measure(&m, (uintptr_t)*environment);
	if (m.entries == -EFAULT)   /* let the kernel say so, or find a worse error first */
		return exec_with_mask(frame, zl_block_here());
	if (m.entries < 0)
		return m.entries;
	if (plan_size(&m) <= SMALL && stack_left() >= SMALL + SPARE)
		return exec_small(frame, &m, environment);
	return exec_mapped(frame, &m, environment);
}
