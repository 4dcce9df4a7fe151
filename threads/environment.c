/* environment.c - the environment that an exec'd program gets: the program's, with the agent or without it
 *
 * With: the agent's library is first in LD_PRELOAD (of several the last counts, as for ld.so), and the ZLAZY_ variables
 * of this run are there where the program has none of its own. Without: the agent's entry is taken out of LD_PRELOAD.
 * All else is as the program has it, in its order. The array is copied; its strings stay where they are, and none is
 * written. In three steps, because the memory is the caller's: zl_environment_measure(), zl_environment_size(),
 * zl_environment_fill(). Another thread may change the array meanwhile: no more is filled in than was measured.
 */
#include "threads/environment.h"
#include "base/copy.h"
#include "base/string.h"
#include "threads/exec.h"
#include <linux/errno.h>
#include "base/poison.h"

static const char preload_name[] = "LD_PRELOAD=";

enum { MOST_ENTRIES = 1 << 20, LONGEST = 1 << 17 };

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
static void put_variable(struct zl_plan *plan, const char *variable, const char *original)
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

void zl_environment_measure(struct zl_environment *m, uintptr_t array)
{
	*m = (struct zl_environment){ .entries = count_entries(array) };
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

static size_t slots_size(const struct zl_environment *m)
{
	return ((size_t)m->entries + ZL_EXEC_VARIABLES + 2) * sizeof(uintptr_t);
}

size_t zl_environment_size(const struct zl_environment *m)
{
	return slots_size(m) + sizeof(preload_name) + zl_length(zl_exec_environment.library) + 1 +
	       (size_t)(m->preload_length > 0 ? m->preload_length : 0) + 1;
}

/* LD_PRELOAD=library[:what the program has there] */
static void put_preload(struct zl_plan *plan, const struct zl_environment *m)
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
static void drop_preload(struct zl_plan *plan, const struct zl_environment *m)
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

static void put_agent(struct zl_plan *plan, const struct zl_environment *m)
{
	put_preload(plan, m);
	for (unsigned i = zl_exec_environment.variables; i-- > 0;)   /* of two of a name the last holds: agent/config.c */
		put_variable(plan, zl_exec_environment.variable[i], zl_exec_environment.original[i]);
}

bool zl_environment_fill(struct zl_plan *plan, const struct zl_environment *m, uintptr_t array, bool keeps_agent)
{
	plan->entries = m->entries;
	plan->text = (char *)plan->entry + slots_size(m);
	if (m->entries && !zl_copy_in(plan->entry, array, (size_t)m->entries * sizeof(uintptr_t)))
		return false;
	if (keeps_agent)
		put_agent(plan, m);
	else
		drop_preload(plan, m);
	plan->entry[plan->entries] = 0;
	return true;
}
