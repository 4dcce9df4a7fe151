/* life_hinted - row 2: threads call into a hole, and code comes there by a hint, or by MAP_FIXED_NOREPLACE. They call it at
 * once, before the thread that maps it is back. The number is in a register. */
#include "code.h"

enum { THREADS = 2, ROUNDS = 4000 };

static unsigned char *code;
static _Atomic bool is_over;
static _Thread_local sigjmp_buf again;

static void on_fault(int signal, siginfo_t *info, void *context)
{
	long into = reg(context, REG_RIP) - (long)code;
	(void)info;
	if (into < 0 || into > 5)
		FAIL("signal %d at %#llx", signal, (unsigned long long)reg(context, REG_RIP));
	siglongjmp(again, 1);
}

static void *body(void *unused)
{
	sigsetjmp(again, 0);
	while (!is_over)
		CHECK_EQ(call_at(code, 1000, 0, 0), -ENOSYS);
	return unused;
}

static void *map_code(int flags, int fd)
{
	return mmap(code, CODE_PAGE, PROT_RX, MAP_PRIVATE | flags, fd, 0);
}

static void pause_for(int moments)
{
	while (moments-- > 0)
		__builtin_ia32_pause();
}

int main(void)
{
	unsigned char image[CODE_PAGE];
	char name[] = "/tmp/life-XXXXXX";
	pthread_t threads[THREADS];
	int fd = mkstemp(name);
	memset(image, 0xcc, sizeof(image));
	put_variable_call(image);
	CHECK(fd >= 0 && unlink(name) == 0 && write(fd, image, sizeof(image)) == sizeof(image));
	handle(SIGSEGV, on_fault, SA_NODEFER);
	CHECK((code = map_code(0, fd)) != MAP_FAILED);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, body, NULL) == 0);
	for (int round = 0; round < ROUNDS; round++) {
		CHECK(munmap(code, CODE_PAGE) == 0);
		pause_for(round % 64);
		CHECK(map_code(round % 2 ? MAP_FIXED_NOREPLACE : 0, fd) == code);
		pause_for(20 * (round % 64));
	}
	is_over = true;
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	say("%d rounds", ROUNDS);
	return 0;
}
