/* exec.c - execve and execveat keep the agent
 *
 * The program's environment array is copied to memory of the agent's, with the agent's library first in LD_PRELOAD
 * and the ZLAZY_ variables of this run where the program has none of its own. Nothing of the program's memory is
 * written. The real signal mask becomes the virtual one for the call, and comes back if it fails; a signal that
 * comes before the gate is delivered first, and the program makes the call again.
 */
#include "threads/exec.h"
#include "base/copy.h"
#include "base/os.h"
#include "base/string.h"
#include "threads/call.h"
#include "threads/owners.h"
#include "threads/sighand.h"
#include <linux/errno.h>
#include <linux/mman.h>
#include "base/poison.h"

struct zl_exec_environment zl_exec_environment;
static const char preload_name[] = "LD_PRELOAD=";

enum { MOST_ENTRIES = 1 << 20, LONGEST = 1 << 17, NONE = -1 };

/* The new array, and behind it the text of LD_PRELOAD. */
struct plan {
	uintptr_t memory;
	size_t size;
	uintptr_t *entry;
	long entries;
	char *text;
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

/* Copy a string of the program's; its length, or -1 if it is bad or too long. */
static long copy_string(char *to, uintptr_t from, size_t size)
{
	size_t copied = size - zl_copy(to, (const void *)from, size);
	for (size_t i = 0; i < copied; i++)
		if (!to[i])
			return (long)i;
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

static long find(const struct plan *plan, const char *name)
{
	for (long i = 0; i < plan->entries; i++)
		if (has_name(plan->entry[i], name))
			return i;
	return NONE;
}

static bool is_listed(const char *list, const char *path)
{
	size_t n = zl_length(path);
	for (const char *s = list; *s;) {
		const char *rest = zl_after(s, path);
		if (rest && (!*rest || *rest == ':' || *rest == ' ') && (size_t)(rest - s) == n)
			return true;
		while (*s && *s != ':' && *s != ' ')
			s++;
		while (*s == ':' || *s == ' ')
			s++;
	}
	return false;
}

/* LD_PRELOAD=library[:what the program has there] */
static void put_preload(struct plan *plan)
{
	const char *library = zl_exec_environment.library;
	long at = find(plan, preload_name);
	size_t prefix = sizeof(preload_name) - 1, length = zl_length(library);
	char *value = plan->text + prefix + length + 1;   /* room for the library before what there is */

	value[0] = '\0';
	if (at != NONE && copy_string(value, plan->entry[at] + prefix, LONGEST) < 0)
		return;   /* the kernel will refuse it too */
	if (is_listed(value, library))
		return;
	memcpy(plan->text, preload_name, prefix);
	memcpy(plan->text + prefix, library, length);
	value[-1] = value[0] ? ':' : '\0';
	plan->entry[at == NONE ? plan->entries++ : at] = (uintptr_t)plan->text;
}

static long make_plan(struct plan *plan, uintptr_t array)
{
	long entries = count_entries(array), memory;
	size_t slots;

	if (zl_is_error(entries))
		return entries;
	slots = ((size_t)entries + ZL_EXEC_VARIABLES + 2) * sizeof(uintptr_t);
	plan->size = zl_align_up(slots + 2 * LONGEST, ZL_PAGE);
	memory = zl_os_map(0, plan->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
	if (zl_is_error(memory))
		return -ENOMEM;
	plan->memory = (uintptr_t)memory;
	plan->entry = (uintptr_t *)memory;
	plan->entries = entries;
	plan->text = (char *)memory + slots;
	if (entries && !zl_copy_in(plan->entry, array, (size_t)entries * sizeof(uintptr_t))) {
		zl_os_unmap(plan->memory, plan->size);
		return -EFAULT;
	}
	put_preload(plan);
	for (unsigned i = 0; i < zl_exec_environment.variables; i++)
		if (find(plan, zl_exec_environment.variable[i]) == NONE)
			plan->entry[plan->entries++] = (uintptr_t)zl_exec_environment.variable[i];
	plan->entry[plan->entries] = 0;
	return 0;
}

/* The mask that the new program is to begin with; what is blocked there and wanted here stays out by zl_gate_call:
 * it makes no call once a signal is noted. */
static long exec_with_mask(struct zl_frame *frame, struct zl_block *block)
{
	uint64_t mask = block->mask;
	long result;

	if (zl_is_nested(frame))
		return zl_call_make(frame);
	zl_trace_at_exec(block, &frame->call);
	zl_raw(__NR_rt_sigprocmask, SIG_SETMASK, &mask, 0, sizeof(mask));
	result = zl_call_make(frame);
	zl_signals_open(block);
	return result;
}

long zl_own_exec(struct zl_frame *frame)
{
	struct zl_block *block = zl_block_here();
	long *environment = &frame->call.arg[frame->call.number == __NR_execve ? 2 : 3];
	long theirs = *environment, result;
	struct plan plan;

	if (!zl_exec_environment.library)
		return exec_with_mask(frame, block);
	result = make_plan(&plan, (uintptr_t)theirs);
	if (result == -EFAULT)   /* let the kernel say so, or find a worse error first */
		return exec_with_mask(frame, block);
	if (zl_is_error(result))
		return result;
	block->exec_scratch = plan.memory;
	block->exec_scratch_size = plan.size;
	*environment = (long)plan.entry;
	result = exec_with_mask(frame, block);
	*environment = theirs;
	block->exec_scratch = 0;
	zl_os_unmap(plan.memory, plan.size);
	return result;
}
