/* blocked.h - a thread that signals the main thread once that one sleeps in a system call */
#ifndef GUEST_BLOCKED_H
#define GUEST_BLOCKED_H

#include "guest.h"

struct poke { int signal; void (*then)(void); };

/* Thread body: when main sleeps, send it the signal; when it sleeps again (or at once, if it doesn't), go on. */
GUEST_UNUSED static void *poke_main(void *argument)
{
	struct poke *poke = argument;
	wait_asleep(getpid(), getpid());
	CHECK(syscall(SYS_tgkill, getpid(), getpid(), poke->signal) == 0);
	if (poke->then) {
		sleep_us(5000);
		wait_asleep(getpid(), getpid());
		poke->then();
	}
	return NULL;
}

GUEST_UNUSED static pthread_t start_poke(struct poke *poke)
{
	pthread_t thread;
	CHECK(pthread_create(&thread, NULL, poke_main, poke) == 0);
	return thread;
}

#endif
