/* debug.c - what gdb is tried on. `debug`: calls, a file, threads, a child, a fault. `debug wait`: until gdb says so. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline, noclone))

volatile int watched, released, ticks;

NOINLINE static int deep(volatile int *level)
{
	if (--*level > 0)
		return deep(level) + 1;
	int parent = getppid() > 0;
	write(1, "deep\n", 5);
	return parent;
}

/* Numbers in every register that a call must keep; gdb stops at the label after a call. */
NOINLINE static void keep_registers(void)
{
	__asm__ volatile("push %%rbp; mov $0x101, %%ebx; mov $0x102, %%ebp; mov $0x103, %%r12d; mov $0x104, %%r13d\n\t"
	                 "mov $0x105, %%r14d; mov $0x106, %%r15d; mov $0x107, %%r8d; mov $39, %%eax; syscall\n\t"
	                 ".globl kept\nkept: nop; pop %%rbp"
	                 ::: "rax", "rbx", "rcx", "r8", "r11", "r12", "r13", "r14", "r15", "memory");
}

NOINLINE static void change(int by)
{
	watched += by;
	getppid();
	watched *= 2;
	int file = open("note", O_CREAT | O_WRONLY, 0600);
	watched += (int)write(file, "changed\n", 8);
	close(file);
}

static void *thread(void *number)
{
	char line[32];
	int length = snprintf(line, sizeof line, "thread %s\n", (char *)number);
	write(1, line, length);
	return NULL;
}

static void handler(int number)
{
	(void)number;
	write(1, "handled\n", 8);
}

NOINLINE static void tick(void)
{
	ticks++;
	usleep(1000);
}

NOINLINE static int wait_for_gdb(void)
{
	close(open("waiting", O_CREAT | O_WRONLY, 0600));
	while (!released)
		tick();
	return ticks > 0;
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "wait") == 0)
		return printf("released: %d\n", wait_for_gdb()), 4;
	volatile int level = 3;
	int depth = deep(&level);
	keep_registers();
	change(depth);
	pthread_t one;
	pthread_create(&one, NULL, thread, "one");
	pthread_join(one, NULL);
	signal(SIGUSR1, handler);
	kill(getpid(), SIGUSR1);
	int status = 0;
	if (fork() == 0)
		_exit(5);
	wait(&status);
	printf("watched %d, child %d\n", watched, WEXITSTATUS(status));
	fflush(stdout);
	*(volatile int *)0x5000 = 1;
	return 3;
}
