/* jit - threads that emit code, run it, and reuse its memory at once, each in every way that JITs have
 *
 * Each thread has a piece of memory of two pages full of small functions: system calls, calls through NULL, plain code
 * with the bytes of a system call in an operand. Again and again it maps the piece anew (by munmap and mmap, or right
 * over the old one; to be made executable by mprotect, RWX, from a file, in two views of one), or rewrites some of
 * the functions, or moves or copies the piece, throws its pages away, takes its protection away; then it runs
 * everything. Or it has its part of pages that all threads write to and run. Functions mostly have their last
 * instruction where another had it before: what was a system call may now be a call through NULL, or the reverse.
 *
 * Pass: every call gives what it gives natively, once (shadow.h); every call through NULL faults as natively, siginfo,
 * registers and stack, and not elsewhere; plain code gives its number.
 */
#include "nulls.h"

enum { THREADS = 4, PAGES = 2, SIZE = PAGES * CODE_PAGE, SLOT = 128, SLOTS = SIZE / SLOT - 1, FIRST_SLOT = SLOT / 2 };
enum { LEAST_END = 12, MOST_END = SLOT - 4 };
enum memory { PROTECTED, OPEN, FROM_FILE, VIEWS, COMMON, MEMORIES };
enum what { SITE, NULL_BY_RAX, NULL_BY_RDX, PLAIN, EMPTY };

struct slot {
	enum what what;
	enum form form;
	int number;
	unsigned end;           /* of the last instruction but `ret`, from the start of the piece */
};

struct worker {
	struct storm storm;
	pthread_t thread;
	unsigned index;
	struct seeker seeker;
	enum memory memory;
	unsigned char *code, *view;     /* view: where it is written */
	int file;
	struct slot slots[SLOTS], in_file[SLOTS];
	struct null_call null;
	long pieces, nulls;
};

static struct worker workers[THREADS];
static _Thread_local struct worker *self;
static unsigned char *common;   /* RWX, a slot for each thread in turn */

static void on_segv(int signal, siginfo_t *info, void *context)
{
	const greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;

	if (regs[REG_RIP])
		report_fault(signal, info, context);
	null_check(&self->null, info, context);
}

static unsigned slot_start(unsigned slot)
{
	return FIRST_SLOT + slot * SLOT;
}

/* Fill one slot of a piece that is written at `to`. */
static void emit_slot(struct worker *w, unsigned char *to, unsigned index)
{
	struct slot *slot = &w->slots[index];
	unsigned char *end;

	if (w->memory == COMMON && index % THREADS != w->index) {
		slot->what = EMPTY;
		return;
	}
	if (slot->end == 0 || storm_below(&w->storm, 3) == 0)
		slot->end = slot_start(index) + LEAST_END + storm_below(&w->storm, MOST_END - LEAST_END);
	slot->what = storm_below(&w->storm, 3) ? SITE : storm_below(&w->storm, EMPTY);
	slot->form = storm_below(&w->storm, FORMS);
	slot->number = emit_number(&w->storm, slot->form);
	end = to + slot->end;
	memset(to + slot_start(index), 0xcc, SLOT);
	switch (slot->what) {
	case SITE:
		if (storm_below(&w->storm, 2))
			emit_between(&w->storm, to, slot_start(index), slot->end - 2 - emit_lead(slot->form), NULL);
		emit_at(end - 2, slot->form, slot->number);
		break;
	case NULL_BY_RAX: case NULL_BY_RDX:
		null_emit(end, slot->what == NULL_BY_RAX, slot->number);
		break;
	default:        /* mov $0xd0ff050f,%eax, whose last two bytes could be a call; ret */
		memcpy(end - 5, "\xb8\x0f\x05\xff\xd0\xc3", 6);
	}
}

static void emit_all(struct worker *w, unsigned char *to)
{
	if (w->memory != COMMON)
		memset(to, 0xcc, SIZE);
	for (unsigned i = 0; i < SLOTS; i++)
		emit_slot(w, to, i);
}

static void run_site(struct worker *w, const struct slot *slot, const unsigned char *code)
{
	int number = emit_has_number(slot->form) ? slot->number : emit_number(&w->storm, slot->form);

	shadow_made(number, emit_run(code + slot->end - 2, slot->form, number, &w->seeker), &w->seeker);
}

