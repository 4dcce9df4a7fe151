/* jump_same_moment - issue 5: two threads make the first call of each of many sites at the same moment, a little apart;
 * made writable, each has its own mov again */
#include "jump.h"

CODE_PAGE_OF_CALLS(page, 102);
enum { ROUNDS = 30 };
static _Atomic int arrived[ROUNDS * CALLS];

static void call_all(int round, int delay)
{
	for (int i = 0; i < CALLS; i++) {
		arrived[round * CALLS + i]++;
		while (arrived[round * CALLS + i] < 2)
			__builtin_ia32_pause();
		for (int wait = 0; wait < delay * i * 40; wait++)
			__builtin_ia32_pause();
		CHECK_EQ(mov_in(page, i, 0, 0, 0), getuid());
	}
}

static _Atomic int turn;

static void *body(void *unused)
{
	for (int round = 0; round < ROUNDS; round++) {
		while (turn < round)
			sched_yield();
		call_all(round, 0);
	}
	return unused;
}

int main(void)
{
	static unsigned char pristine[CODE_PAGE];
	pthread_t thread;
	memcpy(pristine, page, CODE_PAGE);
	CHECK(pthread_create(&thread, NULL, body, NULL) == 0);
	for (int round = 0; round < ROUNDS; round++) {
		int wrong = 0;
		call_all(round, round % 3);
		usleep(2000);
		protect(page, 1, PROT_RW);
		for (int i = 0; i < CALLS; i++)
			wrong += memcmp(page + 64 * i, pristine + 64 * i, 8) != 0;
		CHECK_EQ(wrong, 0);
		protect(page, 1, PROT_RX);
		turn = round + 1;
	}
	pthread_join(thread, NULL);
	say("%d rounds", ROUNDS);
	return 0;
}
