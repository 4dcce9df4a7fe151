/* cancel - pthread_cancel into threads that are blocked in read, or on their way there
 *
 * A byte for each thread is written into its pipe before, after or instead of the cancellation.
 *
 * Pass: a thread ends cancelled, or it has read its byte; it runs its cleanup handler if and only if it was cancelled.
 * The byte of a cancelled thread may be in the pipe or gone: glibc lets the cancellation come right after a read that
 * has succeeded (its bug 12683). That of another thread is gone.
 */
#include "storm.h"

struct reader {
	int in;
	_Atomic bool is_there, cleaned;
};

static void clean(void *argument)
{
	((struct reader *)argument)->cleaned = true;
}

static void *read_byte(void *argument)
{
	struct reader *r = argument;
	char byte = 0;

	pthread_cleanup_push(clean, r);
	r->is_there = true;
	CHECK(read(r->in, &byte, 1) == 1 && byte == 'x');
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	pthread_cleanup_pop(0);
	return r;
}

/* Returns whether the thread was cancelled. */
static bool cancel_one(struct storm *storm, const int ends[2], int look)
{
	struct reader reader = { .in = ends[0] };
	unsigned how = storm_below(storm, 4), left;
	bool writes = how != 0, is_cancelled;
	pthread_t thread;
	void *result;
	char byte;

	CHECK(pthread_create(&thread, NULL, read_byte, &reader) == 0);
	while (how == 3 && !reader.is_there)
		sched_yield();
	if (how == 1)
		CHECK(write(ends[1], "x", 1) == 1);
	for (unsigned pause = storm_below(storm, 200); pause > 0; pause--)
		__builtin_ia32_pause();
	CHECK(pthread_cancel(thread) == 0);
	if (writes && how != 1)
		CHECK(write(ends[1], "x", 1) == 1);
	CHECK(pthread_join(thread, &result) == 0);
	is_cancelled = result == PTHREAD_CANCELED;
	CHECK(is_cancelled || result == &reader);
	CHECK_EQ(reader.cleaned, is_cancelled);
	left = 0;
	while (read(look, &byte, 1) == 1)
		left++;
	CHECK(left <= (writes && is_cancelled));
	return is_cancelled;
}

/* The same end of the pipe once more, to look into it without blocking. */
static int open_again(int fd)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_RDONLY | O_NONBLOCK);
}

int main(int argc, char **argv)
{
	struct storm storm = storm_begin(argc, argv);
	long cancelled = 0, finished = 0;
	int ends[2], look;

	CHECK(pipe(ends) == 0 && (look = open_again(ends[0])) >= 0);
	while (storm_lasts(&storm))
		*(cancel_one(&storm, ends, look) ? &cancelled : &finished) += 1;
	say("%ld cancelled, %ld had read", cancelled, finished);
	return 0;
}
