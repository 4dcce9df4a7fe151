/* patching - code that the program patches itself while other threads run it
 *
 * Functions of two aligned 8-byte words: the first loads the number and keeps it in rdx, the second has two bytes that
 * are now a `syscall`, now another instruction of two bytes. Patchers change number or instruction as cross-modifying
 * code may be changed: by one store of an aligned word that leaves each instruction where it is; or, where the two
 * bytes lie in different words, lines or pages, behind an int3 (whose handler tries again). Some changes are followed
 * by a membarrier that makes every core fetch anew. Callers call them all the while. In private and shared RWX memory,
 * in a mapping of a file, and through a second, writable view of a memfd.
 *
 * Pass: a function makes its call, or it doesn't, as one of the instructions that were there says; after the barrier,
 * until the next change, as the one that is there. Every call made counts once (shadow.h).
 */
#include "emit.h"
#include <linux/membarrier.h>

enum { CALLERS = 3, PATCHERS = 2, THREADS = CALLERS + PATCHERS, MOST_FUNCTIONS = 60, SPACING = 128, PAGES = 2 };
enum { SIZE = PAGES * CODE_PAGE, FIRST = SPACING - 16 };
enum memory { OPEN, SHARED, FROM_FILE, VIEWS, MEMORIES };
enum shape { LOADED, BY_RCX, ADJACENT, SPLIT, SHAPES };
enum op { CALL, NOP, ZERO, JUMP, OPS };

static const unsigned char op_bytes[OPS][2] = { { 0x0f, 0x05 }, { 0x66, 0x90 }, { 0x31, 0xc0 }, { 0xeb, 0x00 } };

/* What a function does, in one word, so that callers can read it at once. */
union state {
	struct { unsigned change : 16, is_known : 1, op : 3, number : 12; };
	unsigned whole;
};

struct function {
	_Atomic unsigned state;
	enum shape shape;
	unsigned offset, lead;  /* of its start in the memory; from there to the two bytes */
};

struct worker {
	struct storm storm;
	pthread_t thread;
	unsigned index;
	long changes, calls;
};

static struct worker workers[THREADS];
static struct function functions[MOST_FUNCTIONS];
static unsigned function_count;
static unsigned char *code, *view;
static int file;
static pthread_barrier_t barrier;
static _Atomic bool is_over, round_is_over;
static bool has_barrier;
static _Atomic long traps;

static void on_trap(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)info;
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP]--;
	traps++;
}

static void refetch(void)
{
	CHECK(!has_barrier || raw3(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0) == 0);
}

static void store_word(unsigned char *at, const unsigned char bytes[8])
{
	uint64_t word;

	memcpy(&word, bytes, 8);
	__atomic_store_n((uint64_t *)at, word, __ATOMIC_SEQ_CST);
}

/* mov $number,%eax; mov %eax,%edx; nop or mov $number,%edx and three nops */
static void word_with_number(unsigned char bytes[8], enum shape shape, int number)
{
	memcpy(bytes, shape == ADJACENT ? "\xba....\x90\x90\x90" : "\xb8....\x89\xc2\x90", 8);
	memcpy(bytes + 1, &number, 4);
	if (shape == BY_RCX)
		memcpy(bytes, "\x89\xc8\x90\x90\x90", 5);
}

static void word_with_op(unsigned char bytes[8], const struct function *f, enum op op, int number)
{
	memset(bytes, 0x90, 8);
	if (f->shape == ADJACENT) {
		bytes[0] = 0xb8;
		memcpy(bytes + 1, &number, 4);
	}
	memcpy(bytes + f->lead % 8, op_bytes[op], 2);
	bytes[f->lead % 8 + 2] = 0xc3;
}

/* The function's bytes of the two, behind an int3. */
static void change_split(unsigned char *op, enum op to)
{
	__atomic_store_n(op, 0xcc, __ATOMIC_SEQ_CST);
	refetch();
	__atomic_store_n(op + 1, op_bytes[to][1], __ATOMIC_SEQ_CST);
	refetch();
	__atomic_store_n(op, op_bytes[to][0], __ATOMIC_SEQ_CST);
}

static void lay(struct storm *storm, struct function *f, unsigned index)
{
	union state state = { .is_known = 1, .op = storm_below(storm, OPS), .number = (unsigned)shadow_own(storm) };
	unsigned char *at;

	f->shape = storm_below(storm, SHAPES);
	if (f->shape == SPLIT && !has_barrier)
		f->shape = LOADED;
	f->offset = FIRST + index * SPACING + 8 * storm_below(storm, 3);
	f->lead = f->shape == ADJACENT ? 13 : f->shape == SPLIT ? 15 : 8 + storm_below(storm, 6);
	if (f->shape == SPLIT && storm_below(storm, 2))    /* across a line, or the pages */
		f->offset = FIRST + index * SPACING;
	f->state = state.whole;
	at = view + f->offset;
	memset(at, 0x90, 24);
	word_with_number(at, f->shape, (int)state.number);
	if (f->shape == SPLIT) {
		memcpy(at + f->lead, op_bytes[state.op], 2);
		at[f->lead + 2] = 0xc3;
	} else {
		word_with_op(at + 8, f, state.op, (int)state.number);
	}
}

