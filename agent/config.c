/* config.c - the ZLAZY_ variables: a table of names, each with a function that takes the value */
#include "agent/config.h"
#include "base/fatal.h"
#include "base/os.h"
#include "base/print.h"
#include "base/string.h"
#include "threads/exec.h"
#include "base/poison.h"

struct zl_config zl_config;

struct choice { const char *word; int value; };

static bool choose(const char *value, const struct choice *choices, int *result)
{
	for (; choices->word; choices++)
		if (zl_equal(value, choices->word)) {
			*result = choices->value;
			return true;
		}
	return false;
}

static bool take_hook(const char *value) { zl_config.hooks = *value ? value : NULL; return true; }
static bool take_stats(const char *value) { zl_config.stats = *value ? value : NULL; return true; }
static bool take_child(const char *value) { zl_config.is_child = zl_equal(value, "1"); return zl_config.is_child; }
static bool take_log(const char *value) { zl_print_to.log_path = value; return *value; }

static bool take_tactic(const char *value)
{
	static const struct choice choices[] = {
		{ "auto", ZL_TACTIC_AUTO }, { "zpoline", ZL_TACTIC_ZPOLINE }, { "trap", ZL_TACTIC_TRAP }, { 0 } };
	int tactic;
	if (!choose(value, choices, &tactic))
		return false;
	zl_config.tactic = (enum zl_tactic)tactic;
	return true;
}

static bool take_on_error(const char *value)
{
	static const struct choice choices[] = { { "stop", ZL_ON_ERROR_STOP }, { "continue", ZL_ON_ERROR_CONTINUE },
		{ "continued", ZL_ON_ERROR_CONTINUE }, { 0 } };
	int policy;
	if (!choose(value, choices, &policy))
		return false;
	zl_config.on_error = (enum zl_on_error)policy;
	if (zl_equal(value, "continued"))
		zl_config.is_child = true;
	return true;
}

static bool take_quiet(const char *value)
{
	static const struct choice choices[] = { { "0", false }, { "1", true }, { 0 } };
	int is_quiet;
	if (!choose(value, choices, &is_quiet))
		return false;
	zl_print_to.is_quiet = is_quiet;
	return true;
}

static bool take_debug(const char *value)
{
	unsigned long level;
	if (!zl_parse_number(value, &level) || level > 9)
		return false;
	zl_print_to.debug = (unsigned)level;
	return true;
}

static bool take_sled(const char *value)
{
	static const struct choice choices[] = { { "jump", false }, { "short", true }, { 0 } };
	int is_short;
	if (!choose(value, choices, &is_short))
		return false;
	zl_config.has_short_sled = is_short;
	return true;
}

static const struct {
	const char *name;              /* with the equals sign */
	bool (*take)(const char *value);
	const char *expected;
} variables[] = {
	{ "ZLAZY_HOOK=", take_hook, "path[:argument][;path[:argument]...]" },
	{ "ZLAZY_TACTIC=", take_tactic, "auto, zpoline or trap" },
	{ "ZLAZY_ON_ERROR=", take_on_error, "stop or continue" },
	{ "ZLAZY_LOG=", take_log, "the name of a file" },
	{ "ZLAZY_QUIET=", take_quiet, "0 or 1" },
	{ "ZLAZY_DEBUG=", take_debug, "a level from 0 to 9" },
	{ "ZLAZY_SLED=", take_sled, "jump or short" },
	{ "ZLAZY_STATS=", take_stats, "a file made by the zlazy command" },
	{ "ZLAZY_CHILD=", take_child, "1; the agent sets it by itself" },
#ifdef ZL_FAULT_INJECTION
	{ "ZLAZY_FAULT=", zl_os_inject, "map, protect, open, read, write or barrier, a colon, and a count or *" },
#endif
};

static _Noreturn void refuse(const char *entry, const char *why, const char *what_to_do)
{
	zl_say(zl_complain, "cannot start: ", entry, ": ", why, what_to_do);
	zl_exit_process(ZL_EXIT_REFUSED);
}

static void take(const char *entry)
{
	for (size_t i = 0; i < ZL_ARRAY_SIZE(variables); i++) {
		const char *value = zl_after(entry, variables[i].name);
		if (!value)
			continue;
		if (!variables[i].take(value))
			refuse(entry, "not a value of this variable; use ", variables[i].expected);
		return;
	}
	refuse(entry, "no such variable", "; unset it, or see the table in README.md");
}

static void pass_on(const char *entry)
{
	struct zl_exec_environment *to = &zl_exec_environment;
	if (to->variables < ZL_EXEC_VARIABLES)
		to->variable[to->variables++] = entry;
}

void zl_config_continued(char **environment)
{
	static char said[] = "ZLAZY_ON_ERROR=continued";
	for (; *environment; environment++)
		if (zl_after(*environment, "ZLAZY_ON_ERROR="))
			*environment = said;
}

void zl_config_read(char *const *environment)
{
	for (; *environment; environment++)
		if (zl_after(*environment, "ZLAZY_")) {
			take(*environment);
			pass_on(*environment);
		}
	if (!zl_config.is_child)
		pass_on("ZLAZY_CHILD=1");
}
