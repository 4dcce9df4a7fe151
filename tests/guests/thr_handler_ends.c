/* thr_handler_ends - row 13: handlers that never return: pthread_exit, exit of the thread alone, _exit, exec, an endless loop of
 * calls until another thread ends the process; on alternate stacks and out of blocked calls. needs the real getpid */
#include "guest.h"

static volatile int way;

static void on_signal(int signo, siginfo_t *info, void *context)
{
	(void)signo, (void)info, (void)context;
	switch (way) {
	case 0: case 1: pthread_exit((void *)77);
	case 2: _exit(11);
	case 3: execl("/bin/sh", "sh", "-c", "exit 12", NULL); _exit(99);
	case 4: for (;;) raw0(SYS_getppid);
	case 5: raw1(SYS_exit, 13);
	}
}

static void *blocked(void *argument)
{
	static char stacks[2][1 << 16];
	char byte;
	if (way == 1)
		sigaltstack(&(stack_t){ .ss_sp = stacks[0], .ss_size = sizeof(stacks[0]) }, NULL);
	read(*(int *)argument, &byte, 1);
	return NULL;
}

static void *end_process(void *argument)
{
	sleep_us(30000);
	_exit((int)(long)argument);
}

int main(void)
{
	int fds[2];
	void *result;
	pthread_t thread, other;
	CHECK(pipe(fds) == 0);
	for (int round = 0; round < 40; round++) {
		way = round & 1;
		handle(SIGUSR1, on_signal, way ? SA_ONSTACK : 0);
		CHECK(pthread_create(&thread, NULL, blocked, fds) == 0);
		if (round % 4 > 1)
			sleep_us(500);
		CHECK(pthread_kill(thread, SIGUSR1) == 0 && pthread_join(thread, &result) == 0);
		CHECK_EQ(result, 77);
	}
	for (way = 2; way < 6; way++) {
		pid_t child = fork();
		if (child == 0) {
			if (way == 4)
				pthread_create(&other, NULL, end_process, (void *)14);
			if (way == 5)   /* the first thread is gone; the process goes on in the other */
				pthread_create(&other, NULL, end_process, (void *)15);
			raise(SIGUSR1);
			_exit(98);
		}
		say("way %d: %#x", way, wait_child(child));
	}
	return 0;
}
