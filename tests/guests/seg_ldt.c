/* seg_ldt - row 17: modify_ldt writes and reads; its segment in ds and es over calls, forks and signals; in fs, read
 * through between calls */
#include "guest.h"
#include <asm/ldt.h>
#include <sys/auxv.h>

enum { SELECTOR = 3 << 3 | 7, HAS_FSGSBASE = 2 };
static volatile int ticks;

static unsigned segments(void)
{
	unsigned ds, es;
	asm volatile("mov %%ds,%0; mov %%es,%1" : "=r"(ds), "=r"(es));
	return ds << 16 | es;
}

static void on_tick(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)info, (void)context;
	CHECK(raw0(SYS_getuid) == getuid());
	ticks++;
}

static void through_fs(const long *values)
{
	unsigned long base, selector;
	long value;
	asm volatile("rdfsbase %0; mov %%fs,%1; mov %3,%%fs; mov %%fs:8,%2; mov %1,%%fs; wrfsbase %0"
		     : "=&r"(base), "=&r"(selector), "=&r"(value) : "r"(SELECTOR));
	CHECK_EQ(value, values[1]);
}

int main(void)
{
	long *values = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	struct user_desc entry = { .entry_number = 3, .base_addr = (unsigned)(long)values, .limit = 0xfff, .seg_32bit = 1,
				   .useable = 1 };
	unsigned long table[8192 / 8] = { 0 };
	CHECK(values != MAP_FAILED);
	values[1] = 1234567;
	if (raw3(SYS_modify_ldt, 0x11, &entry, sizeof(entry)) == -ENOSYS)
		SKIP("no modify_ldt in this kernel");
	CHECK_EQ(raw3(SYS_modify_ldt, 0, table, sizeof(table)), sizeof(table));
	CHECK_EQ(table[3] >> 40 & 0xfe, 0xf2);   /* present, for all, writable data */
	CHECK_EQ((int)raw3(SYS_modify_ldt, 0x11, &entry, 1), -EINVAL);
	CHECK_EQ((int)raw3(SYS_modify_ldt, 0x11, -4096, sizeof(entry)), -EFAULT);
	CHECK_EQ((int)raw3(SYS_modify_ldt, 0x77, &entry, sizeof(entry)), -ENOSYS);
	if (getauxval(AT_HWCAP2) & HAS_FSGSBASE)
		through_fs(values);
	asm volatile("mov %0,%%ds; mov %0,%%es" : : "r"(SELECTOR));
	handle(SIGALRM, on_tick, 0);
	tick_every(500);
	for (int i = 0; i < 2000 || ticks < 3; i++) {
		CHECK_EQ(raw0(SYS_getuid), getuid());
		CHECK_EQ(segments(), SELECTOR << 16 | SELECTOR);
	}
	tick_every(0);
	if (fork() == 0)
		_exit(raw0(SYS_getuid) == getuid() && segments() == (SELECTOR << 16 | SELECTOR) ? 7 : 8);
	int status;
	CHECK(wait(&status) > 0 && WEXITSTATUS(status) == 7);
	asm volatile("mov %0,%%ds; mov %0,%%es" : : "r"(0));
	say("segments stay");
	return 0;
}
