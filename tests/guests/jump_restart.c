/* jump_restart - issue 5, rows 11 and 13: blocked reads by mov and by cave: SA_RESTART at the site, EINTR behind
 * it. needs the real getpid */
#include "jump.h"
#include "blocked.h"

FUNCTION(mov_read, "movl $0,%eax\nmov_site: syscall; ret");
FUNCTION(cave_read, "movl %ecx,%eax\ncave_site: syscall; ret");
extern long mov_read(long fd, void *p, long n, long nr), cave_read(long fd, void *p, long n, long nr);
extern char mov_site[], cave_site[];
static int fds[2];
static bool restarting;
static char *site;
static int handled;

static void on_signal(int signo, siginfo_t *info, void *context)
{
	(void)signo, (void)info;
	CHECK_EQ(reg(context, REG_RIP) - (long)site, restarting ? 0 : 2);
	CHECK_EQ(reg(context, REG_RAX), restarting ? SYS_read : -EINTR);
	CHECK_EQ(reg(context, REG_RCX), site + 2);
	CHECK_EQ(reg(context, REG_R11), reg(context, REG_EFL));
	CHECK_EQ(reg(context, REG_RDI), fds[0]);
	CHECK_EQ(reg(context, REG_RDX), 1);
	handled++;
}

static void feed(void)
{
	CHECK(write(fds[1], "x", 1) == 1);
}

int main(void)
{
	char byte;
	CHECK(pipe(fds) == 0);
	for (int round = 0; round < 24; round++) {
		long (*call)(long fd, void *p, long n, long nr) = round / 2 % 2 ? cave_read : mov_read;
		restarting = round % 2;
		site = round / 2 % 2 ? cave_site : mov_site;
		handle(SIGUSR1, on_signal, restarting ? SA_RESTART : 0);
		pthread_t thread = start_poke(&(struct poke){ SIGUSR1, restarting ? feed : NULL });
		CHECK_EQ(call(fds[0], &byte, 1, SYS_read), restarting ? 1 : -EINTR);
		pthread_join(thread, NULL);
	}
	say("%d handlers", handled);
	return 0;
}
