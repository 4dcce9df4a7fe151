/* proc_fork_stacks - row 14: a thread forks, by libc and by a plain clone; in the child its stack stays its
 * own when new threads get the stacks of those that are gone, and the kernel knows of no robust mutexes that the child
 * has not told it of */
#include "guest.h"
#include <linux/futex.h>

enum { THREADS = 6 };
static pthread_barrier_t ready;
static volatile int stop;

static void *wait_body(void *argument)
{
	pthread_barrier_wait(&ready);
	while (!stop)
		usleep(1000);
	return argument;
}

static void *write_body(void *argument)
{
	char room[40000];
	memset(room, 0x5a, sizeof(room));
	return room[(long)argument] == 0x5a ? argument : NULL;
}

static int make_threads(void)
{
	char room[30000];
	pthread_t threads[2 * THREADS];
	memset(room, 0x77, sizeof(room));
	for (long i = 0; i < 2 * THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, write_body, (void *)(i + 1)) == 0);
	for (long i = 0; i < 2 * THREADS; i++) {
		void *result;
		CHECK(pthread_join(threads[i], &result) == 0 && result == (void *)(i + 1));
	}
	for (size_t i = 0; i < sizeof(room); i++)
		CHECK_EQ(room[i], 0x77);
	return 7;
}

static int plain_child(void)
{
	struct robust_list_head *head = NULL;
	size_t length;
	CHECK(raw3(SYS_get_robust_list, 0, (long)&head, (long)&length) == 0);
	return head ? 8 : 9;
}

static void *fork_body(void *argument)
{
	for (int round = 0; round < 10; round++) {
		pid_t child = fork();
		if (child == 0)
			_exit(make_threads());
		CHECK_EQ(wait_child(child), 0x107);
		child = (pid_t)raw6(SYS_clone, SIGCHLD, 0, 0, 0, 0, 0);
		if (child == 0)
			raw1(SYS_exit_group, plain_child());
		CHECK_EQ(wait_child(child), 0x109);
	}
	return argument;
}

int main(void)
{
	pthread_t threads[THREADS], forking;
	pthread_barrier_init(&ready, NULL, THREADS + 1);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, wait_body, NULL) == 0);
	pthread_barrier_wait(&ready);
	CHECK(pthread_create(&forking, NULL, fork_body, NULL) == 0);
	pthread_join(forking, NULL);
	fork_body(NULL);
	stop = 1;
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	say("children are done");
	return 0;
}
