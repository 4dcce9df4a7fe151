/* unmap - code that goes away while threads call through it, and comes back
 *
 * Callers run small functions, with a system call each, in a few pages of a file, a memfd, or of none, with sites, or
 * the number before them, across two of them; most have padding between them. The main
 * thread takes pages away (munmap; a mapping without access right over them; mremap to elsewhere; mprotect without
 * access, or to be rewritten) and puts them back, a moment later or at once, as they were or fresh, and throws away
 * what has been written to them. Callers that run into the hole get SIGSEGV and go on by siglongjmp.
 *
 * Pass: the fault is a fetch, at an instruction of the function. At the site or before, the call was not made, and the
 * registers are what they were; behind the site it was made, with its result. Nothing else faults, and every call
 * counts once (shadow.h).
 */
#include "emit.h"

enum { CALLERS = 3, PAGES = 4, SIZE = PAGES * CODE_PAGE, SLOT = 128, SLOTS = SIZE / SLOT - 1, FIRST_SLOT = SLOT / 2 };
enum { PAGE_FAULT = 14, FETCH_BY_USER = 0x14, PRESENT = 1, INSTRUCTION = 15 };

struct slot { unsigned site; enum form form; int number; };

struct worker {
	struct storm storm;
	pthread_t thread;
	sigjmp_buf again;
	const unsigned char *site;      /* of the call in progress */
	enum form form;
	int number;
	long cx, faults, made_before_fault;
};

static struct worker workers[CALLERS];
static _Thread_local struct worker *self;
static struct slot slots[SLOTS];
static unsigned char image[SIZE];
static unsigned char *_Atomic code;
static int file;
static _Atomic bool is_over;

/* At the site or before it: nothing has happened. */
static void expect_not_made(const struct worker *w, const greg_t *regs, long into)
{
	CHECK(into == 0 || into == -(long)emit_lead(w->form));
	CHECK_EQ(regs[REG_RCX], w->cx);
	if (into == 0)
		CHECK_EQ(regs[REG_RAX], w->number);
}

static void expect_made(struct worker *w, const greg_t *regs)
{
	CHECK_EQ(regs[REG_RAX], w->number == SYS_getppid ? shadow.parent : -ENOSYS);
	CHECK_EQ(regs[REG_RCX], w->site + 2);
	shadow_count(w->number, 1);
	w->made_before_fault++;
}

static void on_segv(int signal, siginfo_t *info, void *context)
{
	const greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
	struct worker *w = self;
	long into = regs[REG_RIP] - (w ? (long)w->site : 0);

	if (!w || into > 2 || into < -BEFORE_SITE || regs[REG_TRAPNO] != PAGE_FAULT ||
	    (regs[REG_ERR] & ~PRESENT) != FETCH_BY_USER) {
		say("in %s, %ld bytes from the site, error code %#llx", w ? "a caller" : "the main thread", into, regs[REG_ERR]);
		report_fault(signal, info, context);
	}
	CHECK(info->si_code == SEGV_MAPERR || info->si_code == SEGV_ACCERR);
	CHECK((long)info->si_addr - regs[REG_RIP] >= 0 && (long)info->si_addr - regs[REG_RIP] < INSTRUCTION);
	if (into == 2)
		expect_made(w, regs);
	else
		expect_not_made(w, regs, into);
	w->faults++;
	siglongjmp(w->again, 1);
}

static void lay(struct storm *storm)
{
	unsigned end = 0;
	bool is_filled = storm_below(storm, 4);

	memset(image, 0xcc, sizeof(image));
	for (unsigned i = 0; i < SLOTS; i++) {
		unsigned place = BEFORE_SITE + storm_below(storm, SLOT - BEFORE_SITE - AFTER_SITE + 1);
		slots[i].site = FIRST_SLOT + i * SLOT + place;
		if ((FIRST_SLOT + i * SLOT + SLOT / 2) % CODE_PAGE == 0)
			slots[i].site = FIRST_SLOT + i * SLOT + SLOT / 2 - 1 + storm_below(storm, BEFORE_SITE);
		slots[i].form = storm_below(storm, FORMS);
		if (is_filled)
			emit_between(storm, image, end, slots[i].site - emit_lead(slots[i].form), NULL);
		end = slots[i].site + AFTER_SITE;
		slots[i].number = storm_below(storm, 8) ? shadow_own(storm) : SYS_getppid;
		emit_at(image + slots[i].site, slots[i].form, slots[i].number);
	}
}

