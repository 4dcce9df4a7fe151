/* proc_fork_handler - rows 13 and 14: a handler that interrupted a read forks: parent and child both return from it, and both
 * reads are made again; the same with vfork, a thread and posix_spawn in the handler */
#include "blocked.h"
#include <spawn.h>

static int fds[2], way;
static pid_t child;
static volatile int in_thread;

static void *body(void *argument) { in_thread++; return argument; }

static void on_signal(int signo, siginfo_t *info, void *context)
{
	pthread_t thread;
	(void)signo, (void)info, (void)context;
	if (way == 0)
		child = fork();
	else if (way == 1 && (child = vfork()) == 0)
		_exit(3);
	else if (way == 2)
		CHECK(posix_spawn(&child, "/bin/true", NULL, NULL, (char *[]){ "true", NULL }, environ) == 0);
	else if (way == 3)
		CHECK(pthread_create(&thread, NULL, body, NULL) == 0 && pthread_join(thread, NULL) == 0);
}

static void feed(void)
{
	CHECK(write(fds[1], "xx", way == 0 ? 2 : 1) > 0);
}

int main(void)
{
	char byte;
	CHECK(pipe(fds) == 0);
	handle(SIGUSR1, on_signal, SA_RESTART);
	for (int round = 0; round < 12; round++) {
		way = round % 4;
		pthread_t thread = start_poke(&(struct poke){ SIGUSR1, feed });
		CHECK_EQ(read(fds[0], &byte, 1), 1);
		if (way == 0 && child == 0)
			_exit(raw0(SYS_getuid) == getuid() ? 5 : 6);
		CHECK(pthread_join(thread, NULL) == 0);
		if (way < 3)
			say("way %d: %#x", way, wait_child(child));
	}
	say("%d threads", in_thread);
	return 0;
}
