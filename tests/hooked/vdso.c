/* vdso.c - calls the vDSO a given number of times, for tests/test_vdso.py
 *
 *     vdso N         each function N times by its address and, where libc has it, N times by libc; then the same in a thread,
 *                    in a forked child, in a vfork child and in a program that is executed
 *     vdso query     what __vdso_getrandom says when it is asked for its state
 *     vdso place     "told" if AT_SYSINFO_EHDR says where [vdso] lies, "wrong" if it says otherwise, else "untold"
 */
#include "../guests/vdso.h"
#include <sys/random.h>

static struct vdso vdso;

static void call_each(long n)
{
	struct timespec time;
	struct timeval day;
	unsigned cpu;
	char bytes[8];
	for (long i = 0; i < n; i++) {
		vdso.clock_gettime(CLOCK_MONOTONIC, &time);
		vdso.gettimeofday(&day, NULL);
		vdso.time(NULL);
		vdso.getcpu(&cpu, NULL, NULL);
		vdso.clock_getres(CLOCK_REALTIME, &time);
		if (vdso.getrandom)
			vdso.getrandom(bytes, sizeof(bytes), 0, NULL, 0);
		clock_gettime(CLOCK_REALTIME, &time);
		gettimeofday(&day, NULL);
		clock_getres(CLOCK_MONOTONIC, &time);
	}
}

static void *run_thread(void *n)
{
	call_each((long)n);
	return NULL;
}

/* In a vfork child, which must not return from the function that made it. */
__attribute__((noinline)) static void call_in_vfork(long n)
{
	volatile long count = n;
	pid_t child = vfork();
	if (child == 0) {
		call_each(count);
		_exit(0);
	}
	CHECK_EQ(wait_child(child), 0x100);
}

static int query(void)
{
	struct { uint32_t size, protection, flags, reserved[13]; } parameters;
	if (!vdso.getrandom)
		SKIP("no __vdso_getrandom in this kernel");
	say("%zd", vdso.getrandom(NULL, 0, 0, &parameters, ~(size_t)0));
	return 0;
}

int main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "0";
	long n = atol(word);
	pthread_t thread;
	find_vdso(&vdso);
	if (strcmp(word, "query") == 0)
		return query();
	if (strcmp(word, "place") == 0) {
		uintptr_t told = getauxval(AT_SYSINFO_EHDR);
		say(told == 0 ? "untold" : told == vdso.start ? "told" : "wrong");
		return 0;
	}
	call_each(n);
	if (argc > 2)
		return 0;
	CHECK(pthread_create(&thread, NULL, run_thread, (void *)n) == 0 && pthread_join(thread, NULL) == 0);
	pid_t child = fork();
	if (child == 0) {
		call_each(n);
		_exit(0);
	}
	CHECK_EQ(wait_child(child), 0x100);
	call_in_vfork(n);
	execl(argv[0], argv[0], word, "last", NULL);
	return 1;
}