static void call_one(struct worker *w, const struct slot *slot)
{
	static const struct seeker none = { -1, 0 };
	unsigned char *at = code;

	w->site = at + slot->site;
	w->form = slot->form;
	w->number = emit_has_number(slot->form) ? slot->number : shadow_own(&w->storm);
	w->cx = slot->form == BY_DI ? -1 : w->number;
	shadow_made(w->number, emit_run(w->site, w->form, w->number, &none), NULL);
}

static void *work(void *argument)
{
	struct worker *w = self = argument;

	while (!is_over) {
		sigsetjmp(w->again, 0);
		for (int i = 0; i < 64 && !is_over; i++)
			call_one(w, &slots[storm_below(&w->storm, SLOTS)]);
	}
	return NULL;
}

/* Some of the pages. */
struct part { unsigned char *at; unsigned first, pages; };

static struct part any_part(struct storm *storm)
{
	unsigned first = storm_below(storm, PAGES), pages = 1 + storm_below(storm, PAGES - first);
	return (struct part){ code + first * CODE_PAGE, first, pages };
}

static size_t size_of(const struct part *part)
{
	return part->pages * (size_t)CODE_PAGE;
}

static void *map(void *at, size_t size, int protection, int flags, int fd, unsigned first_page)
{
	return mmap(at, size, protection, flags | (fd < 0 ? MAP_ANONYMOUS : 0), fd, first_page * (off_t)CODE_PAGE);
}

/* The part's code, fresh, somewhere else. */
static unsigned char *make_fresh(struct storm *storm, const struct part *part)
{
	bool is_in_file = storm_below(storm, 2);
	int protection = is_in_file ? PROT_RX : PROT_RW;
	unsigned char *at = map(NULL, size_of(part), protection, MAP_PRIVATE, is_in_file ? file : -1,
				is_in_file ? part->first : 0);

	CHECK(at != MAP_FAILED);
	if (!is_in_file) {
		memcpy(at, image + part->first * CODE_PAGE, size_of(part));
		protect(at, (int)part->pages, storm_below(storm, 3) ? PROT_RX : PROT_RWX);
	}
	return at;
}

/* The part is `at`, and goes where it belongs, over what is there. */
static void put_back(const struct part *part, unsigned char *at)
{
	CHECK(mremap(at, size_of(part), size_of(part), MREMAP_MAYMOVE | MREMAP_FIXED, part->at) == part->at);
}

static void hold(struct storm *storm)
{
	if (storm_below(storm, 2))
		sleep_us(storm_below(storm, 200));
	else
		pause_some(storm, 2000);
}

/* The hole that the part has left is somebody else's by now. All of the code is elsewhere from now on; what is left at
 * the old place stays there. */
static void leave(struct storm *storm)
{
	static const struct part all = { NULL, 0, PAGES };

	CHECK(errno == EEXIST);
	code = make_fresh(storm, &all);
}

static bool reserve(const struct part *part)
{
	return map(part->at, size_of(part), PROT_NONE, MAP_PRIVATE | MAP_FIXED_NOREPLACE, -1, 0) == part->at;
}

static void by_munmap(struct storm *storm, struct part *part)
{
	CHECK(munmap(part->at, size_of(part)) == 0);
	hold(storm);
	if (reserve(part))
		put_back(part, make_fresh(storm, part));
	else
		leave(storm);
}

static void by_map_over(struct storm *storm, struct part *part)
{
	if (storm_below(storm, 2)) {
		CHECK(map(part->at, size_of(part), PROT_NONE, MAP_PRIVATE | MAP_FIXED, -1, 0) == part->at);
		hold(storm);
	}
	if (storm_below(storm, 2))
		put_back(part, make_fresh(storm, part));
	else
		CHECK(map(part->at, size_of(part), PROT_RX, MAP_PRIVATE | MAP_FIXED, file, part->first) == part->at);
}

