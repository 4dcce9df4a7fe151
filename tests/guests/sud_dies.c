/* sud_dies - row 18: a call that is dispatched while SIGSYS is blocked, ignored or without a handler kills by SIGSYS */
#include "dispatch.h"

static void on_sigsys(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)info, (void)context;
	_exit(99);
}

static void call(void)
{
	dispatch(DISPATCH_EXCLUSIVE, 0, 0, NULL);
	raw0(SYS_getuid);
}

static void blocked(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGSYS);
	handle(SIGSYS, on_sigsys, 0);
	CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	call();
}

static void ignored(void) { signal(SIGSYS, SIG_IGN); call(); }
static void handled(void) { handle(SIGSYS, on_sigsys, 0); call(); }   /* its _exit is dispatched, too */
static void from_thread(void)
{
	pthread_t id;
	pthread_create(&id, NULL, (void *(*)(void *))(void *)call, NULL);
	pthread_join(id, NULL);
}

int main(void)
{
	need_dispatch();
	say("default: %#x", in_child(call));
	say("blocked: %#x", in_child(blocked));
	say("ignored: %#x", in_child(ignored));
	say("in its own handler: %#x", in_child(handled));
	say("in a thread: %#x", in_child(from_thread));
	return 0;
}
