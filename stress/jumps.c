/* jumps - functions whose call, and the number before it, are looked at, run and taken away all at once
 *
 * Functions as compilers lay them, with padding between them, in pages of a private file mapping, so that the number
 * and the call lie at every offset around cache lines, words and pages. In each round three threads call them, one
 * function a few hundred times in a row or one after the other: from the start, from the instruction with the number, and by a
 * branch straight to the `syscall`. Two of them start with the same functions at the same moment. Meanwhile the main
 * thread makes pages writable and protects them again, maps the file over them, throws them away, forks, and sends
 * signals, whose handlers call, too. Between two rounds the memory is unmapped, or gets other functions in place, or
 * the same ones with other numbers.
 *
 * Pass: each call gives what it gives natively, with rcx, r11 and the other registers, and counts once (shadow.h), in a
 * forked child, too; handlers are shown instructions of the functions, or other code of the program's, nothing else.
 * The last line tells how many functions had other bytes at the end of a round than were written, and where.
 */
#include "emit.h"
#include <link.h>

enum { CALLERS = 3, PAGES = 4, SIZE = PAGES * CODE_PAGE, MOST_FUNCTIONS = SIZE / 16, MOST_RANGES = 32, IN_A_ROW = 300 };
enum { FORKED = 17, PATTERN = 0x5a5a1234 };
enum way { WHOLE, AT_NUMBER, STRAIGHT, WAYS };

struct function { unsigned start, site; enum form form; int number; };

struct worker {
	struct storm storm;
	pthread_t thread;
	struct seeker seeker;
	unsigned index;
	long calls;
};

static struct worker workers[CALLERS];
static _Thread_local bool may_call;
static struct function functions[MOST_FUNCTIONS];
static unsigned function_count;
static unsigned char image[SIZE], begins[SIZE], *code;
static pthread_barrier_t barrier;
static _Atomic bool round_is_over, is_over;
static _Atomic long signals, arrived;
static struct { uintptr_t start, end; } ranges[MOST_RANGES];   /* of the program's and its libraries' code */
static unsigned range_count;
static long numbers_changed, calls_changed, forks;
static int file;

static int add_ranges(struct dl_phdr_info *info, size_t size, void *data)
{
	(void)size, (void)data;
	for (unsigned i = 0; i < info->dlpi_phnum && range_count < MOST_RANGES; i++) {
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];
		if (part->p_type == PT_LOAD && part->p_flags & PF_X) {
			ranges[range_count].start = info->dlpi_addr + part->p_vaddr;
			ranges[range_count].end = ranges[range_count].start + part->p_memsz;
			range_count++;
		}
	}
	return 0;
}

static bool is_of_program(uintptr_t pc)
{
	for (unsigned i = 0; i < range_count; i++)
		if (pc >= ranges[i].start && pc < ranges[i].end)
			return true;
	return false;
}

static void put(struct storm *storm, struct function *f)
{
	unsigned lead = emit_lead(f->form);

	f->number = emit_number(storm, f->form);
	emit_at(image + f->site, f->form, f->number);
	begins[f->site - lead] = begins[f->site] = begins[f->site + 2] = 1;
}

/* Each cache line has its function's site at another offset; around the ends of pages there is one more. */
static void lay(struct storm *storm)
{
	unsigned end = 0, turn = storm_below(storm, 64), site = 32;

	memset(begins, 0, sizeof(begins));
	for (function_count = 0; site < SIZE - 128; turn++) {
		struct function *f = &functions[function_count++];
		unsigned left = CODE_PAGE - site % CODE_PAGE;
		f->form = storm_below(storm, FORMS);
		site = left < 100 && left > 20 ? site + left - 5 + storm_below(storm, 12) : site + (turn - site) % 64;
		f->site = site;
		f->start = emit_between(storm, image, end, site - emit_lead(f->form), begins);
		put(storm, f);
		end = site + AFTER_SITE;
		site = end + BEFORE_SITE + storm_below(storm, 48);
	}
	emit_padding(storm, image + end, SIZE - end);
}

/* The same functions with other numbers. */
static void renumber(struct storm *storm)
{
	for (unsigned i = 0; i < function_count; i++)
		if (emit_has_number(functions[i].form))
			put(storm, &functions[i]);
}

