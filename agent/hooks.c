/* hooks.c - the onion of hooks around a call
 *
 * frame->level says how many hooks the call has passed; next() goes one further in, and at the core the call is
 * made. Each hook sees only the numbers that it wants, at the moment the call reaches it: an outer hook may have
 * changed the number.
 */
#include "agent/hooks.h"
#include "base/print.h"
#include "base/string.h"
#include "trampoline/entry.h"
#include "zl_names.h"
#include <linux/errno.h>
#include "base/poison.h"

struct zl_hooks zl_hooks;

long zl_hooks_run_next(struct zl_frame *frame)
{
	unsigned outer = frame->level;
	long result;

	for (unsigned level = outer / LEVEL_STEP; level < zl_hooks.count; level++) {
		const struct zlazy_hook *hook = &zl_hooks.hook[level];
		if (!zl_hook_wants(hook, &frame->call))
			continue;
		frame->level = (level + 1) * LEVEL_STEP;
		result = hook->on_call(&frame->call, hook->data);
		frame->level = outer;
		return zl_unlikely(result == ZLAZY_INTERRUPTED) ? zl_hooks_interrupted(frame) : result;
	}
	return zl_call_real(frame);
}

static long next(struct zlazy_call *call)
{
	struct zl_frame *frame = zl_frame_of(call);

	frame->state = ZL_FRAME_DONE;
	return zl_hooks_run(frame);
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

#define NAME(number, name) [number] = name,
static const char *const names_64[] = { ZL_NAMES_64(NAME) };
static const char *const names_32[] = { ZL_NAMES_32(NAME) };

static const char *name(long number, uint32_t abi)
{
	unsigned long n = (unsigned long)number;
	if (abi == ZLAZY_ABI_I386)
		return n < ZL_ARRAY_SIZE(names_32) ? names_32[n] : NULL;
	return n < ZL_ARRAY_SIZE(names_64) ? names_64[n] : NULL;
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
	zl_direct[zl_hooks.count] = (struct zl_direct){ hook->on_call, hook->data };
	zl_hooks.hook[zl_hooks.count++] = *hook;
	zl_hooks.levels = zl_hooks.count * LEVEL_STEP;
	for (unsigned n = 0; n < ZLAZY_NUMBERS; n++)
		if (hook->wanted[n / 64] >> n % 64 & 1)
			zl_filter[n] |= zl_filter[n] & ZL_WANTED ? bits : bits | first;
	if (hook->wants_others)
		zl_filter[ZLAZY_NUMBERS] |= zl_filter[ZLAZY_NUMBERS] & ZL_WANTED ? bits : bits | first;
	return true;
}
