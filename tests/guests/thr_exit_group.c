/* thr_exit_group - row 14: exit_group from one thread while others block and make calls; the status arrives */
#include "guest.h"

static void *body(void *argument)
{
	char byte;
	int fds[2];
	if (argument)
		for (;;)
			raw0(SYS_getuid);
	CHECK(pipe(fds) == 0);
	return (void *)read(fds[0], &byte, 1);
}

static void *end(void *argument)
{
	sleep_us(1000);
	_exit((int)(long)argument);
}

int main(void)
{
	for (long round = 0; round < 10; round++) {
		pid_t child = fork();
		if (child == 0) {
			pthread_t thread;
			for (long i = 0; i < 6; i++)
				CHECK(pthread_create(&thread, NULL, body, (void *)(i % 2)) == 0);
			CHECK(pthread_create(&thread, NULL, end, (void *)(20 + round)) == 0);
			pause();
		}
		say("%#x", wait_child(child));
	}
	return 0;
}
