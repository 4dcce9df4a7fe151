/* hooks.c - the onion of hooks around a call
 *
 * frame->level says how many hooks the call has passed; next() goes one further in, and at the core the call is
 * made. Each hook sees only the numbers that it wants, at the moment the call reaches it: an outer hook may have
 * changed the number.
 *
 * Each hook runs with the fs that threads/control.c says, and has it again when next() comes back; at the core fs is
 * the program's. LEVEL_ON_CONTROL in frame->level says that it is not. A call that doesn't return (exit, the child of a
 * clone) so leaves nothing to undo.
 */
#include "agent/hooks.h"
#include "base/print.h"
#include "base/string.h"
#include "threads/control.h"
#include "trampoline/entry.h"
#include "zl_names.h"
#include <linux/errno.h>
#include "base/poison.h"

struct zl_hooks zl_hooks;

/* With the hooks' fs. */
zl_from_kernel static long run_on_control(const struct zlazy_hook *hook, struct zl_frame *frame, uintptr_t control)
{
	struct zl_block *block = zl_block_here();
	long result;

	block->program_fs = zl_fs_read();
	zl_fs_set(control);
	frame->level |= LEVEL_ON_CONTROL;
	result = hook->on_call(&frame->call, hook->data);
	zl_fs_set(block->program_fs);
	return result;
}

/* The rest of the call, by `hook` or, if that is NULL, by the core, with the program's fs in between. */
zl_from_kernel static long run_on_program(const struct zlazy_hook *hook, struct zl_frame *frame)
{
	struct zl_block *block = zl_block_here();
	long result;

	zl_fs_set(block->program_fs);
	frame->level &= ~LEVEL_ON_CONTROL;
	result = hook ? hook->on_call(&frame->call, hook->data) : zl_call_real(frame);
	block->program_fs = zl_fs_read();   /* the call may have been arch_prctl */
	zl_fs_set(block->control);
	return result;
}

static long run(const struct zlazy_hook *hook, struct zl_frame *frame)
{
	struct zl_block *block = zl_block_here();
	bool wants_control = hook->registers == ZLAZY_PRESERVE_ALL || block->has_foreign_fs;
	bool is_on = frame->level & LEVEL_ON_CONTROL;
	uintptr_t control = wants_control && !is_on ? zl_control_of(block) : 0;

	if (control)
		return run_on_control(hook, frame, control);
	if (is_on && !wants_control)
		return run_on_program(hook, frame);
	return hook->on_call(&frame->call, hook->data);
}

/* No hook is left to run, and fs is the hooks'. */
zl_from_kernel static long end_on_control(struct zl_frame *frame)
{
	unsigned outer = frame->level;
	long result = run_on_program(NULL, frame);

	frame->level = outer;
	return result;
}

zl_from_kernel long zl_hooks_run_next(struct zl_frame *frame)
{
	unsigned outer = frame->level;
	long result;

	for (unsigned level = outer / LEVEL_STEP; level < zl_hooks.count; level++) {
		const struct zlazy_hook *hook = &zl_hooks.hook[level];
		if (!zl_hook_wants(hook, &frame->call))
			continue;
		if (hook->registers == ZLAZY_PRESERVE_ALL && !frame->vectors)   /* an outer hook has changed the number */
			return zl_with_vectors(zl_hooks_run_next, frame);
		frame->level = (level + 1) * LEVEL_STEP | (outer & LEVEL_ON_CONTROL);
		result = run(hook, frame);
		frame->level = outer;
		return zl_unlikely(result == ZLAZY_INTERRUPTED) ? zl_hooks_interrupted(frame) : result;
	}
	return outer & LEVEL_ON_CONTROL ? end_on_control(frame) : zl_call_real(frame);
}

/* As end_on_control(), where the hook that preserve.S has called ends by a jump to next(). It has no more use of its
 * fs: preserve.S finds the program's, as the level says. */
static long end_for_good(struct zl_frame *frame)
{
	zl_fs_set(zl_block_here()->program_fs);
	frame->level &= ~LEVEL_ON_CONTROL;
	return zl_call_real(frame);
}

