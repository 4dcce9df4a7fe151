/* options.h - the command line of zlazy */
#ifndef ZL_TOOLS_OPTIONS_H
#define ZL_TOOLS_OPTIONS_H

#include <stdbool.h>

enum zl_options_result {
	ZL_OPTIONS_RUN,          /* go on with the program */
	ZL_OPTIONS_DONE,         /* --help or --version: exit status 0 */
	ZL_OPTIONS_BAD,          /* a line on stderr has said why: exit status 127 */
};

/* Strings are NULL where the option was not given, and then the environment's own value stays. */
struct zl_options {
	char *hooks;             /* "path[:argument][;...]" with absolute paths; from malloc */
	const char *tactic;
	char *log;               /* absolute; from malloc */
	const char *debug;
	const char *on_error;
	const char *output;      /* where the table and the statistics go; NULL: stderr */
	bool quiet;
	bool no_follow;
	bool counts;             /* -c */
	bool statistics;         /* --stats */
	char **program;          /* its argv */
};

enum zl_options_result zl_options_parse(struct zl_options *options, int argc, char **argv);

/* Does the user want the program to run even where it can't be hooked? */
bool zl_options_continue(const struct zl_options *options);

#endif
