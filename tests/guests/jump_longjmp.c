/* jump_longjmp - issue 5, row 13: siglongjmp out of handlers that came over calls by mov and by cave, blocked ones
 * too */
#include "jump.h"

enum { JUMPS = 500 };
MOV_CALL(mov_getuid, 102);
CAVE_CALL(cave);
FUNCTION(mov_pause, "movl $34,%eax; syscall; ret");
extern call_function mov_pause;
static sigjmp_buf out;
static volatile int armed;

static void on_tick(int signo, siginfo_t *info, void *context)
{
	(void)signo, (void)info, (void)context;
	if (!armed)
		return;
	armed = 0;
	siglongjmp(out, 1);
}

int main(void)
{
	handle(SIGALRM, on_tick, SA_NODEFER);
	tick_every(300);
	for (volatile int jumped = 0; jumped < JUMPS; jumped++)
		if (!sigsetjmp(out, 1)) {
			for (armed = 1; jumped % 4 < 2;) {
				CHECK_EQ(mov_getuid(0, 0, 0), getuid());
				CHECK_EQ(cave(SYS_getgid, 0, 0, 0), getgid());
			}
			for (;;)
				CHECK_EQ(jumped % 4 == 2 ? mov_pause(0, 0, 0) : cave(SYS_pause, 0, 0, 0), -EINTR);
		}
	tick_every(0);
	say("%d jumps", JUMPS);
	return 0;
}
