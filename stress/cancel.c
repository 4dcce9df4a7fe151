/* cancel - pthread_cancel into threads that are blocked in read, or on their way there
 *
 * Most are asleep in it when they are cancelled. A byte for each thread is written into its pipe before or after the
 * cancellation, or not at all.
 *
 * Pass: a thread ends cancelled, or it has read its byte; it runs its cleanup handler if and only if it was cancelled.
 * The byte of a cancelled thread may be in the pipe or gone: glibc lets the cancellation come right after a read that
 * has succeeded (its bug 12683). That of another thread is gone.
 */
#include "storm.h"

struct reader {
	int in;
	_Atomic pid_t there;    /* its id, once it is about to read */
	_Atomic bool cleaned;
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
	r->there = (pid_t)raw0(SYS_gettid);
	CHECK(read(r->in, &byte, 1) == 1 && byte == 'x');
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	pthread_cleanup_pop(0);
	return r;
}

/* Between two looks at another thread: it mostly runs on another processor, or else has to get this one. */
static bool let_run(unsigned *looks)
{
	if (++*looks % 64 == 0)
		sched_yield();
	return true;
}

/* Until a thread that is on its way into read sleeps there. */
static void wait_blocked(pid_t thread)
{
	char path[64], line[256], *end = line;
	unsigned looks = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", thread);
	CHECK((fd = open(path, O_RDONLY)) >= 0);
	do {
		ssize_t length = pread(fd, line, sizeof(line) - 1, 0);
		CHECK(length > 0);
		line[length] = 0;
		CHECK((end = strrchr(line, ')')) != NULL);
	} while (end[2] != 'S' && let_run(&looks));
	CHECK(close(fd) == 0);
}

/* When the byte is written, and where the thread is when it is cancelled. What is above is as the last. */
enum { NO_BYTE, BYTE_BEFORE, BYTE_AFTER, BYTE_AFTER_ARRIVAL, BLOCKED_NO_BYTE, BLOCKED_BYTE_AFTER, HOWS = 16 };

struct counts {
	long blocked, elsewhere, finished;
};

static void cancel_one(struct storm *storm, const int ends[2], int look, struct counts *counts)
{
	struct reader reader = { .in = ends[0] };
	unsigned how = storm_below(storm, HOWS), looks = 0, left;
	bool blocks = how >= BLOCKED_NO_BYTE, writes = how != NO_BYTE && how != BLOCKED_NO_BYTE, is_cancelled;
	pthread_t thread;
	void *result;
	char byte;

	CHECK(pthread_create(&thread, NULL, read_byte, &reader) == 0);
	while ((blocks || how == BYTE_AFTER_ARRIVAL) && !reader.there && let_run(&looks))
		;
	if (blocks)
		wait_blocked(reader.there);
	if (how == BYTE_BEFORE)
		CHECK(write(ends[1], "x", 1) == 1);
	for (unsigned pause = storm_below(storm, 200); pause > 0; pause--)
		__builtin_ia32_pause();
	CHECK(pthread_cancel(thread) == 0);
	if (writes && how != BYTE_BEFORE)
		CHECK(write(ends[1], "x", 1) == 1);
	CHECK(pthread_join(thread, &result) == 0);
	is_cancelled = result == PTHREAD_CANCELED;
	CHECK(is_cancelled || result == &reader);
	CHECK_EQ(reader.cleaned, is_cancelled);
	left = 0;
	while (read(look, &byte, 1) == 1)
		left++;
	CHECK(left <= (writes && is_cancelled));
	*(!is_cancelled ? &counts->finished : blocks ? &counts->blocked : &counts->elsewhere) += 1;
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
	struct counts counts = { 0 };
	int ends[2], look;

	CHECK(pipe(ends) == 0 && (look = open_again(ends[0])) >= 0);
	while (storm_lasts(&storm))
		cancel_one(&storm, ends, look, &counts);
	say("%ld cancelled in a blocked read, %ld elsewhere, %ld had read", counts.blocked, counts.elsewhere,
	    counts.finished);
	return 0;
}
