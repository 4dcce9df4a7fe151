/* jump_blocked_undo - issue 5: while a thread sleeps in a read by mov, or by cave, its code is made writable, the
 * mov's number changed, and made executable; a signal then makes the read go on, from the site. needs the real
 * getpid */
#include "jump.h"
#include "blocked.h"

CODE_PAGE_OF_CALLS(page, 0); /* read */
static int fds[2], handled, round_now;

static void on_signal(int signo, siginfo_t *info, void *context)
{
	(void)signo, (void)info;
	CHECK_EQ(reg(context, REG_RIP) - (long)page, 64 * round_now + (round_now % 2 ? CAVE_SITE : MOV_SITE));
	CHECK_EQ(reg(context, REG_RAX), SYS_read);
	handled++;
}

static void *change(void *unused)
{
	wait_asleep(getpid(), getpid());
	protect(page, 1, round_now % 4 < 2 ? PROT_RW : PROT_RWX);
	page[64 * round_now + 1] = SYS_getuid;
	if (round_now % 3)
		protect(page, 1, PROT_RX);
	else
		protect(page, 1, PROT_RWX);
	CHECK(syscall(SYS_tgkill, getpid(), getpid(), SIGUSR1) == 0);
	sleep_us(3000);
	wait_asleep(getpid(), getpid());
	CHECK(write(fds[1], "x", 1) == 1);
	return unused;
}

int main(void)
{
	char byte;
	CHECK(pipe(fds) == 0);
	handle(SIGUSR1, on_signal, SA_RESTART);
	for (round_now = 0; round_now < 16; round_now++) {
		pthread_t thread;
		int i = round_now;
		protect(page, 1, PROT_RX);
		CHECK(write(fds[1], "xx", 2) == 2);
		CHECK_EQ(mov_in(page, i, fds[0], (long)&byte, 1), 1);
		CHECK_EQ(cave_in(page, i, SYS_read, fds[0], (long)&byte, 1), 1);
		CHECK(pthread_create(&thread, NULL, change, NULL) == 0);
		CHECK_EQ(i % 2 ? cave_in(page, i, SYS_read, fds[0], (long)&byte, 1) : mov_in(page, i, fds[0], (long)&byte, 1), 1);
		pthread_join(thread, NULL);
		CHECK_EQ(mov_in(page, i, 0, 0, 0), getuid());
	}
	say("%d handlers", handled);
	return 0;
}
