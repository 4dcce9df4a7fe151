/* sud_inclusive - row 18: the inclusive form, where the kernel has it: only calls from inside the range are
 * dispatched */
#include "code.h"
#include "dispatch.h"

enum { AFTER = CODE_SITE + 2, ANSWER = 7777 };
static volatile char selector;
static volatile int handled;
static unsigned char *page;

static void on_sigsys(int signal, siginfo_t *info, void *context)
{
	CHECK(signal == SIGSYS && info->si_code == 2 && info->si_call_addr == page + AFTER);
	CHECK_EQ(info->si_syscall, SYS_getuid);
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RAX] = ANSWER;
	handled++;
}

static void expect(bool passes, long offset, long length, const volatile void *where)
{
	CHECK_EQ(dispatch(DISPATCH_INCLUSIVE, offset, length, where), 0);
	CHECK_EQ(call_at(page, 0, 0, 0), passes ? (long)getuid() : ANSWER);
}

int main(void)
{
	need_dispatch();
	page = map_pages(1, PROT_RW);
	if (dispatch(DISPATCH_INCLUSIVE, (long)page, 4096, &selector) == -EINVAL)
		SKIP("no inclusive form in this kernel");
	put_call(page, SYS_getuid);
	protect(page, 1, PROT_RX);
	handle(SIGSYS, on_sigsys, 0);
	for (int again = 0; again < 3; again++) {
		long start = (long)page, after = start + AFTER;
		selector = BLOCK;
		expect(false, start, 4096, NULL);
		expect(false, start, AFTER + 1, &selector);
		expect(true, start, AFTER, &selector);
		expect(false, after, 1, &selector);
		expect(true, after + 1, 4096, NULL);
		selector = ALLOW;
		expect(true, start, 4096, &selector);
	}
	CHECK_EQ(dispatch(DISPATCH_OFF, 0, 0, NULL), 0);
	CHECK_EQ(call_at(page, 0, 0, 0), getuid());
	say("%d dispatched", handled);
	return 0;
}