static unsigned char *map_file(void *at)
{
	void *mapped = mmap(at, SIZE, PROT_RX, MAP_PRIVATE | (at ? MAP_FIXED : 0), file, 0);

	CHECK(mapped != MAP_FAILED);
	return mapped;
}

/* While nobody calls. */
static void begin_round(struct storm *storm)
{
	enum { ANEW, OVER, IN_PLACE, WRITES };
	unsigned way = code ? storm_below(storm, WRITES) : ANEW;

	if (code && storm_below(storm, 2))
		renumber(storm);
	else
		lay(storm);
	if (code && way == ANEW)
		CHECK(munmap(code, SIZE) == 0);
	if (way == IN_PLACE) {
		protect(code, PAGES, storm_below(storm, 2) ? PROT_RW : PROT_RWX);
		memcpy(code, image, SIZE);
		protect(code, PAGES, PROT_RX);
	} else if (way == OVER) {
		CHECK(mmap(code, SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == code);
	}
	CHECK_EQ(pwrite(file, image, SIZE, 0), SIZE);   /* after a rewriting in place nothing is the file's there */
	if (way != IN_PLACE)
		code = map_file(way == OVER ? code : NULL);
	arrived = 0;
	round_is_over = false;
}

static void end_round(void)
{
	for (unsigned i = 0; i < function_count; i++) {
		unsigned site = functions[i].site, mov = site - emit_lead(functions[i].form);
		numbers_changed += code[mov] != image[mov];
		calls_changed += code[site] != image[site];
	}
	shadow_compare();
}

/* rcx and r11 are as a `syscall` leaves them, all else is as it was. */
static long run(const struct function *f, enum way way, long a, int number)
{
	unsigned into = way == WHOLE ? f->start : way == AT_NUMBER ? f->site - emit_lead(f->form) : f->site;
	register long r8 asm("r8") = (long)(code + into), r9 asm("r9") = PATTERN, r10 asm("r10") = PATTERN + 1;
	long result = number, cx = number, b = 1, c = SEEK_CUR, flags, r11;

	asm volatile("leaq -128(%%rsp), %%rsp; call *%%r8; pushfq; popq %[flags]; leaq 128(%%rsp), %%rsp; movq %%r11, %[r11]"
		     : "+a"(result), "+c"(cx), "+D"(a), "+S"(b), "+d"(c), "+r"(r8), "+r"(r9), "+r"(r10),
		       [flags] "=&r"(flags), [r11] "=&r"(r11) : : "r11", "memory", "cc");
	CHECK_EQ(cx, code + f->site + 2);
	CHECK_EQ(r11, flags);
	CHECK(r8 == (long)(code + into) && r9 == PATTERN && r10 == PATTERN + 1 && b == 1 && c == SEEK_CUR);
	return result;
}

static void call(struct storm *storm, const struct function *f, enum way way, struct seeker *seeker)
{
	bool is_given = way == STRAIGHT || !emit_has_number(f->form);
	int number = !is_given ? f->number : way == STRAIGHT ? shadow_any(storm) : emit_number(storm, f->form);
	long a = f->form == BY_DI && way != STRAIGHT ? number : seeker->fd;

	shadow_made(number, run(f, way, a, number), seeker);
}

static void on_signal(int signal, siginfo_t *info, void *context)
{
	uintptr_t pc = (uintptr_t)reg(context, REG_RIP), into = pc - (uintptr_t)code;
	struct storm storm = { .random = (uint64_t)++signals * 2 + 1 };

	(void)signal, (void)info;
	if (into < SIZE ? !begins[into] : !is_of_program(pc))
		FAIL("a handler is shown pc %#lx, %#lx from the code", pc, into);
	if (may_call) {
		const struct function *f = &functions[storm_below(&storm, function_count)];
		int number = emit_has_number(f->form) ? f->number : shadow_own(&storm);
		if (number != SYS_lseek)    /* whose counter the interrupted code may be about to compare */
			shadow_made(number, run(f, storm_below(&storm, STRAIGHT), number, number), NULL);
	}
}

/* Two threads come to the same fresh functions at once. */
static void meet(long step)
{
	arrived++;
	for (unsigned looks = 1; arrived < 2 * (step + 1) && !round_is_over; looks++)
		if (looks % 256 == 0)
			sched_yield();
}

static void call_round(struct worker *w)
{
	serialize();
	may_call = true;
	for (unsigned i = 0; w->index < 2 && i < function_count && !round_is_over; i++) {
		meet(i);
		pause_some(&w->storm, 32);
		call(&w->storm, &functions[i], storm_below(&w->storm, WAYS), &w->seeker);
	}
	while (!round_is_over) {
		const struct function *f = &functions[storm_below(&w->storm, function_count)];
		enum way way = storm_below(&w->storm, WAYS);
		unsigned times = 1 + storm_below(&w->storm, storm_below(&w->storm, 2) ? 3 : IN_A_ROW);
		for (; times > 0 && !round_is_over; times--, w->calls++)
			call(&w->storm, f, way, &w->seeker);
	}
	may_call = false;
}

static void *work(void *argument)
{
	struct worker *w = argument;

	w->seeker = seeker_open();
	for (;;) {
		pthread_barrier_wait(&barrier);
		if (is_over)
			return NULL;
		call_round(w);
		pthread_barrier_wait(&barrier);
	}
}

__attribute__((noreturn)) static void be_forked(struct storm *storm)
{
	struct seeker seeker = seeker_open();

	shadow_begin();
	for (unsigned i = 0; i < 2 * function_count; i++)
		call(storm, &functions[i % function_count], storm_below(storm, WAYS), &seeker);
	shadow_compare();
	_exit(FORKED);
}

/* While the others call. */
static void change(struct storm *storm)
{
	enum { OPEN, OVER, THROW, SIGNAL, FORK, CHANGES };
	unsigned first = storm_below(storm, PAGES), pages = 1 + storm_below(storm, PAGES - first);
	unsigned char *at = code + first * CODE_PAGE;
	size_t size = pages * (size_t)CODE_PAGE;
	pid_t child;

	switch (storm_below(storm, 4) ? storm_below(storm, FORK) : storm_below(storm, CHANGES)) {
	case OPEN:
		protect(at, (int)pages, PROT_RWX);
		pause_some(storm, 2000);
		protect(at, (int)pages, PROT_RX);
		break;
	case OVER:
		CHECK(mmap(at, size, PROT_RX, MAP_PRIVATE | MAP_FIXED, file, first * (off_t)CODE_PAGE) == at);
		break;
	case THROW:
		CHECK(madvise(at, size, MADV_DONTNEED) == 0);
		break;
	case SIGNAL:
		CHECK(pthread_kill(workers[storm_below(storm, CALLERS)].thread, SIGUSR1) == 0);
		break;
	default:
		child = fork();
		if (child == 0)
			be_forked(storm);
		CHECK(child > 0);
		CHECK_EQ(wait_child(child), 0x100 | FORKED);
		forks++;
	}
}

static void block(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigaddset(&set, SIGUSR1);
	CHECK(pthread_sigmask(how, &set, NULL) == 0);
}

int main(int argc, char **argv)
{
	struct storm storm = storm_begin(argc, argv);
	long rounds = 0, changes = 0;

	file = file_open();
	report_faults();
	dl_iterate_phdr(add_ranges, NULL);
	handle(SIGALRM, on_signal, SA_RESTART);
	handle(SIGUSR1, on_signal, SA_RESTART);
	CHECK(pthread_barrier_init(&barrier, NULL, CALLERS + 1) == 0);
	shadow_begin();
	for (unsigned i = 0; i < CALLERS; i++) {
		workers[i].storm = storm_part(&storm, i);
		workers[i].index = i;
		CHECK(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0);
	}
	block(SIG_BLOCK);       /* for the others */
	tick_every(500);
	for (; storm_lasts(&storm); rounds++) {
		begin_round(&storm);
		pthread_barrier_wait(&barrier);
		for (unsigned left = storm_below(&storm, 60); left > 0; left--, changes++) {
			sleep_us(storm_below(&storm, 500));
			change(&storm);
		}
		sleep_us(1000);
		round_is_over = true;
		pthread_barrier_wait(&barrier);
		end_round();
	}
	tick_every(0);
	is_over = true;
	pthread_barrier_wait(&barrier);
	for (unsigned i = 0; i < CALLERS; i++)
		CHECK(pthread_join(workers[i].thread, NULL) == 0);
	say("%ld changes in %ld rounds, %ld forks, %ld signals; %ld calls; changed: %ld before the call, %ld at it; %s",
	    changes, rounds, forks, (long)signals, shadow_calls(), numbers_changed, calls_changed, shadow_word());
	return 0;
}
