/* sig_storm_timer - signals.md section 7: a fast timer over many kinds of calls, first ones at fresh sites too; each is made once. needs the real getpid */
#include "code.h"

static volatile int ticks;

static void on_tick(int signo, siginfo_t *info, void *context)
{
	(void)signo, (void)info, (void)context;
	ticks++;
	CHECK(raw0(SYS_getuid) == getuid());
}

int main(void)
{
	int fd = memfd_create("calls", 0);
	long calls = 0;
	handle(SIGALRM, on_tick, SA_RESTART | SA_ONSTACK);
	tick_every(150);
	for (int round = 0; round < 60; round++) {
		unsigned char *page = map_pages(1, PROT_RW);
		for (int i = 0; i < 60; i++)
			put_call(page + 64 * i + i, SYS_lseek);
		protect(page, 1, PROT_RX);
		for (int again = 0; again < 3; again++)
			for (int i = 0; i < 60; i++) {
				CHECK_EQ(call_at(page + 64 * i + i, fd, 1, SEEK_CUR), calls + 1);
				calls++;
			}
		CHECK(munmap(page, CODE_PAGE) == 0);
	}
	while (ticks < 500)
		CHECK_EQ(raw3(SYS_lseek, fd, 1, SEEK_CUR), ++calls);
	tick_every(0);
	say("500 ticks and more");
	return 0;
}
