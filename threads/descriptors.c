/* descriptors.c - the agent's descriptor stays out of the program's reach and sight
 *
 * The calls by which programs find out what is open answer EBADF for it, as for a number that is not open; dup2()
 * onto it first moves it away; close_range() leaves it out; listings of the process's own /proc/PID/fd and fdinfo
 * don't show it.
 */
#include "base/copy.h"
#include "base/print.h"
#include "base/string.h"
#include "lazy/codefd.h"
#include "lazy/patch.h"
#include "threads/call.h"
#include "threads/owners.h"
#include <asm/statfs.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/magic.h>
#include "base/poison.h"

/* The child of a vfork has a table of its own, where the descriptor is a mere copy. */
static bool is_ours(long fd)
{
	return !zl_block_here()->is_vforked && zl_codefd_number() >= 0 && (unsigned)fd == (unsigned)zl_codefd_number() &&
	       zl_codefd_get() >= 0;
}

long zl_own_descriptor(struct zl_frame *frame)
{
	return is_ours(frame->call.arg[0]) ? -EBADF : zl_call_make(frame);
}

/* newfstatat, statx: an absolute path has no use for the descriptor. */
long zl_own_stat(struct zl_frame *frame)
{
	long flags = frame->call.arg[frame->call.number == __NR_statx ? 2 : 3];
	char first;

	if (!is_ours(frame->call.arg[0]))
		return zl_call_make(frame);
	if (frame->call.arg[1] && !zl_copy_in(&first, (uintptr_t)frame->call.arg[1], sizeof(first)))
		return -EFAULT;
	if (frame->call.arg[1] && first == '\0' && !(flags & AT_EMPTY_PATH))
		return -ENOENT;
	return frame->call.arg[1] && first == '/' ? zl_call_make(frame) : -EBADF;
}

long zl_own_dup(struct zl_frame *frame)
{
	if (is_ours(frame->call.arg[0]))
		return -EBADF;
	if (is_ours(frame->call.arg[1])) {
		zl_lock(&zl_patch_lock);
		zl_codefd_move();
		zl_unlock(&zl_patch_lock);
	}
	return zl_call_make(frame);
}

long zl_own_close_range(struct zl_frame *frame)
{
	unsigned first = (unsigned)frame->call.arg[0], last = (unsigned)frame->call.arg[1];
	long flags = frame->call.arg[2], result = 0;
	unsigned ours = (unsigned)zl_codefd_number();

	if (!is_ours(ours) || ours < first || ours > last)
		return zl_call_make(frame);
	if (first == last)   /* nothing is left of the range, but for its flags */
		return zl_call_as(frame, __NR_close_range, ~0U, ~0U, flags, 0, 0, 0);
	if (first < ours)
		result = zl_call_as(frame, __NR_close_range, first, ours - 1, flags, 0, 0, 0);
	if (result == 0 && ours < last)
		result = zl_call_as(frame, __NR_close_range, ours + 1, last, flags, 0, 0, 0);
	return result;
}

/* Where a directory entry has its length and its name (Linux, fs/readdir.c). */
struct shape {
	size_t length, name;
};
static const struct shape shape = { 16, 18 }, shape_64 = { 16, 19 };

static bool ends_with(const char *s, const char *end)
{
	size_t length = zl_length(s), most = zl_length(end);
	return length >= most && zl_equal(s + length - most, end);
}

/* /proc/PID/fd, /proc/PID/fdinfo, and those of /proc/PID/task/TID, of this process. */
static bool lists_descriptors(long directory)
{
	struct zl_line own = { 0 }, link = { 0 };
	struct statfs fs;
	char path[64] = { 0 };

	if (zl_raw(__NR_fstatfs, directory, &fs) != 0 || fs.f_type != PROC_SUPER_MAGIC)
		return false;
	zl_put(&link, "/proc/thread-self/fd/");
	zl_put_decimal(&link, (int)directory);
	if (zl_is_error(zl_raw(__NR_readlink, link.text, path, sizeof(path) - 1)))
		return false;
	zl_put(&own, "/proc/");
	zl_put_decimal(&own, zl_raw(__NR_getpid));
	zl_put(&own, "/");
	return zl_after(path, own.text) && (ends_with(path, "/fd") || ends_with(path, "/fdinfo"));
}

/* The entry of our number in the program's buffer: where it is, and its length; 0 if it is not there. */
static uint16_t find_entry(uintptr_t *at, uintptr_t end, const struct shape *of)
{
	uint16_t length;

	for (; *at < end; *at += length) {
		char name[12] = { 0 };
		unsigned long number;
		size_t size;

		if (!zl_copy_in(&length, *at + of->length, sizeof(length)) || length <= of->name)
			return 0;
		size = length - of->name < sizeof(name) ? length - of->name : sizeof(name) - 1;
		if (zl_copy_in(name, *at + of->name, size) && zl_parse_number(name, &number) &&
		    number == (unsigned)zl_codefd_number())
			return length;
	}
	return 0;
}

/* Move what follows the entry over it. */
static void close_gap(uintptr_t at, uint16_t length, uintptr_t end)
{
	char piece[256];

	while (at + length < end) {
		size_t size = end - at - length < sizeof(piece) ? end - at - length : sizeof(piece);
		if (!zl_copy_in(piece, at + length, size) || !zl_copy_out(at, piece, size))
			return;
		at += size;
	}
}

long zl_own_getdents(struct zl_frame *frame)
{
	const struct zlazy_call *call = &frame->call;
	const struct shape *of = call->number == __NR_getdents64 ? &shape_64 : &shape;
	bool hides = is_ours(zl_codefd_number()) && lists_descriptors(call->arg[0]);
	uintptr_t at, end;
	uint16_t length;
	long result;

	do {
		result = zl_call_make(frame);
		if (!hides || result <= 0)
			return result;
		at = (uintptr_t)call->arg[1];
		end = at + (uintptr_t)result;
		length = find_entry(&at, end, of);
		close_gap(at, length, end);
	} while (length == result);   /* nothing else was there, and 0 would mean the end */
	return result - length;
}
