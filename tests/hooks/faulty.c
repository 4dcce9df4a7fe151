/* faulty - does in each getppid what ends a program: faulty.so:write, call (through NULL), illegal; faulty.so:thread
 * writes in a thread of the hook's own */
#include <zlazy/zlazy.h>
#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>

static const char *way;

static void *do_it(void *unused)
{
	volatile int *volatile nowhere = NULL;
	void (*volatile none)(void) = NULL;

	if (strcmp(way, "call") == 0)
		none();
	else if (strcmp(way, "illegal") == 0)
		__builtin_trap();
	else
		*nowhere = 1;
	return unused;
}

static long on_call(struct zlazy_call *call, void *data)
{
	pthread_t thread;

	(void)call, (void)data;
	if (strcmp(way, "thread") != 0)
		do_it(NULL);
	else if (pthread_create(&thread, NULL, do_it, NULL) == 0)
		pthread_join(thread, NULL);
	return 0;
}

int zlazy_hook_init(const struct zlazy_api *api, const char *argument, struct zlazy_hook *hook)
{
	(void)api;
	way = strdup(argument);
	hook->on_call = on_call;
	zlazy_want(hook, SYS_getppid);
	return way ? 0 : -1;
}
