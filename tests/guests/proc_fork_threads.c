/* proc_fork_threads - row 14: fork while other threads make first calls at fresh sites; the children do so too */
#include "code.h"

static volatile int stop;

static void *body(void *argument)
{
	while (!stop) {
		unsigned char *page = map_pages(1, PROT_RW);
		for (int i = 0; i < 60; i++)
			put_call(page + 64 * i, SYS_getuid);
		protect(page, 1, PROT_RX);
		for (int i = 0; i < 120; i++)
			CHECK_EQ(call_at(page + 64 * (i % 60), 0, 0, 0), getuid());
		munmap(page, CODE_PAGE);
	}
	return argument;
}

int main(void)
{
	pthread_t threads[3];
	unsigned char *page = map_pages(1, PROT_RW);
	for (int i = 0; i < 60; i++)
		put_call(page + 64 * i, SYS_getuid);
	protect(page, 1, PROT_RX);
	for (int i = 0; i < 3; i++)
		CHECK(pthread_create(&threads[i], NULL, body, NULL) == 0);
	for (int round = 0; round < 60; round++) {
		pid_t child = fork();
		if (child == 0) {
			for (int i = 0; i < 60; i++)
				CHECK_EQ(call_at(page + 64 * i, 0, 0, 0), getuid());
			_exit(7);
		}
		CHECK_EQ(wait_child(child), 0x107);
	}
	stop = 1;
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	say("60 children");
	return 0;
}
