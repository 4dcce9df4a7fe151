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
 *     calls.c        the table of -c             sites.c, places.c  --stats
 */
#include "tools/counters.h"
#include "tools/environment.h"
#include "tools/message.h"
#include "tools/options.h"
#include "tools/report.h"
#include "tools/run.h"
#include "tools/target.h"

#include <errno.h>
#include <fcntl.h>
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

/* Returns false if it could not be written. */
static bool report(const struct zl_options *options, const struct zl_run *run, const struct zl_shared *shared,
		   FILE *out)
{
	if (was_never_started(run, shared))
		return true;
	if (atomic_load_explicit(&shared->tally.processes, memory_order_relaxed) == 0)
		zl_message(0, "nothing was counted: no process of the run has loaded libzlazy.so");
	if (options->counts)
		zl_report_calls(out, shared, (double)run->nanoseconds / 1e9 / (double)run->ticks);
	if (options->counts && options->statistics)
		fputc('\n', out);
	if (options->statistics)
		zl_report_sites(out, shared);
	if (fflush(out) == 0 && !ferror(out))
		return true;
	zl_message(0, "cannot write the report: %s", strerror(errno));
	return false;
}

/* Open the file of -o, above the standard descriptors: where the user has closed one of these, its number must not
 * be taken for the program's input or output. Returns NULL after a line on stderr. */
static FILE *open_output(const char *name)
{
	int low = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666), fd = low;
	FILE *out = NULL;

	if (low >= 0 && low <= STDERR_FILENO) {
		fd = fcntl(low, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		close(low);
	}
	if (fd >= 0)
		out = fdopen(fd, "w");
	if (out == NULL)
		zl_message(0, "cannot write '%s': %s; name another file with -o", name, strerror(errno));
	return out;
}

/* Returns the exit status of the command if the program was not started, or went well and can't be reported on;
 * otherwise ends as the program did. */
static int watch(const struct zl_options *options, FILE *out)
{
	struct zl_shared *shared = zl_counters_create(options->counts, options->statistics);
	struct zl_run run;

	if (shared == NULL)
		return ZL_EXIT_REFUSED;
	if (!zl_environment_set(options, zl_counters_path())
	    || !zl_run_program(&run, options->program, fileno(out))) {
		zl_counters_remove();
		return ZL_EXIT_REFUSED;
	}
	zl_counters_remove();
	if (!report(options, &run, shared, out) && WIFEXITED(run.status) && WEXITSTATUS(run.status) == 0)
		return ZL_EXIT_NO_REPORT;
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
		out = open_output(options.output);
		if (out == NULL)
			return ZL_EXIT_REFUSED;
	}
	return watch(&options, out);
}