static unsigned char *map(int protection, int flags, int fd)
{
	void *at = mmap(NULL, SIZE, protection, flags | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);
	CHECK(at != MAP_FAILED);
	return at;
}

static void begin_round(struct storm *storm)
{
	enum memory memory = storm_below(storm, MEMORIES);

	code = memory == OPEN ? map(PROT_RWX, MAP_PRIVATE, -1) : memory == SHARED ? map(PROT_RWX, MAP_SHARED, -1)
		: memory == FROM_FILE ? map(PROT_RWX, MAP_PRIVATE, file) : map(PROT_RX, MAP_SHARED, file);
	view = memory == VIEWS ? map(PROT_RW, MAP_SHARED, file) : code;
	memset(view, 0xcc, SIZE);
	function_count = 1 + storm_below(storm, storm_below(storm, 2) ? MOST_FUNCTIONS : 4);
	for (unsigned i = 0; i < function_count; i++)
		lay(storm, &functions[i], i);
	round_is_over = false;
}

static void end_round(void)
{
	shadow_compare();
	if (view != code)
		CHECK(munmap(view, SIZE) == 0);
	CHECK(munmap(code, SIZE) == 0);
}

static void change(struct worker *w, struct function *f)
{
	union state state = { .whole = f->state };
	unsigned char bytes[8], *at = view + f->offset;

	state.change++;
	state.is_known = 0;
	f->state = state.whole;
	if (storm_below(&w->storm, 3)) {
		state.op = storm_below(&w->storm, 2) ? CALL : storm_below(&w->storm, OPS);
		word_with_op(bytes, f, state.op, (int)state.number);
		if (f->shape == SPLIT)
			change_split(at + f->lead, state.op);
		else
			store_word(at + 8, bytes);
	} else if (f->shape == LOADED || f->shape == SPLIT) {
		state.number = (unsigned)shadow_own(&w->storm);
		word_with_number(bytes, f->shape, (int)state.number);
		store_word(at, bytes);
	}
	if (has_barrier && storm_below(&w->storm, 2)) {
		refetch();
		state.is_known = 1;
	}
	f->state = state.whole;
	w->changes++;
}

static void check(struct worker *w, struct told told, union state before, union state after, const struct function *f)
{
	bool is_made = told.result == -ENOSYS;

	w->calls++;
	CHECK(told.number >= OWN_FIRST && told.number < OWN_FIRST + OWN_NUMBERS);
	CHECK(is_made || told.result == told.number || told.result == 0);
	if (is_made)
		shadow_count((int)told.number, 1);
	if (before.whole != after.whole || !before.is_known)
		return;
	if (f->shape != BY_RCX)
		CHECK_EQ(told.number, before.number);
	CHECK_EQ(told.result, before.op == CALL ? -ENOSYS : before.op == ZERO ? 0 : told.number);
}

static void call(struct worker *w, const struct function *f)
{
	union state before = { .whole = f->state };
	struct told told = emit_told(code + f->offset, shadow_own(&w->storm));
	union state after = { .whole = f->state };

	check(w, told, before, after, f);
}

/* Each patcher has functions of its own to change. */
static void work_round(struct worker *w)
{
	unsigned patcher = w->index - CALLERS;

	serialize();
	while (!round_is_over) {
		struct function *f = &functions[storm_below(&w->storm, function_count)];
		if (w->index >= CALLERS && (f - functions) % PATCHERS == patcher)
			change(w, f);
		else
			call(w, f);
		pause_some(&w->storm, 16);
	}
}

static void *work(void *argument)
{
	for (struct worker *w = argument;;) {
		pthread_barrier_wait(&barrier);
		if (is_over)
			return NULL;
		work_round(w);
		pthread_barrier_wait(&barrier);
	}
}

int main(int argc, char **argv)
{
	struct storm storm = storm_begin(argc, argv);
	long rounds = 0, changes = 0, calls = 0;

	has_barrier = syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0) == 0;
	report_faults();
	handle(SIGTRAP, on_trap, SA_NODEFER);
	CHECK((file = memfd_create("code", MFD_CLOEXEC)) >= 0 && ftruncate(file, SIZE) == 0);
	CHECK(pthread_barrier_init(&barrier, NULL, THREADS + 1) == 0);
	shadow_begin();
	for (unsigned i = 0; i < THREADS; i++) {
		workers[i].storm = storm_part(&storm, i);
		workers[i].index = i;
		CHECK(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0);
	}
	for (; storm_lasts(&storm); rounds++) {
		begin_round(&storm);
		pthread_barrier_wait(&barrier);
		sleep_us(1000 + storm_below(&storm, 30000));
		round_is_over = true;
		pthread_barrier_wait(&barrier);
		end_round();
	}
	is_over = true;
	pthread_barrier_wait(&barrier);
	for (unsigned i = 0; i < THREADS; i++) {
		CHECK(pthread_join(workers[i].thread, NULL) == 0);
		changes += workers[i].changes;
		calls += workers[i].calls;
	}
	say("%ld changes of code that ran, in %ld rounds; %ld times run, %ld calls made, %ld int3 met; %s", changes, rounds,
	    calls, shadow_calls(), (long)traps, shadow_word());
	return 0;
}
