/* launch.c - how long a program takes from posix_spawn to wait, for several environments in turn
 *
 *     launch COUNT PROGRAM VARIANT...
 *
 * A VARIANT is a list of NAME=value, one a line, added to this process's environment; "" adds nothing. Each of
 * COUNT turns starts PROGRAM once for every variant, each turn beginning with another one. Prints a line for
 * each variant: median, least and 90th percentile in milliseconds.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

struct variant {
	char **environment;
	double *ms;         /* [count] */
};

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static void *need(void *memory)
{
	if (memory)
		return memory;
	perror("launch: out of memory");
	exit(1);
}

/* This process's environment, then the lines of `text`, which is cut up in place. */
static char **make_environment(char *text)
{
	size_t inherited = 0, lines = 1;

	while (environ[inherited])
		inherited++;
	for (const char *p = text; *p; p++)
		lines += *p == '\n';
	char **result = need(calloc(inherited + lines + 1, sizeof(*result)));

	memcpy(result, environ, inherited * sizeof(*result));
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		result[inherited++] = line;
	return result;
}

static double start_once(char *program, char **environment)
{
	char *argv[] = { program, NULL };
	double start = now_ms();
	int status = 0;
	pid_t pid;
	int error = posix_spawn(&pid, program, NULL, NULL, argv, environment);

	if (error != 0) {
		fprintf(stderr, "launch: %s: %s\n", program, strerror(error));
		exit(1);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	double took = now_ms() - start;

	if (status == 0)
		return took;
	fprintf(stderr, "launch: %s: wait status %#x\n", program, (unsigned)status);
	exit(1);
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	if (argc < 4 || atoi(argv[1]) < 1) {
		fprintf(stderr, "usage: launch COUNT PROGRAM VARIANT...\n");
		return 2;
	}
	int count = atoi(argv[1]), variants = argc - 3;
	struct variant *variant = need(calloc((size_t)variants, sizeof(*variant)));

	for (int v = 0; v < variants; v++) {
		variant[v].environment = make_environment(argv[3 + v]);
		variant[v].ms = need(calloc((size_t)count, sizeof(double)));
		start_once(argv[2], variant[v].environment);
	}
	for (int i = 0; i < count; i++) {
		for (int k = 0; k < variants; k++) {
			int v = (i + k) % variants;

			variant[v].ms[i] = start_once(argv[2], variant[v].environment);
		}
	}
	for (int v = 0; v < variants; v++) {
		double *ms = variant[v].ms;

		qsort(ms, (size_t)count, sizeof(*ms), compare_doubles);
		printf("%.4f %.4f %.4f\n", ms[count / 2], ms[0], ms[count * 9 / 10]);
	}
	return 0;
}
