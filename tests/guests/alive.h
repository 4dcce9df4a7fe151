/* alive.h - does everything still work? Fresh code, signals, a thread, a child; none of it needs a descriptor */
#ifndef GUEST_ALIVE_H
#define GUEST_ALIVE_H

#include "code.h"

static volatile int alive_signals;

GUEST_UNUSED static void alive_on_signal(int signo, siginfo_t *info, void *context)
{
	(void)signo, (void)info, (void)context;
	alive_signals++;
}

GUEST_UNUSED static void *alive_body(void *argument)
{
	CHECK(raw0(SYS_getuid) == getuid());
	for (int i = 0; i < 3; i++)
		CHECK_EQ(call_at(argument, 0, 0, 0), getuid());
	return NULL;
}

GUEST_UNUSED static void check_alive(void)
{
	pthread_t thread;
	pthread_attr_t small;
	unsigned char *page = map_pages(2, PROT_RW);
	int before = alive_signals;

	for (int i = 0; i < 30; i++)
		put_call(page + 64 * i, SYS_getuid);
	put_call(page + CODE_PAGE, SYS_getuid);
	protect(page, 2, PROT_RX);
	for (int again = 0; again < 3; again++)
		for (int i = 0; i < 30; i++)
			CHECK_EQ(call_at(page + 64 * i, 0, 0, 0), getuid());
	handle(SIGUSR1, alive_on_signal, 0);
	raise(SIGUSR1);
	CHECK_EQ(alive_signals, before + 1);
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 65536);
	CHECK(pthread_create(&thread, &small, alive_body, page + CODE_PAGE) == 0 && pthread_join(thread, NULL) == 0);
	pid_t child = fork();
	if (child == 0)
		_exit(call_at(page + 64, 0, 0, 0) == getuid() ? 7 : 8);
	CHECK_EQ(wait_child(child), 0x107);
	CHECK(munmap(page, 2 * CODE_PAGE) == 0);
}

#endif
