/* run.h - start the program and stay as its parent */
#ifndef ZL_TOOLS_RUN_H
#define ZL_TOOLS_RUN_H

#include <stdbool.h>
#include <stdint.h>

struct zl_run {
	int status;                   /* of the program, as waitpid() gives it */
	uint64_t ticks, nanoseconds;  /* of the same stretch of time, by rdtsc and by CLOCK_MONOTONIC */
};

/* Run the program to its end. `keep_fd`: a descriptor besides stderr that the parent still needs, or -1.
 * Returns false, after a line on stderr, if no process could be made. */
bool zl_run_program(struct zl_run *run, char **program, int keep_fd);

/* End as the program ended: same exit status, or death by the same signal. */
void zl_run_end(int status) __attribute__((noreturn));

#endif
