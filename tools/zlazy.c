/* zlazy.c - the zlazy command
 *
 *     zlazy [options] [--] program [argument ...]
 *
 * Without -c and --stats the command sets the environment up and becomes the program. With one of them it makes
 * the shared file of the counters, starts the program as its child, waits, prints, and ends as the program ended.
 * Everything that can be wrong is looked at before the program is started.
 *
 *     options.c      the command line            locate.c       paths: library, hooks, log
 *     target.c       the program's own file      environment.c  LD_PRELOAD and ZLAZY_*
 *     counters.c     the shared file             run.c, stop.c  child, signals, job control
 *     calls.c        the table of -c             sites.c        --stats
 */
#include "tools/counters.h"
#include "tools/environment.h"
#include "tools/message.h"
#include "tools/options.h"
#include "tools/report.h"
#include "tools/run.h"
#include "tools/target.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int become(const struct zl_options *options)
{
	if (!zl_environment_set(options, NULL))
		return ZL_EXIT_REFUSED;
	execvp(options->program[0], options->program);
	return zl_target_failed(options->program[0], errno);
}

/* Neither exec nor the agent got as far as the program: a line has said why, and there is nothing to report. */
static bool was_never_started(const struct zl_run *run, const struct zl_shared *shared)
{
	const struct zl_tally *tally = &shared->tally;

	return WIFEXITED(run->status)
		&& (WEXITSTATUS(run->status) == ZL_EXIT_REFUSED || WEXITSTATUS(run->status) == ZL_EXIT_NOT_EXECUTABLE)
		&& atomic_load_explicit(&tally->processes, memory_order_relaxed) <= 1
		&& atomic_load_explicit(&tally->traps, memory_order_relaxed) == 0;
}

static void report(const struct zl_options *options, const struct zl_run *run, const struct zl_shared *shared,
		   FILE *out)
{
	if (was_never_started(run, shared))
		return;
	if (atomic_load_explicit(&shared->tally.processes, memory_order_relaxed) == 0)
		zl_message(0, "nothing was counted: no process of the run has loaded libzlazy.so");
	if (options->counts)
		zl_report_calls(out, shared, (double)run->nanoseconds / 1e9 / (double)run->ticks);
	if (options->counts && options->statistics)
		fputc('\n', out);
	if (options->statistics)
		zl_report_sites(out, shared);
	if (fflush(out) != 0 || ferror(out))
		zl_message(0, "cannot write the report: %s", strerror(errno));
}

/* Returns the exit status of the command if the program was not started; otherwise ends as the program did. */
static int watch(const struct zl_options *options, FILE *out)
{
	struct zl_shared *shared = zl_counters_create(options->counts);
	struct zl_run run;

	if (shared == NULL)
		return ZL_EXIT_REFUSED;
	if (!zl_environment_set(options, zl_counters_path())
	    || !zl_run_program(&run, options->program, fileno(out))) {
		zl_counters_remove();
		return ZL_EXIT_REFUSED;
	}
	zl_counters_remove();
	report(options, &run, shared, out);
	zl_run_end(run.status);
}

int main(int argc, char **argv)
{
	struct zl_options options;
	FILE *out = stderr;
	int status;

	switch (zl_options_parse(&options, argc, argv)) {
	case ZL_OPTIONS_DONE:
		return 0;
	case ZL_OPTIONS_BAD:
		return ZL_EXIT_REFUSED;
	case ZL_OPTIONS_RUN:
		break;
	}
	status = zl_target_check(options.program[0], zl_options_continue(&options));
	if (status != 0)
		return status;
	if (!options.counts && !options.statistics)
		return become(&options);
	if (options.output != NULL) {
		out = fopen(options.output, "we");
		if (out == NULL)
			return zl_message(ZL_EXIT_REFUSED, "cannot write '%s': %s; name another file with -o", options.output,
					  strerror(errno));
	}
	return watch(&options, out);
}
