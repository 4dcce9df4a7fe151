/* sud_range - row 18: the address after the instruction is what a range is asked for; calls from inside pass whatever
 * the selector says */
#include "code.h"
#include "dispatch.h"

enum { AFTER = CODE_SITE + 2, ANSWER = 7777 };
static volatile char selector;
static volatile int handled;
static unsigned char *page;

static void on_sigsys(int signal, siginfo_t *info, void *context)
{
	selector = ALLOW;
	CHECK(signal == SIGSYS && info->si_code == 2 && info->si_call_addr == page + AFTER);
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RAX] = ANSWER;
	handled++;
}

static void expect(bool passes, long mode, long offset, long length)
{
	long result;
	CHECK_EQ(dispatch(mode, offset, length, &selector), 0);
	selector = BLOCK;
	result = call_at(page, 0, 0, 0);
	selector = ALLOW;
	CHECK_EQ(result, passes ? (long)getuid() : ANSWER);
}

int main(void)
{
	need_dispatch();
	page = map_pages(1, PROT_RW);
	put_call(page, SYS_getuid);
	protect(page, 1, PROT_RX);
	handle(SIGSYS, on_sigsys, 0);
	for (int again = 0; again < 3; again++) {
		long start = (long)page, after = start + AFTER;
		expect(true, DISPATCH_EXCLUSIVE, start, AFTER + 1);
		expect(false, DISPATCH_EXCLUSIVE, start, AFTER);
		expect(true, DISPATCH_EXCLUSIVE, after, 1);
		expect(false, DISPATCH_EXCLUSIVE, after + 1, 4096);
		expect(false, DISPATCH_EXCLUSIVE, 0, 0);
		expect(true, DISPATCH_EXCLUSIVE, 0, -1);
		expect(false, DISPATCH_EXCLUSIVE, 0, after);
		expect(true, DISPATCH_EXCLUSIVE, 1, -2);
	}
	CHECK_EQ(dispatch(DISPATCH_OFF, 0, 0, NULL), 0);
	selector = BLOCK;
	CHECK_EQ(call_at(page, 0, 0, 0), getuid());
	say("%d dispatched", handled);
	return 0;
}
