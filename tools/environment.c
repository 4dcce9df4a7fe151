/* environment.c - what the program's environment tells the agent
 *
 * LD_PRELOAD gets libzlazy.so in front of what the user had there. ZLAZY_HOOK is extended, the other ZLAZY_
 * variables are replaced where an option was given and left alone where none was.
 */
#include "tools/environment.h"

#include "tools/locate.h"
#include "tools/message.h"

#include <stdio.h>
#include <stdlib.h>

/* name=first<separator>second, either of which may be missing. */
static bool set_joined(const char *name, const char *first, char separator, const char *second)
{
	char *joined;
	bool ok;

	if (first == NULL || first[0] == '\0')
		return setenv(name, second, 1) == 0;
	if (second == NULL || second[0] == '\0')
		return setenv(name, first, 1) == 0;
	if (asprintf(&joined, "%s%c%s", first, separator, second) < 0)
		return false;
	ok = setenv(name, joined, 1) == 0;
	free(joined);
	return ok;
}

static bool set_given(const char *name, const char *value)
{
	return value == NULL || setenv(name, value, 1) == 0;
}

bool zl_environment_set(const struct zl_options *options, const char *shared)
{
	char *library = zl_locate_library();
	bool ok;

	if (library == NULL)
		return false;
	ok = set_joined("LD_PRELOAD", library, ':', getenv("LD_PRELOAD"))
		&& (options->hooks == NULL || set_joined("ZLAZY_HOOK", getenv("ZLAZY_HOOK"), ';', options->hooks))
		&& set_given("ZLAZY_TACTIC", options->tactic)
		&& set_given("ZLAZY_LOG", options->log)
		&& set_given("ZLAZY_FOLLOW", options->no_follow ? "0" : NULL)
		&& set_given("ZLAZY_QUIET", options->quiet ? "1" : NULL)
		&& set_given("ZLAZY_DEBUG", options->debug)
		&& set_given("ZLAZY_ON_ERROR", options->on_error)
		&& set_given("ZLAZY_STATS", shared);
	free(library);
	if (!ok)
		zl_message(0, "no memory for the environment of the program");
	return ok;
}
