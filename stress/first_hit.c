/* first_hit - threads that hit the same fresh site at the same moment
 *
 * Each round makes new code, with a site at every offset of a cache line, or at every offset around the end of a page,
 * whose two pages may have different protections; in private and shared, anonymous and file memory. Two to four
 * threads, which start together at each site, after pauses of their own, call it three times. The number is in the
 * code, or in a register, where each thread has another.
 *
 * Pass: every call gives what it gives natively, once: the kernel's count of lseek, and after each round the hook's
 * count of each number, are the program's.
 */
#include "emit.h"

enum { MOST_THREADS = 4, CALLS = 3, SITES = 64, ENDS = 16, PAGES = 2 * ENDS };
enum memory { PROTECTED, OPEN, FROM_FILE, COPIED_TO_FILE, FROM_MEMFD, VIEWS, SHARED, MEMORIES };

struct site { unsigned offset; enum form form; int number; };

struct worker {
	struct storm storm;
	pthread_t thread;
	struct seeker seeker;
	long hits;
};

static struct worker workers[MOST_THREADS];
static unsigned threads;
static pthread_barrier_t barrier;
static _Atomic long arrived;            /* at one site after the other */
static struct site sites[SITES];
static unsigned site_count;
static unsigned char image[PAGES * CODE_PAGE], *code;
static size_t code_size;
static int file, memory_file;
static bool is_over;

static void put(struct storm *storm, unsigned offset)
{
	struct site *site = &sites[site_count++];

	site->offset = offset;
	site->form = storm_below(storm, FORMS);
	site->number = emit_number(storm, site->form);
	emit_at(image + offset, site->form, site->number);
}

/* A site at every offset of a cache line, in a page or two. */
static void lay_lines(struct storm *storm)
{
	unsigned start = 16 + 64 * storm_below(storm, 8);

	for (unsigned i = 0; i < SITES; i++)
		put(storm, start + 128 * i + i);
	code_size = 3 * CODE_PAGE;
}

/* At every offset around the end of a page. */
static void lay_page_ends(struct storm *storm)
{
	for (unsigned i = 0; i < ENDS; i++)
		put(storm, (2 * i + 1) * CODE_PAGE - ENDS / 2 + i);
	code_size = 2 * ENDS * CODE_PAGE;
}

/* Padding between the functions, and ways to their calls. */
static void fill(struct storm *storm)
{
	unsigned end = 0;

	for (unsigned i = 0; i < site_count; i++) {
		emit_between(storm, image, end, sites[i].offset - emit_lead(sites[i].form), NULL);
		end = sites[i].offset + AFTER_SITE;
	}
}

static unsigned char *map(int protection, int flags, int fd)
{
	void *at = mmap(NULL, code_size, protection, flags | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);
	CHECK(at != MAP_FAILED);
	return at;
}

static unsigned char *map_written(int fd)
{
	CHECK_EQ(pwrite(fd, image, code_size, 0), code_size);
	return map(PROT_RX, MAP_PRIVATE, fd);
}

static unsigned char *copy_to(unsigned char *at)
{
	return memcpy(at, image, code_size);
}

static unsigned char *protect_each(struct storm *storm, unsigned char *at)
{
	static const int protections[] = { PROT_RX, PROT_RX, PROT_RWX, PROT_EXEC };

	for (size_t done = 0; done < code_size; done += CODE_PAGE)
		protect(at + done, 1, protections[storm_below(storm, COUNT_OF(protections))]);
	return at;
}

static unsigned char *install(struct storm *storm)
{
	unsigned char *view, *at;

	switch ((enum memory)storm_below(storm, MEMORIES)) {
	case PROTECTED:
		return protect_each(storm, copy_to(map(PROT_RW, MAP_PRIVATE, -1)));
	case OPEN:
		return copy_to(map(PROT_RWX, MAP_PRIVATE, -1));
	case FROM_FILE:
		return map_written(file);
	case COPIED_TO_FILE:
		return protect_each(storm, copy_to(map(PROT_RW, MAP_PRIVATE, file)));
	case FROM_MEMFD:
		return map_written(memory_file);
	case VIEWS:
		at = map(PROT_RX, MAP_SHARED, memory_file);
		view = copy_to(map(PROT_RW, MAP_SHARED, memory_file));
		CHECK(munmap(view, code_size) == 0);
		return at;
	default:
		return copy_to(map(PROT_RWX, MAP_SHARED, -1));
	}
}

static void begin_round(struct storm *storm)
{
	memset(image, 0xcc, sizeof(image));
	site_count = 0;
	(storm_below(storm, 2) ? lay_lines : lay_page_ends)(storm);
	if (storm_below(storm, 4))
		fill(storm);
	code = install(storm);
	arrived = 0;
}

static void end_round(void)
{
	shadow_compare();
	CHECK(munmap(code, code_size) == 0);
}

/* Until all threads are about to call site number `step`. */
static void meet(long step)
{
	long expected = (step + 1) * (long)threads;

	arrived++;
	for (unsigned looks = 1; arrived < expected; looks++)
		if (looks % 256 == 0)
			sched_yield();
}

static void hit_all(struct worker *w)
{
	serialize();
	for (unsigned i = 0; i < site_count; i++) {
		const struct site *site = &sites[i];
		meet(i);
		pause_some(&w->storm, 64);
		for (int call = 0; call < CALLS; call++) {
			int number = emit_has_number(site->form) ? site->number : emit_number(&w->storm, site->form);
			shadow_made(number, emit_run(code + site->offset, site->form, number, &w->seeker), &w->seeker);
		}
		w->hits++;
	}
}

static void *work(void *argument)
{
	struct worker *w = argument;

	w->seeker = seeker_open();
	for (;;) {
		pthread_barrier_wait(&barrier);
		if (is_over)
			return NULL;
		hit_all(w);
		pthread_barrier_wait(&barrier);
	}
}

int main(int argc, char **argv)
{
	struct storm storm = storm_begin(argc, argv);
	long rounds = 0;

	threads = 2 + storm_below(&storm, MOST_THREADS - 1);
	CHECK(ftruncate(file = file_open(), sizeof(image)) == 0);
	CHECK((memory_file = memfd_create("code", MFD_CLOEXEC)) >= 0 && ftruncate(memory_file, sizeof(image)) == 0);
	CHECK(pthread_barrier_init(&barrier, NULL, threads) == 0);
	report_faults();
	shadow_begin();
	for (unsigned i = 0; i < threads; i++)
		workers[i].storm = storm_part(&storm, i);
	for (unsigned i = 1; i < threads; i++)
		CHECK(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0);
	workers[0].seeker = seeker_open();
	for (; storm_lasts(&storm); rounds++) {
		begin_round(&storm);
		pthread_barrier_wait(&barrier);
		hit_all(&workers[0]);
		pthread_barrier_wait(&barrier);
		end_round();
	}
	is_over = true;
	pthread_barrier_wait(&barrier);
	for (unsigned i = 1; i < threads; i++)
		CHECK(pthread_join(workers[i].thread, NULL) == 0 && workers[i].hits == workers[0].hits);
	say("%ld fresh sites hit by %u threads at once, in %ld rounds; %ld calls; %s", workers[0].hits, threads, rounds,
	    shadow_calls(), shadow_word());
	return 0;
}
