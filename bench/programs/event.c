/* event.c - the time of one signal, one thread or one process, measured in a loop
 *
 *     event KIND MILLISECONDS
 *
 * KIND signal    SIGUSR1 to the own thread by tgkill, handled, returned from
 *      thread    pthread_create and pthread_join of a thread that does nothing
 *      process   fork, execve of /bin/true, waitpid
 *
 * Prints the median of CHUNKS pieces of a run of about MILLISECONDS: nanoseconds per event, and how many there were.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHUNKS 15

static volatile long handled;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void on_signal(int signal)
{
	(void)signal;
	handled++;
}

static void one_signal(void)
{
	long before = handled;

	if (syscall(SYS_tgkill, getpid(), gettid(), SIGUSR1) != 0 || handled != before + 1)
		fail("tgkill");
}

static void *nothing(void *argument)
{
	return argument;
}

static void one_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, nothing, NULL) != 0 || pthread_join(thread, NULL) != 0)
		fail("pthread_create");
}

static void one_process(void)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		execl("/bin/true", "true", (char *)NULL);
		_exit(1);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
		fail("/bin/true");
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	static const struct { const char *name; void (*event)(void); } kinds[] = {
		{ "signal", one_signal }, { "thread", one_thread }, { "process", one_process },
	};
	struct sigaction action = { .sa_handler = on_signal };
	void (*event)(void) = NULL;
	double ns[CHUNKS], chunk_ns;
	long count = 0;

	for (size_t i = 0; argc == 3 && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(argv[1], kinds[i].name) == 0)
			event = kinds[i].event;
	if (!event) {
		fprintf(stderr, "usage: event signal|thread|process MILLISECONDS\n");
		return 2;
	}
	sigaction(SIGUSR1, &action, NULL);
	chunk_ns = atof(argv[2]) * 1e6 / CHUNKS;
	for (int i = 0; i < 3; i++)
		event();   /* the sites are rewritten by now */
	for (int i = 0; i < CHUNKS; i++) {
		double start = now_ns(), end;
		long events = 0;

		do {
			event();
			events++;
		} while ((end = now_ns()) - start < chunk_ns);
		ns[i] = (end - start) / (double)events;
		count += events;
	}
	qsort(ns, CHUNKS, sizeof(ns[0]), compare_doubles);
	printf("%.1f %ld\n", ns[CHUNKS / 2], count);
	return 0;
}
