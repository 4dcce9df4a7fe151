/* life_blocked - row 2: while a thread sleeps in a call, the code that has made it is replaced: it comes back into what
 * stands there now; a signal that restarts the call comes in between */
#include "life.h"

static int ends[2];
static unsigned char *page;
static _Atomic long sleeper;
static _Atomic int handled;

static void on_signal(int signo, siginfo_t *info, void *context)
{
	(void)signo, (void)info, (void)context;
	handled++;
}

/* long f(fd, buffer, 1): mov $0,%eax; syscall; mov $`answer`,%eax; ret. The site ends at page + 64. */
static void put_read(int answer)
{
	memset(page, 0xcc, CODE_PAGE);
	put_call(page + 64 - 7, SYS_read);
	page[64] = 0xb8;
	memcpy(page + 65, &answer, 4);
	page[69] = 0xc3;
}

static void *body(void *unused)
{
	char byte;
	sleeper = gettid();
	long result = call_at(page + 64 - 7, ends[0], (long)&byte, 1);
	return unused ? unused : (void *)result;
}

static void change(int way)
{
	if (way == 1)
		CHECK(munmap(page, CODE_PAGE) == 0);
	if (way == 1 || way == 2)
		map_again(page);
	if (way < 3)
		protect(page, 1, PROT_RW);
	put_read(300 + way);
	if (way < 3)
		protect(page, 1, PROT_RX);
}

int main(void)
{
	CHECK(pipe(ends) == 0);
	handle(SIGUSR1, on_signal, SA_RESTART);
	for (int way = 0; way < 4; way++)
		for (int restarts = 0; restarts < 2; restarts++) {
			pthread_t thread;
			void *result;
			int before = handled;
			page = map_pages(1, PROT_RW);
			put_read(200);
			protect(page, 1, way == 3 ? PROT_RWX : PROT_RX);
			for (int again = 0; again < 2; again++) {
				CHECK(write(ends[1], "x", 1) == 1);
				CHECK((long)body(NULL) == 200);
			}
			sleeper = 0;
			CHECK(pthread_create(&thread, NULL, body, NULL) == 0);
			while (!sleeper)
				sleep_us(100);
			wait_asleep(getpid(), sleeper);
			change(way);
			if (restarts) {
				CHECK(pthread_kill(thread, SIGUSR1) == 0);
				while (handled == before)
					sleep_us(100);
				wait_asleep(getpid(), sleeper);
			}
			CHECK(write(ends[1], "x", 1) == 1 && pthread_join(thread, &result) == 0);
			CHECK_EQ(result, 300 + way);
			say("way %d, %s", way, restarts ? "restarted" : "woken");
		}
	return 0;
}
