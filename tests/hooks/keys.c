/* keys - its own keys of pthread_setspecific() and thread-local variables hold in getppid what was put there: on the main
 * thread by zlazy_hook_init(), on others, where they begin empty, by the first call */
#include <zlazy/zlazy.h>
#include <pthread.h>
#include <sys/syscall.h>

static const struct zlazy_api *api;
static pthread_key_t key;
static __thread long id = -1;
static __thread int marks[40];
static __thread int *inside;

static void begin(int thread)
{
	if (pthread_getspecific(key) || marks[39])
		api->log("keys: a new thread has values already");
	id = thread;
	marks[39] = thread;
	pthread_setspecific(key, &id);
}

static long on_call(struct zlazy_call *call, void *data)
{
	(void)data;
	if (inside && inside != &marks[7])
		api->log("keys: a variable points into another block");
	if (id == -1)
		begin(call->thread);
	if (id == -2) /* set at the start */
		id = call->thread;
	if (id != call->thread || pthread_getspecific(key) == NULL || marks[39] == 0)
		api->log("keys: a value has changed");
	return api->next(call);
}

int zlazy_hook_init(const struct zlazy_api *a, const char *argument, struct zlazy_hook *hook)
{
	(void)argument;
	api = a;
	pthread_key_create(&key, NULL);
	begin(-2);
	inside = &marks[7];
	hook->on_call = on_call;
	zlazy_want(hook, SYS_getppid);
	return 0;
}
