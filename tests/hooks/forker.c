/* forker - signals.md section 7: every 100th call of a thread forks and waits for the child, inside the hook */
#include <zlazy/zlazy.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct zlazy_api *api;
static __thread long calls;

static long on_call(struct zlazy_call *call, void *data)
{
	(void)data;
	if (++calls % 100 == 0) {
		int status = 0;
		pid_t child = fork();
		if (child == 0)
			_exit(getppid() > 0 ? 7 : 8);
		if (child > 0 && waitpid(child, &status, 0) == child && WEXITSTATUS(status) != 7)
			api->log("forker: the child did not exit with 7");
	}
	return api->next(call);
}

int zlazy_hook_init(const struct zlazy_api *a, const char *argument, struct zlazy_hook *hook)
{
	(void)argument;
	api = a;
	hook->on_call = on_call;
	zlazy_want_all(hook);
	return 0;
}
