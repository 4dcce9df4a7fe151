/* children - threads that make processes and threads in every way, under a timer
 *
 * Each worker forks, vforks, spawns, and creates threads in turn; every child makes calls, in generated code of its own
 * too, and ends with a status that its maker knows. SIGALRM comes every 500 microseconds and its handler makes a call.
 *
 * Pass: each child ends with its status; each call gives what it gives without children; what the processes have
 * counted in shared memory is what they were to make; private memory does not grow over the storm.
 */
#include "storm.h"
#include <spawn.h>
#include "../tests/guests/code.h"

enum { WORKERS = 3, CALLS = 20, GROWTH_KIB = 4096 };

struct worker {
	struct storm storm;
	pthread_t thread;
	long made[5];
};

static struct worker workers[WORKERS];
static _Atomic long *counted;   /* shared by all processes: calls that children have made */
static volatile long ticks;
extern char **environ;

static void on_tick(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)info, (void)context;
	ticks++;
	CHECK_EQ(raw1(SYS_close, -1), -EBADF);
}

/* In a child: CALLS calls, each counted, half of them at sites that nobody has run before. */
static void make_calls(void)
{
	unsigned char *page = map_pages(1, PROT_RW);

	for (int i = 0; i < CALLS; i++)
		put_call(page + i * 64, SYS_close);
	protect(page, 1, PROT_RX);
	for (int i = 0; i < CALLS; i++) {
		if (i % 2)
			CHECK_EQ(raw1(SYS_close, -1), -EBADF);
		else
			CHECK_EQ(call_at(page + i * 64, -1, 0, 0), -EBADF);
		(*counted)++;
	}
	CHECK(munmap(page, CODE_PAGE) == 0);
}

static void expect(pid_t child, int status)
{
	CHECK(child > 0);
	CHECK_EQ(wait_child(child), status);
}

static void by_fork(int status)
{
	pid_t child = fork();

	if (child == 0) {
		make_calls();
		_exit(status);
	}
	expect(child, 0x100 | status);
}

static void by_vfork(int status)
{
	pid_t child = vfork();

	if (child == 0) {
		(*counted) += CALLS;
		_exit(status);
	}
	expect(child, 0x100 | status);
}

static void by_spawn(int status)
{
	static char *const words[] = { "sh", "-c", "kill -KILL $$", NULL };
	pid_t child;

	(void)status;
	CHECK(posix_spawn(&child, "/bin/sh", NULL, NULL, words, environ) == 0);
	expect(child, 0x200 | SIGKILL);
	(*counted) += CALLS;
}

static void *run_thread(void *argument)
{
	make_calls();
	return argument;
}

static void by_thread(int status)
{
	pthread_t thread;
	void *result;

	(void)status;
	CHECK(pthread_create(&thread, NULL, run_thread, counted) == 0 && pthread_join(thread, &result) == 0);
	CHECK(result == counted);
}

/* A child that ends by its own default action in the middle of its calls. */
static void by_fork_killed(int status)
{
	pid_t child = fork();

	(void)status;
	if (child == 0) {
		make_calls();
		raw2(SYS_kill, raw0(SYS_getpid), SIGTERM);
		for (;;)
			raw0(SYS_pause);
	}
	expect(child, 0x200 | SIGTERM);
}

static void (*const ways[])(int status) = { by_fork, by_vfork, by_spawn, by_thread, by_fork_killed };

static void *work(void *argument)
{
	struct worker *w = argument;

	while (storm_lasts(&w->storm)) {
		unsigned way = storm_below(&w->storm, 20);
		way = way < 8 ? 3 : way == 8 ? 2 : way % COUNT_OF(ways);
		ways[way]((int)storm_below(&w->storm, 100));
		w->made[way]++;
	}
	return NULL;
}

static long private_kib(void)
{
	char text[2048] = "";
	int fd = open("/proc/self/smaps_rollup", O_RDONLY);
	char *at;

	CHECK(read(fd, text, sizeof(text) - 1) > 0 && close(fd) == 0);
	CHECK((at = strstr(text, "Private_Dirty:")));
	return atol(at + 14);
}

static void run_workers(const struct storm *storm, double share)
{
	double begin = now();

	for (unsigned i = 0; i < WORKERS; i++) {
		workers[i].storm = storm_part(storm, i);
		workers[i].storm.end = begin + (storm->end - begin) * share;
		CHECK(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0);
	}
	for (unsigned i = 0; i < WORKERS; i++)
		CHECK(pthread_join(workers[i].thread, NULL) == 0);
}

int main(int argc, char **argv)
{
	struct storm storm = storm_begin(argc, argv);
	long made[COUNT_OF(ways)] = { 0 }, all = 0, before;

	counted = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(counted != MAP_FAILED);
	handle(SIGALRM, on_tick, SA_RESTART | SA_ONSTACK);
	tick_every(500);
	run_workers(&storm, 0.25);
	before = private_kib();
	run_workers(&storm, 1);
	tick_every(0);
	for (unsigned i = 0; i < WORKERS; i++)
		for (unsigned way = 0; way < COUNT_OF(ways); way++)
			made[way] += workers[i].made[way];
	for (unsigned way = 0; way < COUNT_OF(ways); way++)
		all += made[way];
	CHECK_EQ(*counted, all * CALLS);
	CHECK(private_kib() < before + GROWTH_KIB);
	say("%ld children: %ld forks, %ld vforks, %ld spawns, %ld threads, %ld forks killed; %ld ticks", all, made[0], made[1],
	    made[2], made[3], made[4], (long)ticks);
	return 0;
}
