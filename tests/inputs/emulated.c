/* A static program for qemu-user: system calls, threads, signals, a fork, an exec, pages that change, faults. With an
 * argument: faults at NULL only. */
#define _GNU_SOURCE
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__x86_64__)
static const unsigned char code[] = {0xb8, SYS_getppid, 0, 0, 0, 0x0f, 0x05, 0xc3};
#else
static const unsigned char code[] = {0xa8, 0x15, 0x80, 0xd2, 0x01, 0, 0, 0xd4, 0xc0, 0x03, 0x5f, 0xd6};
#endif
static volatile sig_atomic_t signals, faults;
static sigjmp_buf back;

static void *work(void *argument)
{
	long sum = 0, parent = getppid();

	for (int i = 0; i < 3000; i++)
		sum += syscall(SYS_getppid) == parent;
	*(long *)argument = sum;
	return NULL;
}

static void on_signal(int number)
{
	signals += number == SIGALRM;
}

static void on_fault(int number, siginfo_t *info, void *context)
{
	(void)context;
	faults += number == SIGSEGV && info->si_code == (info->si_addr == NULL ? SEGV_MAPERR : SEGV_ACCERR);
	siglongjmp(back, 1);
}

/* Code that the emulator has to translate again each time. */
static int generated(void)
{
	unsigned char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int right = 0;

	for (int i = 0; i < 200; i++) {
		unsigned char *at = page + i % 50 * 64;
		memcpy(at, code, sizeof code);
		__builtin___clear_cache((char *)at, (char *)at + sizeof code);
		right += ((long (*)(void))at)() == getppid();
	}
	munmap(page, 4096);
	return right;
}

static void interrupted(void)
{
	struct itimerval often = {{0, 2000}, {0, 2000}}, none = {{0, 0}, {0, 0}};
	sigset_t mask, old;

	signal(SIGALRM, on_signal);
	setitimer(ITIMER_REAL, &often, NULL);
	sigemptyset(&mask);
	sigaddset(&mask, SIGALRM);
	sigprocmask(SIG_BLOCK, &mask, &old);
	while (signals < 50)
		sigsuspend(&old);
	sigprocmask(SIG_SETMASK, &old, NULL);
	while (signals < 100)
		getppid();
	setitimer(ITIMER_REAL, &none, NULL);
	puts("interrupted");
}

static void faulting(char *page)
{
	struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};

	sigaction(SIGSEGV, &action, NULL);
	for (volatile int i = 0; i < 50; i++)
		if (sigsetjmp(back, 1) == 0)
			page ? (void)(*(volatile char *)page = 1) : (void)*(volatile char *)page;
	printf("faults %d\n", (int)faults);
}

int main(int argc, char **argv)
{
	pthread_t threads[6];
	long sums[6];
	int ends[2], status, many = 0;
	char text[16] = "";

	(void)argv;
	if (argc > 1) {
		faulting(NULL);
		return 6;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 0; i < 6; i++)
		pthread_create(&threads[i], NULL, work, &sums[i]);
	for (int i = 0; i < 6; i++) {
		pthread_join(threads[i], NULL);
		printf("thread %d: %ld\n", i, sums[i]);
	}
	for (int i = 0; i < 100; i++)
		many += pthread_create(&threads[0], NULL, work, &sums[0]) == 0 && pthread_join(threads[0], NULL) == 0;
	printf("threads in turn %d\n", many);
	printf("generated %d\n", generated());
	interrupted();
	faulting(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	if (fork() == 0) {
		read(ends[0], text, 4);
		write(ends[0], "back", 4);
		_exit(text[0] == 't' ? 5 : 1);
	}
	write(ends[1], "to", 2);
	read(ends[1], text, 4);
	wait(&status);
	printf("fork %s %d\n", text, WEXITSTATUS(status));
	fflush(stdout);
	if (fork() == 0) {
		execl("/bin/sh", "sh", "-c", "echo after exec; exit 7", (char *)NULL);
		_exit(1);
	}
	wait(&status);
	printf("exec %d\n", WEXITSTATUS(status));
	raise(SIGTERM);
}
