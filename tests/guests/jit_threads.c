/* jit_threads - issue 2, real input: code generated at run time with system calls in it, run from 8 threads, RWX and W^X; each call counted */
#include "code.h"

enum { THREADS = 8, ROUNDS = 25, SITES = 60 };

static unsigned char *shared_code;
static pthread_barrier_t barrier;
static bool write_xor_execute;

static void *body(void *unused)
{
	long calls = 0;
	int fd = memfd_create("calls", 0);
	unsigned char *page = map_pages(1, write_xor_execute ? PROT_RW : PROT_RWX);
	for (int round = 0; round < ROUNDS; round++) {
		if (write_xor_execute)
			protect(page, 1, PROT_RW);
		for (int i = 0; i < SITES; i++)
			put_call(page + 64 * i + (round + i) % 56, SYS_lseek);
		if (write_xor_execute)
			protect(page, 1, PROT_RX);
		for (int again = 0; again < 4; again++)
			for (int i = 0; i < SITES; i++)
				CHECK_EQ(call_at(page + 64 * i + (round + i) % 56, fd, 1, SEEK_CUR), ++calls);
		pthread_barrier_wait(&barrier); /* all at once at the same fresh sites */
		for (int i = 0; i < 20; i++)
			CHECK_EQ(call_at(shared_code + 8 * (20 * round + i), fd, 1, SEEK_CUR), ++calls);
	}
	CHECK(munmap(page, CODE_PAGE) == 0 && lseek(fd, 0, SEEK_CUR) == calls);
	close(fd);
	return unused ? unused : (void *)calls;
}

int main(void)
{
	for (int mode = 0; mode < 2; mode++) {
		pthread_t threads[THREADS];
		long sum = 0;
		write_xor_execute = mode;
		shared_code = map_pages(1, PROT_RW);
		for (int i = 0; i < 20 * ROUNDS; i++)
			put_call(shared_code + 8 * i, SYS_lseek);
		protect(shared_code, 1, PROT_RX);
		pthread_barrier_init(&barrier, NULL, THREADS);
		for (int i = 0; i < THREADS; i++)
			CHECK(pthread_create(&threads[i], NULL, body, NULL) == 0);
		for (int i = 0; i < THREADS; i++) {
			void *calls;
			CHECK(pthread_join(threads[i], &calls) == 0);
			sum += (long)calls;
		}
		say("%s: %ld calls", mode ? "W^X" : "RWX", sum);
	}
	return 0;
}
