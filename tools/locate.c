/* locate.c - paths that the program will see, made absolute and checked
 *
 * The program, and every process of the run, may change its directory before it loads or opens anything, so no
 * relative path may reach the environment. The exception is a hook named without a slash: the dynamic linker
 * looks it up in its own directories. Symbolic links are not resolved: the name stays the one that the user gave.
 */
#include "tools/locate.h"

#include "tools/message.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* `path` in absolute form, from malloc; NULL with errno set. */
static char *make_absolute(const char *path)
{
	char *directory, *whole = NULL;

	if (path[0] == '/')
		return strdup(path);
	directory = getcwd(NULL, 0);
	if (directory == NULL)
		return NULL;
	if (asprintf(&whole, "%s/%s", strcmp(directory, "/") == 0 ? "" : directory, path) < 0)
		whole = NULL;
	free(directory);
	return whole;
}

/* `directory`/libzlazy.so if it is there, from malloc. The directory is made canonical: exec compares the name that is
 * preloaded with the one that the kernel shows for the mapping. */
static char *find_in(const char *directory)
{
	char *canonical = realpath(directory, NULL), *path = NULL;

	if (canonical != NULL && asprintf(&path, "%s/libzlazy.so", canonical) < 0)
		path = NULL;
	free(canonical);
	if (path != NULL && access(path, R_OK) == 0)
		return path;
	free(path);
	return NULL;
}

/* Look where the library lies as seen from this executable: beside it, as in a build tree, or where an install puts
 * it, whatever the prefix. Returns NULL if there is none. */
static char *find_nearby(void)
{
	static const char *const places[] = { "", ZLAZY_LIBDIR_FROM_BINDIR, "../lib", "../lib/x86_64-linux-gnu", "../lib64" };
	char own[PATH_MAX], directory[PATH_MAX + 128], *path = NULL;
	ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);

	if (length <= 0)
		return NULL;
	own[length] = '\0';
	*strrchr(own, '/') = '\0';
	for (size_t i = 0; i < sizeof places / sizeof places[0] && path == NULL; i++)
		if (snprintf(directory, sizeof directory, "%s/%s", own, places[i]) < (int)sizeof directory)
			path = find_in(directory);
	return path;
}

char *zl_locate_library(void)
{
	char *path = find_nearby();

	if (path == NULL)
		path = find_in(ZLAZY_LIBDIR);
	if (path == NULL) {
		zl_message(0, "cannot find libzlazy.so beside the command, in ../lib from there, or in " ZLAZY_LIBDIR
			   "; build or install zlazy again");
		return NULL;
	}
	if (strpbrk(path, ": \t") == NULL)
		return path;
	zl_message(0, "cannot preload '%s': LD_PRELOAD has no way to name a path with a colon or a space;"
		   " move it, or make a link", path);
	free(path);
	return NULL;
}

/* Replace the path of *hook by the absolute one if it has a slash, and see that it is there. */
static char *settle_hook(const char *path, const char *argument)
{
	char *absolute = strchr(path, '/') != NULL ? make_absolute(path) : strdup(path), *hook = NULL;

	if (absolute == NULL) {
		zl_message(0, "cannot load hook '%s': %s; give its absolute path", path, strerror(errno));
		return NULL;
	}
	if (absolute[0] == '/' && access(absolute, R_OK) != 0)
		zl_message(0, "cannot load hook '%s': %s; check the path", path, strerror(errno));
	else if (strpbrk(absolute, ":;") != NULL)
		zl_message(0, "cannot load hook '%s': ZLAZY_HOOK has no way to name a directory with ':' or ';';"
			   " move it, or make a link", absolute);
	else if (asprintf(&hook, "%s%s", absolute, argument) < 0)
		hook = NULL;
	free(absolute);
	return hook;
}

char *zl_locate_hook(const char *value)
{
	size_t length = strcspn(value, ":");
	char *path, *hook;

	if (strchr(value, ';') != NULL) {
		zl_message(0, "bad hook '%s': ';' separates hooks in ZLAZY_HOOK; give each hook its own --hook", value);
		return NULL;
	}
	if (length == 0) {
		zl_message(0, "bad hook '%s': it names no library; use --hook PATH[:ARGUMENT]", value);
		return NULL;
	}
	path = strndup(value, length);
	if (path == NULL)
		return NULL;
	hook = settle_hook(path, value + length);
	free(path);
	return hook;
}

char *zl_locate_log(const char *value)
{
	int fd = open(value, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0666);
	char *path;

	if (fd < 0) {
		zl_message(0, "cannot write log '%s': %s; name another file with --log", value, strerror(errno));
		return NULL;
	}
	close(fd);
	path = make_absolute(value);
	if (path == NULL)
		zl_message(0, "cannot write log '%s': %s; give its absolute path", value, strerror(errno));
	return path;
}
