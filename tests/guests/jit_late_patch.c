/* jit_late_patch - rows 1, 2, 6: threads call a site across two pages, one of which is made writable, written with the
 * bytes that are there, and made executable again, in turn. Who calls meanwhile faults, and tries again. */
#include "code.h"

enum { THREADS = 3, ROUNDS = 6000 };

static unsigned char *code, image[2 * CODE_PAGE];
static _Atomic bool is_over;
static _Thread_local sigjmp_buf again;

static void on_fault(int signal, siginfo_t *info, void *context)
{
	long into = reg(context, REG_RIP) - (long)code - (CODE_PAGE - 6);
	(void)info;
	if (signal != SIGSEGV || !(reg(context, REG_ERR) & 0x10) || into < 0 || into > 7)   /* a fetch */
		FAIL("signal %d at byte %ld, bytes %02x %02x", signal, into, code[CODE_PAGE - 1], code[CODE_PAGE]);
	siglongjmp(again, 1);
}

static void *body(void *unused)
{
	sigsetjmp(again, 0);
	while (!is_over)
		CHECK_EQ(call_at(code + CODE_PAGE - 6, 0, 0, 0), -ENOSYS);
	return unused;
}

static void pause_for(int moments)
{
	while (moments-- > 0)
		__builtin_ia32_pause();
}

int main(void)
{
	pthread_t threads[THREADS];
	handle(SIGSEGV, on_fault, SA_NODEFER);
	handle(SIGILL, on_fault, SA_NODEFER);
	memset(image, 0xcc, sizeof(image));
	put_call(image + CODE_PAGE - 6, 1000);
	code = memcpy(map_pages(2, PROT_RW), image, sizeof(image));
	protect(code, 2, PROT_RX);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, body, NULL) == 0);
	for (int round = 0; round < ROUNDS; round++) {
		int page = round % 2 * CODE_PAGE;
		protect(code + page, 1, PROT_RW);
		pause_for(16 * (round % 64));
		memcpy(code + page, image + page, CODE_PAGE);
		protect(code + page, 1, PROT_RX);
		pause_for(round % 1024);
	}
	is_over = true;
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	say("%d rounds", ROUNDS);
	return 0;
}
