/* chatty - logs from four threads of its own at once, in zlazy_hook_init(), and one line with control characters */
#include <zlazy/zlazy.h>
#include <pthread.h>
#include <stddef.h>

enum { THREADS = 4, LINES = 2000 };
static const struct zlazy_api *api;

static void *chat(void *data)
{
	for (int i = 0; i < LINES; i++)
		api->log("chatty: a line");
	return data;
}

static long on_call(struct zlazy_call *call, void *data)
{
	(void)data;
	return api->next(call);
}

int zlazy_hook_init(const struct zlazy_api *a, const char *argument, struct zlazy_hook *hook)
{
	pthread_t threads[THREADS];

	(void)argument;
	api = a;
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, chat, NULL) != 0)
			return -1;
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	api->log("chatty: two\nlines, \033[1mbold");
	hook->on_call = on_call;
	return 0;
}
