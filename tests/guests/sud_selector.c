/* sud_selector - row 18: a selector byte of another value kills by SIGSYS, one that can't be read by SIGSEGV, whatever
 * handlers there are; looked at only when a call is made; a readable one of 0 lets pass.
 * Under strace (hook fake) such a death leaves a line of strace's: needs the real getpid */
#include "code.h"
#include "dispatch.h"

static volatile char *selector;
static volatile int handled;

static void on_signal(int signal, siginfo_t *info, void *context)
{
	(void)info, (void)context;
	*selector = ALLOW;
	say("handler of signal %d", signal);
	handled++;
}

static void begin(void)
{
	selector = (char *)map_pages(1, PROT_RW);
	CHECK_EQ(dispatch(DISPATCH_EXCLUSIVE, 0, 0, selector), 0);
}

static void other_value(void) { begin(); *selector = 2; raw0(SYS_getuid); }
static void negative_value(void) { begin(); *selector = -1; raw0(SYS_getuid); }
static void blocked_value(void) { begin(); *selector = BLOCK; raw0(SYS_getuid); }
static void unmapped(void) { begin(); munmap((void *)selector, CODE_PAGE); raw0(SYS_getuid); }
static void unreadable(void) { begin(); protect((void *)selector, 1, PROT_NONE); raw0(SYS_getuid); }
static void low(void) { CHECK_EQ(dispatch(DISPATCH_EXCLUSIVE, 0, 0, (void *)8), 0); raw0(SYS_getuid); }
static void read_only(void) { begin(); protect((void *)selector, 1, PROT_READ); raw0(SYS_getuid); }

static void truncated(void)
{
	int file = memfd_create("selector", 0);
	CHECK(ftruncate(file, CODE_PAGE) == 0);
	selector = mmap(NULL, CODE_PAGE, PROT_RW, MAP_SHARED, file, 0);
	CHECK_EQ(dispatch(DISPATCH_EXCLUSIVE, 0, 0, selector), 0);
	ftruncate(file, 0);
	raw0(SYS_getuid);
}

int main(void)
{
	need_dispatch();
	handle(SIGSYS, on_signal, 0);
	handle(SIGSEGV, on_signal, 0);
	handle(SIGBUS, on_signal, 0);
	say("other value: %#x", in_child(other_value));
	say("negative: %#x", in_child(negative_value));
	say("blocked: %#x", in_child(blocked_value));
	say("unmapped: %#x", in_child(unmapped));
	say("unreadable: %#x", in_child(unreadable));
	say("low: %#x", in_child(low));
	say("read-only: %#x", in_child(read_only));
	say("truncated file: %#x", in_child(truncated));
	return 0;
}
