/* record - record.so:FILE: appends a struct record for each call to FILE (made by the test: a count, then room for records);
 * what number, ABI and flags the hook was shown, and the result. Shared by all processes of the run.
 * record.so:FILE,NUMBER...: wants only these numbers. */
#define _GNU_SOURCE
#include <zlazy/zlazy.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct record { int64_t number, arg[6], result; uint64_t site; uint32_t abi, flags; int32_t thread, again; };
struct file { _Atomic uint64_t count; uint64_t reserved[7]; struct record record[]; };

static const struct zlazy_api *api;
static struct file *file;
static uint64_t room;

static long on_call(struct zlazy_call *call, void *data)
{
	uint64_t at = __atomic_fetch_add((uint64_t *)&file->count, 1, __ATOMIC_RELAXED);
	struct record unused, *record = at < room ? &file->record[at] : &unused;
	(void)data;
	record->number = call->number;
	for (int i = 0; i < 6; i++)
		record->arg[i] = call->arg[i];
	record->site = (uint64_t)call->site;
	record->abi = call->abi;
	record->flags = call->flags;
	record->thread = call->thread;
	record->again = call->flags & ZLAZY_CALL_AGAIN;
	record->result = 0x7fffffffffffffff; /* stays when next() does not come back */
	return record->result = api->next(call);
}

int zlazy_hook_init(const struct zlazy_api *a, const char *argument, struct zlazy_hook *hook)
{
	struct stat status;
	char *numbers = strdup(argument), *path = strsep(&numbers, ","), *number;
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status) != 0 || (size_t)status.st_size < sizeof(struct file))
		return -1;
	file = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (file == MAP_FAILED)
		return -1;
	room = ((uint64_t)status.st_size - sizeof(struct file)) / sizeof(struct record);
	api = a;
	hook->on_call = on_call;
	hook->registers = ZLAZY_GENERAL_ONLY;
	if (!numbers)
		zlazy_want_all(hook);
	while ((number = strsep(&numbers, ",")))
		zlazy_want(hook, strtol(number, NULL, 10));
	return 0;
}
