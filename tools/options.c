/* options.c - the command line of zlazy
 *
 * Parsing stops at the first word that is no option ("+"), so the program's own options are never taken. Values
 * are checked here where that is cheap; the agent checks all of them again, because it also runs without the
 * command. Whatever is wrong gives one line: what failed, why, what to do.
 */
#include "tools/options.h"

#include "tools/locate.h"
#include "tools/message.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_HOOK = 256, OPTION_TACTIC, OPTION_LOG, OPTION_QUIET, OPTION_DEBUG, OPTION_ON_ERROR, OPTION_STATS,
       OPTION_NO_FOLLOW };

static const struct option long_options[] = {
	{ "hook", required_argument, NULL, OPTION_HOOK },
	{ "tactic", required_argument, NULL, OPTION_TACTIC },
	{ "log", required_argument, NULL, OPTION_LOG },
	{ "quiet", no_argument, NULL, OPTION_QUIET },
	{ "debug", required_argument, NULL, OPTION_DEBUG },
	{ "on-error", required_argument, NULL, OPTION_ON_ERROR },
	{ "stats", no_argument, NULL, OPTION_STATS },
	{ "no-follow", no_argument, NULL, OPTION_NO_FOLLOW },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static const char help_text[] =
	"usage: zlazy [options] [--] program [argument ...]\n"
	"\n"
	"Run a program with every system call visible to, and changeable by, hook libraries.\n"
	"\n"
	"      --hook PATH[:ARGUMENT]   load a hook library; repeatable, the first named is outermost\n"
	"      --tactic TACTIC          auto (default), zpoline (rewrite, or stop), jump (without page zero),\n"
	"                               trap (never rewrite)\n"
	"      --on-error POLICY        stop (default): exit 127 when the program can't be hooked;\n"
	"                               continue: run it unhooked\n"
	"      --no-follow              programs that the program starts run unhooked\n"
	"      --log FILE               append notices to FILE instead of stderr\n"
	"      --quiet                  no notices\n"
	"      --debug LEVEL            more notices: 1 each process, 2 each refused site, 3 each rewritten\n"
	"  -c                           at exit, a table of calls, errors and time, as strace -c -w gives\n"
	"      --stats                  at exit, sites by state, traps, and where sites kept trapping\n"
	"  -o FILE                      write the table and the statistics to FILE instead of stderr\n"
	"  -h, --help                   this text\n"
	"  -V, --version                the version\n"
	"\n"
	"The exit status is the program's; 127 if the command line, the set-up or the name of the\n"
	"program is wrong, 126 if it can't be executed, 1 if the program's is 0 and the report of\n"
	"-c or --stats can't be written. See zlazy(1).\n";

/* Check `value` against a list of words. Returns true if it is one of them. */
static bool check_word(const char *option, const char *value, const char *const *words, const char *list)
{
	for (; *words != NULL; words++)
		if (strcmp(*words, value) == 0)
			return true;
	zl_message(0, "bad value '%s' for --%s; use %s", value, option, list);
	return false;
}

static bool check_level(const char *value)
{
	if (value[0] >= '0' && value[0] <= '9' && value[1] == '\0')
		return true;
	zl_message(0, "bad value '%s' for --debug; use a level from 0 to 9", value);
	return false;
}

/* Append one hook to the list, with ';' before it. */
static bool add_hook(struct zl_options *options, const char *value)
{
	char *hook = zl_locate_hook(value), *list;
	size_t old = options->hooks != NULL ? strlen(options->hooks) + 1 : 0;

	if (hook == NULL)
		return false;
	list = realloc(options->hooks, old + strlen(hook) + 1);
	if (list == NULL) {
		free(hook);
		zl_message(0, "no memory for '%s'", value);
		return false;
	}
	if (old != 0)
		list[old - 1] = ';';
	strcpy(list + old, hook);
	free(hook);
	options->hooks = list;
	return true;
}

static bool set_log(struct zl_options *options, const char *value)
{
	free(options->log);
	options->log = zl_locate_log(value);
	return options->log != NULL;
}

/* Take one option that has a value of its own to check. */
static bool take_value(struct zl_options *options, int option, const char *value)
{
	static const char *const tactics[] = { "auto", "zpoline", "jump", "trap", NULL };
	static const char *const policies[] = { "stop", "continue", NULL };

	switch (option) {
	case OPTION_HOOK:
		return add_hook(options, value);
	case OPTION_LOG:
		return set_log(options, value);
	case OPTION_TACTIC:
		options->tactic = value;
		return check_word("tactic", value, tactics, "auto, zpoline, jump or trap");
	case OPTION_ON_ERROR:
		options->on_error = value;
		return check_word("on-error", value, policies, "stop or continue");
	default:
		options->debug = value;
		return check_level(value);
	}
}

/* Say what getopt_long() didn't like. `word` is the argument that it stopped at. */
static void complain(int kind, const char *word)
{
	char letter[3] = { '-', (char)optopt, '\0' };
	const char *name = optopt > 0 && optopt < 256 && strncmp(word, "--", 2) != 0 ? letter : word;

	if (kind == ':')
		zl_message(0, "option '%s' needs a value; see zlazy --help", name);
	else if (optopt != 0 && name == word)
		zl_message(0, "option '%s' takes no value; see zlazy --help", name);
	else
		zl_message(0, "unknown or ambiguous option '%s'; see zlazy --help", name);
}

/* What only makes sense together. */
static enum zl_options_result check_whole(struct zl_options *options)
{
	if (options->program[0] == NULL)
		zl_message(0, "no program given; usage: zlazy [options] -- program args (see zlazy --help)");
	else if (options->output != NULL && !options->counts && !options->statistics)
		zl_message(0, "-o '%s' has nothing to write; add -c or --stats", options->output);
	else
		return ZL_OPTIONS_RUN;
	return ZL_OPTIONS_BAD;
}

static enum zl_options_result take_option(struct zl_options *options, int option, char **argv)
{
	switch (option) {
	case 'h':
		fputs(help_text, stdout);
		return fflush(stdout) == 0 ? ZL_OPTIONS_DONE : ZL_OPTIONS_BAD;
	case 'V':
		puts("zlazy " ZLAZY_VERSION);
		return fflush(stdout) == 0 ? ZL_OPTIONS_DONE : ZL_OPTIONS_BAD;
	case 'c':
		options->counts = true;
		return ZL_OPTIONS_RUN;
	case 'o':
		options->output = optarg;
		return ZL_OPTIONS_RUN;
	case OPTION_QUIET:
		options->quiet = true;
		return ZL_OPTIONS_RUN;
	case OPTION_NO_FOLLOW:
		options->no_follow = true;
		return ZL_OPTIONS_RUN;
	case OPTION_STATS:
		options->statistics = true;
		return ZL_OPTIONS_RUN;
	case '?':
	case ':':
		complain(option, argv[optind - 1]);
		return ZL_OPTIONS_BAD;
	default:
		return take_value(options, option, optarg) ? ZL_OPTIONS_RUN : ZL_OPTIONS_BAD;
	}
}

enum zl_options_result zl_options_parse(struct zl_options *options, int argc, char **argv)
{
	int option;

	memset(options, 0, sizeof *options);
	opterr = 0;
	while ((option = getopt_long(argc, argv, "+:co:hV", long_options, NULL)) != -1) {
		enum zl_options_result result = take_option(options, option, argv);
		if (result != ZL_OPTIONS_RUN)
			return result;
	}
	options->program = argv + optind;
	return check_whole(options);
}

bool zl_options_continue(const struct zl_options *options)
{
	const char *policy = options->on_error != NULL ? options->on_error : getenv("ZLAZY_ON_ERROR");

	return policy != NULL && strcmp(policy, "continue") == 0;
}
