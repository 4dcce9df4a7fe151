/* sig_core_dies - rows 9 and 31: dies of SIGSEGV by default action, three functions deep: in a call that sends it (GUEST_WAY=call, the
 * default) or by a write to NULL (write); guests.py compares the status, tests/test_core.py reads the core. needs the real getpid */
#include "guest.h"
#include <sys/resource.h>

static volatile int depth;
static char *volatile bad = (char *)8;

/* The one site of both calls: rewritten by the first. */
__attribute__((noinline, noclone)) static long innermost(long nr, long a, long b, long c)
{
	long result = raw3(nr, a, b, c);
	depth--;
	return result;
}

__attribute__((noinline, noclone)) static long middle(bool writes)
{
	depth++;
	if (writes)
		*(volatile int *)bad = depth;
	long result = innermost(SYS_tgkill, getpid(), gettid(), SIGSEGV);
	return result + depth;
}

__attribute__((noinline, noclone)) static long outer(bool writes)
{
	depth++;
	long result = middle(writes);
	return result + depth;
}

int main(void)
{
	const char *way = getenv("GUEST_WAY");
	for (int i = 0; i < 3; i++)
		CHECK_EQ(innermost(SYS_getppid, 0, 0, 0), getppid());
	say("about to die");
	return (int)outer(way && !strcmp(way, "write"));
}
