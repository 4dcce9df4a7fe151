/* code.c - makes code, runs it, and tells what has become of its bytes, for tests/test_jit.py
 *
 *     code private    private memory, readable, writable and executable
 *     code fixed      private memory, not writable any more
 *     code dual       a memfd with a writable and an executable view; both, and the file, must show the same bytes
 *     code shared     dual, and other processes run the same bytes: one that is forked before they are first run, one after,
 *                     and a program that is executed and maps the memfd anew, with the agent's tactic as here, and trap
 *     code open FD    that program
 *
 * Of each page's sites DESCRIBED lie in one word and have `mov $number,%eax` before them, ACROSS have it and lie across two
 * words, BARE have another mov. The first line of the output is the same with and without the agent: how many calls were
 * made, all with the right answer. The second tells how many sites are rewritten of each kind, in this order: their two
 * bytes are a call, or a jump stands in the place of the five before.
 */
#include "../guests/code.h"

enum { DESCRIBED = 16, ACROSS = 4, BARE = 3, SITES = DESCRIBED + ACROSS + BARE, SPACE = 64, ROUNDS = 50 };

/* What the sites ask, in turn: calls that libc makes on no occasion. */
static const int numbers[] = { SYS_getpgrp, SYS_getppid, SYS_getegid };

/* A page of code and a page with the number of calls made. */
struct views { unsigned char *writable, *code; volatile long *calls; };

static int offset_of(int i)
{
	return i * SPACE + (i < DESCRIBED ? 0 : i < DESCRIBED + ACROSS ? 2 : 1);   /* the site is at +5, and at +2 if bare */
}

static int site_of(int i)
{
	return offset_of(i) + (i < DESCRIBED + ACROSS ? CODE_SITE : 2);
}

static void fill(unsigned char *page)
{
	memset(page, 0xcc, CODE_PAGE);
	for (int i = 0; i < SITES; i++)
		if (i < DESCRIBED + ACROSS)
			put_call(page + offset_of(i), numbers[i % COUNT_OF(numbers)]);
		else
			memcpy(page + offset_of(i), "\x89\xf8\x0f\x05\xc3", 5);   /* mov %edi,%eax; syscall; ret */
}

static void run(const struct views *views)
{
	long answers[COUNT_OF(numbers)];

	for (size_t i = 0; i < COUNT_OF(numbers); i++)
		answers[i] = syscall(numbers[i]);
	for (int round = 0; round < ROUNDS; round++)
		for (int i = 0; i < SITES; i++)
			CHECK_EQ(call_at(views->code + offset_of(i), numbers[i % COUNT_OF(numbers)], 0, 0),
				 answers[i % COUNT_OF(numbers)]);
	*views->calls += ROUNDS * SITES;
}

static struct views map_private(int protection)
{
	struct views views = { .writable = map_pages(2, PROT_RWX) };

	views.code = views.writable;
	views.calls = (volatile long *)(uintptr_t)map_pages(1, PROT_RW);
	fill(views.writable);
	protect(views.code, 1, protection);
	return views;
}

static struct views map_memfd(int fd)
{
	struct views views = { .writable = mmap(NULL, 2 * CODE_PAGE, PROT_RW, MAP_SHARED, fd, 0) };

	views.code = mmap(NULL, CODE_PAGE, PROT_RX, MAP_SHARED, fd, 0);
	CHECK(views.writable != MAP_FAILED && views.code != MAP_FAILED);
	views.calls = (volatile long *)(uintptr_t)(views.writable + CODE_PAGE);
	return views;
}

/* Wait for a byte, then run. */
static pid_t fork_runner(const struct views *views, int start)
{
	char byte;
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	CHECK(read(start, &byte, 1) == 1);
	run(views);
	_exit(0);
}

/* fd is inherited. tactic: the agent's there, NULL: as here. */
static pid_t run_program(const char *program, int fd, const char *tactic)
{
	char number[16];
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	if (tactic)
		setenv("ZLAZY_TACTIC", tactic, 1);
	snprintf(number, sizeof(number), "%d", fd);
	execl(program, program, "open", number, NULL);
	_exit(1);
}

static void run_everywhere(const char *program, const struct views *views, int fd)
{
	int start[2];

	CHECK(pipe(start) == 0);
	pid_t earlier = fork_runner(views, start[0]);
	run(views);
	CHECK(write(start[1], "1", 1) == 1);
	CHECK_EQ(wait_child(earlier), 0x100);
	CHECK(write(start[1], "2", 1) == 1);
	CHECK_EQ(wait_child(fork_runner(views, start[0])), 0x100);
	CHECK_EQ(wait_child(run_program(program, fd, NULL)), 0x100);
	CHECK_EQ(wait_child(run_program(program, fd, "trap")), 0x100);
	run(views);
}

static int open_memfd(void)
{
	int fd = memfd_create("code", 0);

	CHECK(fd >= 0 && ftruncate(fd, 2 * CODE_PAGE) == 0);
	return fd;
}

/* Bring the bytes of a rewritten site over. */
static bool take_rewritten(unsigned char *to, const unsigned char *code, int i)
{
	const unsigned char *mov = code + site_of(i) - CODE_SITE;

	if (memcmp(code + site_of(i), "\xff\xd0", 2) == 0)
		memcpy(to + site_of(i), "\xff\xd0", 2);
	else if (i < DESCRIBED + ACROSS && mov[0] == 0xe9)
		memcpy(to + (mov - code), mov, CODE_SITE);
	else
		return false;
	return true;
}

/* Nothing but sites may have changed. */
static void report(const struct views *views)
{
	unsigned char written[CODE_PAGE];
	int count[3] = { 0 };

	fill(written);
	for (int i = 0; i < SITES; i++)
		count[i < DESCRIBED ? 0 : i < DESCRIBED + ACROSS ? 1 : 2] += take_rewritten(written, views->code, i);
	CHECK(memcmp(views->code, written, CODE_PAGE) == 0 && memcmp(views->writable, written, CODE_PAGE) == 0);
	say("%ld calls", *views->calls);
	say("rewritten: %d %d %d", count[0], count[1], count[2]);
}

int main(int count, char **arguments)
{
	const char *how = count > 1 ? arguments[1] : "";
	struct views views;
	int fd = -1;

	if (strcmp(how, "open") == 0 && count > 2) {
		views = map_memfd(atoi(arguments[2]));
		run(&views);
		return 0;
	}
	if (strcmp(how, "private") == 0 || strcmp(how, "fixed") == 0) {
		views = map_private(strcmp(how, "fixed") == 0 ? PROT_RX : PROT_RWX);
	} else {
		fd = open_memfd();
		views = map_memfd(fd);
		fill(views.writable);
	}
	if (strcmp(how, "shared") == 0)
		run_everywhere(arguments[0], &views, fd);
	else
		run(&views);
	report(&views);
	return 0;
}