static long next(struct zlazy_call *call)
{
	struct zl_frame *frame = zl_frame_of(call);

	frame->state = ZL_FRAME_DONE;
	if (zl_unlikely(frame->level < zl_hooks.levels))
		return zl_hooks_run_next(frame);
	if (!(frame->level & LEVEL_ON_CONTROL))
		return zl_call_real(frame);
	return __builtin_return_address(0) == zl_preserved_returned ? end_for_good(frame) : end_on_control(frame);
}

/* A call has ended with ZLAZY_INTERRUPTED, by next() or in a hook's own words, which only holds when a signal waits:
 * returns that, or -EINTR. */
long zl_hooks_interrupted(struct zl_frame *frame)
{
	if (frame->state == ZL_FRAME_DONE && !zl_block_here()->noted)
		return -EINTR;
	frame->state = ZL_FRAME_AGAIN;
	return ZLAZY_INTERRUPTED;
}

static int signal_pending(const struct zlazy_call *call)
{
	(void)call;
	return zl_block_here()->noted != 0;
}

/* Offsets, not pointers: those would have to be relocated, and their pages written, in every process. 0: no name. */
#define FIELD(number, name) char of_##number[sizeof(name)];
#define TEXT(number, name) name,
#define PLACE_64(number, name) [number] = offsetof(struct names_64, of_##number) + 1,
#define PLACE_32(number, name) [number] = offsetof(struct names_32, of_##number) + 1,
static const struct names_64 { ZL_NAMES_64(FIELD) } names_64 = { ZL_NAMES_64(TEXT) };
static const struct names_32 { ZL_NAMES_32(FIELD) } names_32 = { ZL_NAMES_32(TEXT) };
static const uint16_t places_64[] = { ZL_NAMES_64(PLACE_64) };
static const uint16_t places_32[] = { ZL_NAMES_32(PLACE_32) };

static const char *name_at(const void *names, unsigned place)
{
	return place ? (const char *)names + (place - 1) : NULL;
}

static const char *name(long number, uint32_t abi)
{
	unsigned long n = (unsigned long)number;
	if (abi == ZLAZY_ABI_I386)
		return n < ZL_ARRAY_SIZE(places_32) ? name_at(&names_32, places_32[n]) : NULL;
	return n < ZL_ARRAY_SIZE(places_64) ? name_at(&names_64, places_64[n]) : NULL;
}

static void log_text(const char *text)
{
	zl_say(zl_hook_line, text);
}

const struct zlazy_api zl_hook_api = {
	.version = ZLAZY_ABI_VERSION,
	.size = sizeof(struct zlazy_api),
	.next = next,
	.signal_pending = signal_pending,
	.name = name,
	.log = log_text,
};

bool zl_hooks_add(const struct zlazy_hook *hook, const char *name)
{
	uint8_t bits = ZL_WANTED | (hook->registers == ZLAZY_PRESERVE_ALL ? ZL_PRESERVE : 0);
	uint8_t first = (uint8_t)(zl_hooks.count * ZL_FIRST);

	if (zl_hooks.count == ZL_HOOKS)
		return false;
	zl_hooks.name[zl_hooks.count] = name;
	if (!(bits & ZL_PRESERVE))
		zl_direct[zl_hooks.count] = (struct zl_direct){ hook->on_call, hook->data };
	else if (zl_has_fsgsbase)
		zl_direct_preserving[zl_hooks.count] = (struct zl_direct){ hook->on_call, hook->data };
	zl_hooks.hook[zl_hooks.count++] = *hook;
	zl_hooks.levels = zl_hooks.count * LEVEL_STEP;
	for (unsigned n = 0; n < ZL_FILTER_SIZE; n++) {
		bool is_wanted = n < ZLAZY_NUMBERS ? hook->wanted[n / 64] >> n % 64 & 1 : hook->wants_others != 0;
		if (is_wanted)
			zl_filter[n] |= zl_filter[n] & ZL_WANTED ? bits : bits | first;
		zl_filter_foreign[n] = zl_filter[n] & ZL_WANTED ? zl_filter[n] | ZL_SPECIAL : zl_filter[n];
	}
	return true;
}
