/* thr_main_exits - row 14: the main thread ends by pthread_exit, another goes on and ends the process; exit_group from a thread */
#include "guest.h"

static pthread_t main_thread;

static void *body(void *unused)
{
	CHECK(pthread_join(main_thread, NULL) == 0);
	say("main thread has ended");
	for (int i = 0; i < 100; i++)
		CHECK(raw0(SYS_getuid) == getuid());
	pid_t child = fork();
	if (child == 0)
		_exit(3);
	CHECK_EQ(wait_child(child), 0x103);
	exit(0);
	return unused;
}

int main(void)
{
	pthread_t thread;
	main_thread = pthread_self();
	CHECK(pthread_create(&thread, NULL, body, NULL) == 0);
	pthread_exit(NULL);
}