static void run_null(struct worker *w, const struct slot *slot, const unsigned char *code)
{
	long faults = w->null.faults;
	unsigned lead = slot->what == NULL_BY_RAX ? 4 : 9;

	w->null.after = (long)(code + slot->end);
	w->null.number = shadow_own(&w->storm);
	w->null.jumps = storm_below(&w->storm, 2);
	if (!w->null.jumps || sigsetjmp(w->null.out, 0) == 0) {
		long answer = ((emitted_function *)(uintptr_t)(code + slot->end - lead))(-1, 0, 0, w->null.number);
		CHECK_EQ(answer, NULL_ANSWER);
	}
	CHECK_EQ(w->null.faults, faults + 1);
	w->nulls++;
}

static void run_slot(struct worker *w, const struct slot *slot, const unsigned char *code)
{
	switch (slot->what) {
	case SITE:
		run_site(w, slot, code);
		break;
	case NULL_BY_RAX: case NULL_BY_RDX:
		run_null(w, slot, code);
		break;
	case PLAIN:
		CHECK_EQ(call_at(code + slot->end - 5, 0, 0, 0), 0xd0ff050f);
		break;
	case EMPTY:
		break;
	}
}

static void run_all(struct worker *w, const unsigned char *code)
{
	unsigned start = storm_below(&w->storm, SLOTS);

	serialize();
	for (unsigned i = 0; i < SLOTS; i++) {
		const struct slot *slot = &w->slots[(start + i) % SLOTS];
		for (unsigned times = 1 + storm_below(&w->storm, 3); times > 0; times--)
			run_slot(w, slot, code);
	}
}

static unsigned char *map(void *where, int protection, int flags, int fd)
{
	void *at = mmap(where, SIZE, protection, flags | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);
	CHECK(at != MAP_FAILED);
	return at;
}

/* What is at w->code when the old piece is given up: the place to map at, and the flag for it. */
static int give_up(struct worker *w)
{
	if (w->code == common)
		w->code = w->view = NULL;
	if (w->view != w->code)
		CHECK(munmap(w->view, SIZE) == 0);
	if (w->code && storm_below(&w->storm, 2))
		return MAP_FIXED;
	if (w->code)
		CHECK(munmap(w->code, SIZE) == 0);   /* the next may or may not come to lie there: others map, too */
	return 0;
}

static void write_to_file(struct worker *w)
{
	unsigned char image[SIZE];

	emit_all(w, image);
	CHECK_EQ(pwrite(w->file, image, SIZE, 0), SIZE);
	memcpy(w->in_file, w->slots, sizeof(w->slots));
}

static void map_anew(struct worker *w)
{
	int fixed = give_up(w);

	w->pieces++;
	w->memory = storm_below(&w->storm, MEMORIES);
	switch (w->memory) {
	case PROTECTED:
		w->code = w->view = map(w->code, PROT_RW, MAP_PRIVATE | fixed, -1);
		emit_all(w, w->view);
		protect(w->code, PAGES, PROT_RX);
		break;
	case OPEN:
		w->code = w->view = map(w->code, PROT_RWX, MAP_PRIVATE | fixed, -1);
		emit_all(w, w->view);
		break;
	case FROM_FILE:
		write_to_file(w);
		w->code = w->view = map(w->code, PROT_RX, MAP_PRIVATE | fixed, w->file);
		break;
	case COMMON:
		if (fixed)
			CHECK(munmap(w->code, SIZE) == 0);
		w->code = w->view = common;
		emit_all(w, w->view);
		break;
	default:
		w->code = map(w->code, PROT_RX, MAP_SHARED | fixed, w->file);
		w->view = map(NULL, PROT_RW, MAP_SHARED, w->file);
		emit_all(w, w->view);
	}
}

static void rewrite(struct worker *w)
{
	bool is_closed = w->memory == PROTECTED || w->memory == FROM_FILE;
	unsigned one_in = 1 + storm_below(&w->storm, 8);

	if (is_closed)
		protect(w->code, PAGES, storm_below(&w->storm, 2) ? PROT_RW : PROT_RWX);
	for (unsigned i = 0; i < SLOTS; i++)
		if (storm_below(&w->storm, one_in) == 0)
			emit_slot(w, w->view, i);
	if (is_closed)
		protect(w->code, PAGES, PROT_RX);
}