static void move_pages(const struct part *part, unsigned char *from, unsigned char *to)
{
	for (size_t at = 0; at < size_of(part); at += CODE_PAGE)    /* each may be a mapping of its own */
		CHECK(mremap(from + at, CODE_PAGE, CODE_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to + at) == to + at);
}

static void call_all(struct storm *storm, const struct part *part, const unsigned char *at)
{
	static const struct seeker none = { -1, 0 };

	for (unsigned i = 0; i < SLOTS; i++) {
		int number = emit_has_number(slots[i].form) ? slots[i].number : shadow_own(storm);
		long into = (long)slots[i].site - (long)part->first * CODE_PAGE;
		if (into >= BEFORE_SITE && into + AFTER_SITE <= (long)size_of(part))
			shadow_made(number, emit_run(at + into, slots[i].form, number, &none), NULL);
	}
}

/* While the part is elsewhere, it is called there. */
static void by_move(struct storm *storm, struct part *part)
{
	unsigned char *there = map(NULL, size_of(part), PROT_NONE, MAP_PRIVATE, -1, 0);
	bool is_mine;

	CHECK(there != MAP_FAILED);
	move_pages(part, part->at, there);
	is_mine = reserve(part);
	if (!is_mine)
		leave(storm);
	call_all(storm, part, there);
	if (is_mine)
		move_pages(part, there, part->at);
	else
		CHECK(munmap(there, size_of(part)) == 0);
}

static void by_closing(struct storm *storm, struct part *part)
{
	protect(part->at, (int)part->pages, storm_below(storm, 2) ? PROT_NONE : PROT_READ);
	hold(storm);
	protect(part->at, (int)part->pages, PROT_RX);
}

static void by_rewriting(struct storm *storm, struct part *part)
{
	protect(part->at, (int)part->pages, PROT_RW);
	hold(storm);
	memcpy(part->at, image + part->first * CODE_PAGE, size_of(part));
	protect(part->at, (int)part->pages, PROT_RX);
}

/* Nobody faults: the file has the same code. */
static void by_throwing_away(struct storm *storm, struct part *part)
{
	(void)storm;
	CHECK(map(part->at, size_of(part), PROT_RX, MAP_PRIVATE | MAP_FIXED, file, part->first) == part->at);
	hold(storm);
	CHECK(madvise(part->at, size_of(part), MADV_DONTNEED) == 0);
}

int main(int argc, char **argv)
{
	static void (*const ways[])(struct storm *, struct part *) = { by_munmap, by_map_over, by_move, by_closing,
		by_rewriting, by_throwing_away };
	struct storm storm = storm_begin(argc, argv);
	struct part all = { NULL, 0, PAGES };
	long times = 0, faults = 0, made = 0;

	report_faults();
	handle(SIGSEGV, on_segv, SA_NODEFER);
	lay(&storm);
	file = storm_below(&storm, 4) ? file_open() : memfd_create("code", MFD_CLOEXEC);
	CHECK(file >= 0 && write(file, image, SIZE) == SIZE);
	code = make_fresh(&storm, &all);
	shadow_begin();
	for (unsigned i = 0; i < CALLERS; i++) {
		workers[i].storm = storm_part(&storm, i);
		CHECK(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0);
	}
	for (; storm_lasts(&storm); times++) {
		struct part part = any_part(&storm);
		ways[storm_below(&storm, COUNT_OF(ways))](&storm, &part);
		hold(&storm);
	}
	is_over = true;
	for (unsigned i = 0; i < CALLERS; i++) {
		CHECK(pthread_join(workers[i].thread, NULL) == 0);
		faults += workers[i].faults;
		made += workers[i].made_before_fault;
	}
	shadow_compare();
	say("%ld times taken away; %ld calls, %ld faults, %ld of them behind a call; %s", times, shadow_calls(), faults, made,
	    shadow_word());
	return 0;
}
