/* seccomp_strict - row 19: strict mode: read, write, exit and signal handlers go on, at known and fresh sites; anything else dies by SIGKILL */
#include "seccomp.h"

static volatile sig_atomic_t ticks;
static unsigned char *page;
static int ends[2];

static void on_tick(int signal, siginfo_t *info, void *context)
{
	(void)info, (void)context;
	ticks += signal == SIGALRM;
}

static void go_strict(int by_prctl)
{
	CHECK((by_prctl ? prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) : syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL)) == 0);
}

static void child(int round)
{
	char letters[8];
	if (round == 2)
		CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) == 0 && syscall(SYS_read, ends[0], letters, 1) == 1);
	CHECK(round == 2 || syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 1, NULL) == -1); /* bad flags */
	if (round < 2)
		tick_every(500);
	if (round != 2)
		go_strict(round % 2);
	for (int i = 0; i < 100; i++) {
		CHECK_EQ(call_at(page + 16 * (i % 50), ends[1], (long)"x", 1), 1);
		CHECK_EQ(read(ends[0], letters, 1), 1);
	}
	while (round < 2 && ticks < 50)
		CHECK_EQ(call_at(page + 16 * 60, ends[1], (long)"x", 0), 0);
	say("round %d: read and written", round);
	if (round == 4)
		getpid();
	if (round == 5)
		syscall(SYS_rt_sigprocmask, 99, &round, NULL, 3);
	if (round == 6)
		_exit(0); /* exit_group */
	if (round == 7)
		syscall(SYS_close, -1);
	syscall(SYS_exit, 20 + round);
}

int main(void)
{
	CHECK(pipe(ends) == 0 && write(ends[1], "y", 1) == 1);
	page = map_pages(1, PROT_RW);
	for (int i = 0; i < 100; i++)
		put_call(page + 16 * i, SYS_write);
	protect(page, 1, PROT_RX);
	handle(SIGALRM, on_tick, SA_RESTART);
	for (int round = 0; round < 8; round++) {
		pid_t pid = fork();
		if (pid == 0)
			child(round);
		say("status %#x", wait_child(pid));
	}
	return 0;
}
