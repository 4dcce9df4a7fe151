/* count.c - a hook that counts system calls by number; a call made again after a signal's handler counts once.
 * count.so: lines "number name calls" where notices go, at exit_group; none at death by a signal; fork starts at 0.
 * count.so:/FILE: all processes add to 513 counters of 64 bits, the last for others. od -A d -t u8 -w8 /FILE */
#include <zlazy/zlazy.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { OTHERS = ZLAZY_NUMBERS, COUNTERS, SIZE = COUNTERS * sizeof(uint64_t) };
static const struct zlazy_api *api;
static _Atomic uint64_t *counters = MAP_FAILED;

static char *add_number(char *end, uint64_t value)
{
	end = value >= 10 ? add_number(end, value / 10) : end;
	return *end = (char)('0' + value % 10), end + 1;
}

__attribute__((noinline)) static void print_all(void)   /* apart: on_call() is short */
{
	for (long number = 0; number < COUNTERS; number++) {
		const char *name = number < OTHERS ? api->name(number, ZLAZY_ABI_X86_64) : "others";
		char line[128], *end = add_number(line, (uint64_t)number);
		for (*end++ = ' '; name != NULL && *name != '\0' && end < line + 96; name++)
			*end++ = *name;
		*end++ = ' ';
		*add_number(end, counters[number]) = '\0';
		if (counters[number] != 0)
			api->log(line);
	}
}

static long on_call(struct zlazy_call *call, void *print_at_exit)
{
	long number = call->abi == ZLAZY_ABI_X86_64 && (unsigned long)call->number < OTHERS ? call->number : OTHERS;
	if (!(call->flags & ZLAZY_CALL_AGAIN))
		atomic_fetch_add_explicit(&counters[number], 1, memory_order_relaxed);
	if (number == SYS_exit_group && print_at_exit)
		print_all();
	return api->next(call);
}

int zlazy_hook_init(const struct zlazy_api *a, const char *file, struct zlazy_hook *hook)
{
	int fd = *file ? open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0666) : -1;
	if (*file == '\0' || ftruncate(fd, SIZE) == 0)
		counters = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, *file ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS, fd, 0);
	if (counters == MAP_FAILED)
		return a->log("count: cannot map the file of the counters; check its path"), -1;
	*file ? close(fd) : madvise((void *)counters, SIZE, MADV_WIPEONFORK);
	api = a;
	hook->on_call = on_call;
	hook->data = *file ? NULL : &counters;   /* print at exit? */
	hook->registers = ZLAZY_GENERAL_ONLY;
	zlazy_want_all(hook);
	return 0;
}
