/* config.c - the ZLAZY_ variables: a table of names, each with a function that takes the value
 *
 * Values are taken from the agent's own copy (kept.c), never from the program's memory.
 */
#include "agent/config.h"
#include "agent/kept.h"
#include "base/fatal.h"
#include "base/inject.h"
#include "base/print.h"
#include "base/string.h"
#include "lazy/patch.h"
#include "threads/exec.h"
#include "threads/owners.h"
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

static const struct choice tactics[] = {
	{ "auto", ZL_SET_AUTO }, { "zpoline", ZL_SET_ZPOLINE }, { "jump", ZL_SET_JUMP }, { "trap", ZL_SET_TRAP }, { 0 } };

const char *zl_config_tactic(void)
{
	return tactics[zl_config.tactic].word;
}

static bool take_tactic(const char *value)
{
	int tactic;
	if (!choose(value, tactics, &tactic))
		return false;
	zl_config.tactic = (enum zl_setting)tactic;
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

static bool take_follow(const char *value)
{
	static const struct choice choices[] = { { "0", false }, { "1", true }, { 0 } };
	int is_followed;
	if (!choose(value, choices, &is_followed))
		return false;
	zl_exec_environment.is_followed = is_followed;
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
	static const struct choice choices[] = { { "jump", ZL_SLED_JUMP }, { "short", ZL_SLED_SHORT },
		{ "nop", ZL_SLED_NOP }, { 0 } };
	int sled;
	if (!choose(value, choices, &sled))
		return false;
	zl_config.sled = (enum zl_sled)sled;
	return true;
}

static bool take_io_uring(const char *value)
{
	static const struct choice choices[] = { { "allow", false }, { "deny", true }, { 0 } };
	int is_denied;
	if (!choose(value, choices, &is_denied))
		return false;
	zl_io_uring_is_denied = is_denied;
	return true;
}

static bool take_jit(const char *value)
{
	static const struct choice choices[] = { { "auto", ZL_JIT_AUTO }, { "patch", ZL_JIT_PATCH }, { "trap", ZL_JIT_TRAP },
		{ 0 } };
	int jit;
	if (!choose(value, choices, &jit))
		return false;
	zl_jit = (enum zl_jit)jit;
	return true;
}

static bool take_vdso(const char *value)
{
	static const struct choice choices[] = { { "off", false }, { "hook", true }, { 0 } };
	int is_hooked;
	if (!choose(value, choices, &is_hooked))
		return false;
	zl_config.hooks_vdso = is_hooked;
	return true;
}

static bool take_return(const char *value)
{
	static const struct choice choices[] = { { "auto", ZL_RETURN_AUTO }, { "ret", ZL_RETURN_RET },
		{ "jump", ZL_RETURN_JUMP }, { 0 } };
	int returns;
	if (!choose(value, choices, &returns))
		return false;
	zl_config.returns = (enum zl_return)returns;
	return true;
}

static bool take_vectors(const char *value)
{
	static const struct choice choices[] = { { "auto", ZL_VECTORS_AUTO }, { "xsavec", ZL_VECTORS_XSAVEC }, { 0 } };
	int vectors;
	if (!choose(value, choices, &vectors))
		return false;
	zl_config.vectors = (enum zl_vectors)vectors;
	return true;
}

static const struct {
	const char *name;              /* with the equals sign */
	bool (*take)(const char *value);
	const char *expected;
	enum zl_keep how;
} variables[] = {
	{ "ZLAZY_HOOK=", take_hook, "path[:argument][;path[:argument]...]", ZL_KEEP_HOOKS },
	{ "ZLAZY_TACTIC=", take_tactic, "auto, zpoline, jump or trap", ZL_KEEP_TEXT },
	{ "ZLAZY_FOLLOW=", take_follow, "0 or 1", ZL_KEEP_TEXT },
	{ "ZLAZY_ON_ERROR=", take_on_error, "stop or continue", ZL_KEEP_TEXT },
	{ "ZLAZY_LOG=", take_log, "the name of a file", ZL_KEEP_PATH },
	{ "ZLAZY_QUIET=", take_quiet, "0 or 1", ZL_KEEP_TEXT },
	{ "ZLAZY_DEBUG=", take_debug, "a level from 0 to 9", ZL_KEEP_TEXT },
	{ "ZLAZY_IO_URING=", take_io_uring, "allow or deny", ZL_KEEP_TEXT },
	{ "ZLAZY_JIT=", take_jit, "auto, patch or trap", ZL_KEEP_TEXT },
	{ "ZLAZY_VDSO=", take_vdso, "off or hook", ZL_KEEP_TEXT },
	{ "ZLAZY_SLED=", take_sled, "jump, short or nop", ZL_KEEP_TEXT },
	{ "ZLAZY_RETURN=", take_return, "auto, ret or jump", ZL_KEEP_TEXT },
	{ "ZLAZY_VECTORS=", take_vectors, "auto or xsavec", ZL_KEEP_TEXT },
	{ "ZLAZY_STATS=", take_stats, "a file made by the zlazy command", ZL_KEEP_PATH },
	{ "ZLAZY_CHILD=", take_child, "1; the agent sets it by itself", ZL_KEEP_TEXT },
#ifdef ZL_FAULT_INJECTION
	{ "ZLAZY_FAULT=", zl_inject_parse,
	  "all, map, unmap, protect, open, read, write, dup, query or barrier, a colon, and a count, * or random=SEED/RATE",
	  ZL_KEEP_TEXT },
	{ "ZLAZY_WITHOUT=", zl_vectors_lack, "avx512, xgetbv, avx, xsavec or xsave", ZL_KEEP_TEXT },
#endif
};

static _Noreturn void refuse(const char *entry, const char *why, const char *what_to_do)
{
	enum { SHOWN = 500 };   /* so that the reason has room in the line */
	struct zl_line line = { 0 };
	size_t length = zl_length(entry);

	zl_put(&line, "zlazy: cannot start: ");
	zl_put_bytes(&line, entry, length < SHOWN ? length : SHOWN);
	zl_put(&line, length < SHOWN ? ": " : "...: ");
	zl_put(&line, why);
	zl_put(&line, what_to_do);
	zl_complain(&line);
	zl_exit_process(ZL_EXIT_REFUSED);
}

/* Passed on over exec where the program has no such variable, or still the one that it began with. */
static void pass_on(const char *original, const char *entry)
{
	struct zl_exec_environment *to = &zl_exec_environment;
	if (to->variables == ZL_EXEC_VARIABLES)
		return;
	to->original[to->variables] = zl_equal(original, entry) ? NULL : original;
	to->variable[to->variables++] = entry;
}

static void take(const char *entry)
{
	for (size_t i = 0; i < ZL_ARRAY_SIZE(variables); i++) {
		const char *why, *own, *original = NULL;
		if (!zl_after(entry, variables[i].name))
			continue;
		own = zl_keep(variables[i].how, entry, &why);
		if (own && !zl_equal(own, entry))
			original = zl_keep(ZL_KEEP_TEXT, entry, &why);
		if (why)
			refuse(entry, why, "");
		if (!variables[i].take(zl_after(own, variables[i].name)))
			refuse(entry, "not a value of this variable; use ", variables[i].expected);
		pass_on(original ? original : own, own);
		return;
	}
	refuse(entry, "no such variable", "; unset it, or see zlazy(1)");
}

/* A log that can't be written is found out at once; later, and in children, which may have another root or user by
 * now, lines go to stderr instead. */
static void check_log(void)
{
	struct zl_line line = { 0 };
	long result = zl_print_to.log_path && !zl_config.is_child ? zl_print_check_log() : 0;

	if (!zl_is_error(result))
		return;
	zl_put(&line, "zlazy: cannot start: ZLAZY_LOG=");
	zl_put(&line, zl_print_to.log_path);
	zl_put(&line, ": ");
	zl_put_error(&line, result);
	zl_put(&line, "; name a file that can be written");
	zl_complain(&line);
	zl_exit_process(ZL_EXIT_REFUSED);
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
		if (zl_after(*environment, "ZLAZY_"))
			take(*environment);
	zl_exec_environment.is_first = !zl_config.is_child;
	if (!zl_config.is_child)
		pass_on("ZLAZY_CHILD=1", "ZLAZY_CHILD=1");
	check_log();
}