static void move_to(struct worker *w, unsigned char *to)
{
	CHECK(mremap(w->code, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
	w->view = w->view == w->code ? to : w->view;
	w->code = to;
}

/* To another place, and perhaps back, unless another thread has taken the old one meanwhile. */
static void move(struct worker *w)
{
	unsigned char *from = w->code;
	void *back;

	move_to(w, map(NULL, PROT_NONE, MAP_PRIVATE, -1));
	if (storm_below(&w->storm, 2))
		return;
	run_all(w, w->code);
	back = mmap(from, SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (back == MAP_FAILED)
		CHECK(errno == EEXIST);
	else
		move_to(w, back);
}

/* Run copies of what has run: of functions with their number only, for without it a copy of rewritten code is a call
 * through NULL. Not of what may have got a jump, which is in files: a copied jump leads elsewhere (docs/LIMITS.md). */
static void copy(struct worker *w)
{
	const char *tactic = getenv("ZLAZY_TACTIC");
	unsigned char *to;
	bool in_place = storm_below(&w->storm, 2);

	if (w->memory == FROM_FILE && tactic && strcmp(tactic, "zpoline") != 0)
		return;
	to = map(NULL, PROT_RW, MAP_PRIVATE, -1);
	memcpy(to, w->code, SIZE);
	protect(to, PAGES, in_place ? PROT_RWX : PROT_RX);
	serialize();
	for (unsigned i = 0; i < SLOTS; i++) {
		const struct slot *slot = &w->slots[i];
		if (slot->what == SITE && slot->form != FIXED)
			continue;
		run_slot(w, slot, to);
		run_slot(w, slot, to);
	}
	CHECK(munmap(to, SIZE) == 0);
}

/* Anonymous pages are empty afterwards, those of a file have its bytes. */
static void throw_away(struct worker *w)
{
	CHECK(madvise(w->code, SIZE, MADV_DONTNEED) == 0);
	if (w->memory == FROM_FILE) {
		memcpy(w->slots, w->in_file, sizeof(w->slots));
	} else if (w->memory != VIEWS) {
		protect(w->code, PAGES, PROT_RW);
		emit_all(w, w->view);
		protect(w->code, PAGES, w->memory == OPEN ? PROT_RWX : PROT_RX);
	}
}

static void close_and_open(struct worker *w)
{
	unsigned page = storm_below(&w->storm, PAGES);
	unsigned char *at = w->code + page * CODE_PAGE;

	protect(at, 1, storm_below(&w->storm, 2) ? PROT_NONE : PROT_READ);
	protect(at, 1, w->memory == OPEN ? PROT_RWX : PROT_RX);
}

static void *work(void *argument)
{
	static void (*const ways[])(struct worker *) = { map_anew, rewrite, copy, rewrite, move, throw_away, close_and_open };
	enum { FOR_COMMON = 4 };    /* the rest would take away what the others run */
	struct worker *w = self = argument;

	w->seeker = seeker_open();
	w->file = w->index % 2 ? memfd_create("code", MFD_CLOEXEC) : file_open();
	CHECK(w->file >= 0 && ftruncate(w->file, SIZE) == 0);
	for (map_anew(w); storm_lasts(&w->storm);) {
		for (unsigned times = 1 + storm_below(&w->storm, 2); times > 0; times--)
			run_all(w, w->code);
		ways[storm_below(&w->storm, w->memory == COMMON ? FOR_COMMON : COUNT_OF(ways))](w);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	struct storm storm = storm_begin(argc, argv);
	long pieces = 0, nulls = 0;

	report_faults();
	handle(SIGSEGV, on_segv, SA_NODEFER);
	common = map(NULL, PROT_RWX, MAP_PRIVATE, -1);
	shadow_begin();
	for (unsigned i = 0; i < THREADS; i++) {
		workers[i].storm = storm_part(&storm, i);
		workers[i].index = i;
		CHECK(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		CHECK(pthread_join(workers[i].thread, NULL) == 0);
		pieces += workers[i].pieces;
		nulls += workers[i].nulls;
	}
	shadow_compare();
	say("%ld pieces of memory with code; %ld calls, %ld through NULL; %s", pieces, shadow_calls(), nulls, shadow_word());
	return 0;
}
