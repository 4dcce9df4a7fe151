/* atfork - a mutex that every call takes, handed over fork by pthread_atfork(); `getppid` answers what the
 * handlers have seen: 100 * prepared + 10 * in the parent + in the child */
#include <zlazy/zlazy.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct zlazy_api *api;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long prepared, in_parent, in_child;

static void prepare(void)
{
	pthread_mutex_lock(&lock);
	prepared++;
	free(malloc(100));
}

static void parent(void)
{
	in_parent++;
	pthread_mutex_unlock(&lock);
}

static void child(void)
{
	in_child++;
	free(malloc(100));
	pthread_mutex_unlock(&lock);
}

static long on_call(struct zlazy_call *call, void *data)
{
	long seen;

	(void)data;
	pthread_mutex_lock(&lock);
	seen = 100 * prepared + 10 * in_parent + in_child;
	free(malloc(1000));
	pthread_mutex_unlock(&lock);
	return call->number == SYS_getppid ? seen : api->next(call);
}

int zlazy_hook_init(const struct zlazy_api *a, const char *argument, struct zlazy_hook *hook)
{
	(void)argument;
	api = a;
	hook->on_call = on_call;
	zlazy_want_all(hook);
	return -pthread_atfork(prepare, parent, child);
}
