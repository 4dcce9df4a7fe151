/* noisy - uses its own libc in each call as hooks may: locks (kept over fork), stdio, malloc, TLS, errno, and
 * calls of its own that must reach no hook */
#include <zlazy/zlazy.h>
#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct zlazy_api *api;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static FILE *null;
static __thread int depth;
static __thread long calls;

/* Another thread of the program may be inside the hook when one forks. */
static void take_lock(void)
{
	pthread_mutex_lock(&lock);
}

static void leave_lock(void)
{
	pthread_mutex_unlock(&lock);
}

static void use_libc(const struct zlazy_call *call)
{
	char *text = malloc(200 + (size_t)(calls % 5000)), *copy;
	snprintf(text, 200, "%d: %s %lx %g", call->thread, api->name(call->number, call->abi) ?: "?", call->arg[0], (double)calls);
	copy = strdup(text);
	if (!*__ctype_b_loc() || !isalnum((unsigned char)*copy)) /* the tables hang on a variable of this thread */
		api->log("noisy: no character tables in this thread");
	pthread_mutex_lock(&lock);
	fprintf(null, "%s\n", copy);
	if (calls % 16 == 0)
		fflush(null);
	pthread_mutex_unlock(&lock);
	free(text);
	free(copy);
	errno = 0;
	if (close(-1) != -1 || errno != EBADF)
		api->log("noisy: close(-1) did not fail with EBADF");
}

static long on_call(struct zlazy_call *call, void *data)
{
	(void)data;
	if (depth++ != 0)
		api->log("noisy: a hook's own call reached the hook");
	calls++;
	use_libc(call);
	depth--; /* next() doesn't come back from exec and exit */
	long result = api->next(call);
	depth++;
	use_libc(call);
	depth--;
	return result;
}

int zlazy_hook_init(const struct zlazy_api *a, const char *argument, struct zlazy_hook *hook)
{
	(void)argument;
	api = a;
	null = fopen("/dev/null", "we");
	hook->on_call = on_call;
	zlazy_want_all(hook);
	return null ? -pthread_atfork(take_lock, leave_lock, leave_lock) : -errno;
}
