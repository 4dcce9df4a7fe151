/* kept.c - the agent's own copy of its variables
 *
 * Programs overwrite the memory of their environment (setproctitle), and change their directory, long before the
 * last notice is written and the last exec made. So nothing of the agent's points into that memory, and no relative
 * path is kept. The exception is a hook named without a slash: the dynamic linker looks for it in its own
 * directories, never in the current one. A path that begins with `$` ($ORIGIN) is the linker's, too.
 */
#include "agent/kept.h"
#include "base/raw.h"
#include "base/string.h"
#include "base/poison.h"

enum { ROOM = 65536, LONGEST_PATH = 4096 };

static struct { char text[ROOM]; size_t used; bool is_full; } kept;

static void put(const char *s, size_t n)
{
	if (n >= ROOM - kept.used) {
		kept.is_full = true;
		return;
	}
	memcpy(kept.text + kept.used, s, n);
	kept.used += n;
}

static size_t length_up_to(const char *s, const char *ends)
{
	size_t n = 0;
	for (; s[n]; n++)
		for (const char *end = ends; *end; end++)
			if (s[n] == *end)
				return n;
	return n;
}

/* The current directory with a slash at its end. Returns why not, or NULL. */
static const char *put_directory(bool is_for_hook)
{
	static char path[LONGEST_PATH];
	long size = zl_raw(__NR_getcwd, path, sizeof(path));   /* with the zero at its end */

	if (size <= 1 || path[0] != '/')
		return "the current directory has no name; give an absolute path";
	if (is_for_hook && path[length_up_to(path, ":;")])
		return "the current directory's name has ':' or ';'; give an absolute path";
	put(path, (size_t)size - 1);
	if (path[size - 2] != '/')
		put("/", 1);
	return NULL;
}

static const char *put_path(const char *path, size_t size)
{
	const char *why = *path && *path != '/' ? put_directory(false) : NULL;
	put(path, size);
	return why;
}

/* path[:argument], `size` bytes of it. */
static const char *put_hook(const char *hook, size_t size)
{
	size_t path = length_up_to(hook, ":;");
	bool is_relative = path && hook[0] != '/' && hook[0] != '$' && length_up_to(hook, "/") < path;
	const char *why = is_relative ? put_directory(true) : NULL;

	if (!path && size)
		return "an argument without a library; use path[:argument]";
	put(hook, size);
	return why;
}

static const char *put_hooks(const char *list)
{
	const char *why = NULL;

	while (!why && *list) {
		size_t size = length_up_to(list, ";");
		why = put_hook(list, size);
		list += size;
		if (*list)
			put(list++, 1);
	}
	return why;
}

const char *zl_keep(enum zl_keep how, const char *entry, const char **why)
{
	char *start = kept.text + kept.used;
	const char *value = entry + length_up_to(entry, "=");

	value += *value == '=';
	put(entry, (size_t)(value - entry));
	switch (how) {
	case ZL_KEEP_TEXT: put(value, zl_length(value)); *why = NULL; break;
	case ZL_KEEP_PATH: *why = put_path(value, zl_length(value)); break;
	case ZL_KEEP_HOOKS: *why = put_hooks(value); break;
	}
	put("", 1);
	if (kept.is_full)
		*why = "the ZLAZY_ variables are too long; shorten them";
	return *why ? NULL : start;
}
