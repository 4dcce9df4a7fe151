/* proc_exec_signals - rows 11 and 12: what exec hands on: the mask (SIGSYS included), ignored signals, no handlers, no alternate stack, pending ones. needs the real getpid */
#include "guest.h"

static void handler(int signo)
{
	(void)signo;
}

int main(int count, char **arguments)
{
	sigset_t mask, pending;
	struct sigaction action;
	stack_t stack = { .ss_sp = malloc(65536), .ss_size = 65536 };
	char path[256] = "";
	if (count && !strcmp(arguments[0], "child")) {
		char line[128] = "";
		int length = 0;
		sigprocmask(SIG_BLOCK, NULL, &mask);
		sigpending(&pending);
		for (int signo = 1; signo < 32; signo++) {
			sigaction(signo, NULL, &action);
			length += snprintf(line + length, sizeof(line) - (size_t)length, " %d%s%s%s", signo, action.sa_handler == SIG_IGN ?
				"i" : action.sa_handler == SIG_DFL ? "" : "h", sigismember(&mask, signo) ? "b" : "",
				sigismember(&pending, signo) ? "p" : "");
		}
		sigaltstack(NULL, &stack);
		say("child:%s; alternate stack flags %d", line, stack.ss_flags);
		return 0;
	}
	signal(SIGUSR1, handler), signal(SIGUSR2, SIG_IGN), signal(SIGSEGV, handler), signal(SIGTERM, SIG_IGN);
	signal(SIGSYS, handler);
	sigemptyset(&mask), sigaddset(&mask, SIGSYS), sigaddset(&mask, SIGALRM), sigaddset(&mask, SIGHUP);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	sigaltstack(&stack, NULL);
	raise(SIGHUP);
	CHECK(readlink("/proc/self/exe", path, sizeof(path) - 1) > 0);
	execl(path, "child", NULL);
	FAIL("exec");
}
