/* moving - all of it together: code is patched, emitted, loaded and unloaded, while the process forks, vforks and execs
 *
 * One thread changes functions that everybody calls: a `syscall` and another instruction in turn, by stores of an
 * aligned word. One emits code and frees it. Two open and close libraries with system calls, of which there are two
 * that differ in where these lie. Two make children, by fork, vfork, fork and exec, and vfork and exec; each child
 * calls what there is to call, in its copy of the code or, after vfork, in its parent's. SIGALRM and SIGUSR1 interrupt
 * all of them, and their handlers call, too.
 *
 * Pass: each call gives what it gives natively, and counts once, in each process by itself (shadow.h); each child ends
 * with its status.
 */
#include "emit.h"
#include <dlfcn.h>

enum { FUNCTIONS = 64, OPENERS = 2, MAKERS = 2, WORKERS = 2 + OPENERS + MAKERS, FRESH = 30 };
enum { FORKED = 17, EXECED = 23, VFORKED = 29 };
enum maker { FORK, VFORK, FORK_EXEC, VFORK_EXEC, MAKES };

struct plugin { long (*const *fixed)(void); long (*any)(long number); };

struct library {                /* an opener's */
	_Atomic(const struct plugin *) open;
	_Atomic int users;
};

struct worker {
	struct storm storm;
	pthread_t thread;
	unsigned index;
	_Atomic bool is_there;
	long made[MAKES], opened, changes, emitted;
};

static struct worker workers[WORKERS];
static struct library libraries[OPENERS];
static unsigned char *common;   /* FUNCTIONS aligned words */
static char plugin_path[2][PATH_MAX];
static _Atomic long ticks;
extern char **environ;

/* mov %ecx,%eax; mov %eax,%edx; syscall or nop; ret */
static void put_common(unsigned index, bool calls)
{
	static const unsigned char words[2][8] = { "\x89\xc8\x89\xc2\x66\x90\xc3\xcc", "\x89\xc8\x89\xc2\x0f\x05\xc3\xcc" };
	uint64_t word;

	memcpy(&word, words[calls], 8);
	__atomic_store_n((uint64_t *)(common + 8 * index), word, __ATOMIC_SEQ_CST);
}

static void call_common(struct storm *storm)
{
	int number = shadow_own(storm);
	struct told told = emit_told(common + 8 * storm_below(storm, FUNCTIONS), number);

	CHECK_EQ(told.number, number);
	if (told.result != number)
		shadow_made(number, told.result, NULL);
}

static void on_signal(int signal, siginfo_t *info, void *context)
{
	struct storm storm = { .random = (uint64_t)++ticks * 2 + 1 };

	(void)signal, (void)info, (void)context;
	call_common(&storm);
}

static void call_plugin(struct storm *storm, struct library *library)
{
	const struct plugin *plugin;

	library->users++;
	plugin = library->open;
	if (plugin) {
		int number = shadow_own(storm), index = (int)storm_below(storm, 8);
		shadow_made(number, plugin->any(number), NULL);
		shadow_made(OWN_FIRST + index, plugin->fixed[index](), NULL);
	}
	library->users--;
}

/* Fresh sites. */
static void call_emitted(struct storm *storm)
{
	unsigned char *page = map_pages(1, PROT_RW), *site[FRESH];
	int number[FRESH];
	enum form form[FRESH];

	for (unsigned i = 0; i < FRESH; i++) {
		site[i] = page + 128 * i + BEFORE_SITE + storm_below(storm, 100);
		form[i] = storm_below(storm, FORMS);
		emit_at(site[i], form[i], number[i] = shadow_own(storm));
	}
	protect(page, 1, PROT_RX);
	for (unsigned i = 0; i < 2 * FRESH; i++)
		shadow_made(number[i / 2], emit_run(site[i / 2], form[i / 2], number[i / 2], &(struct seeker){ -1, 0 }), NULL);
	CHECK(munmap(page, CODE_PAGE) == 0);
}

static void call_everything(struct storm *storm)
{
	for (unsigned i = 0; i < FUNCTIONS / 2; i++)
		call_common(storm);
	for (unsigned i = 0; i < OPENERS; i++)
		call_plugin(storm, &libraries[i]);
}

static void patch(struct worker *w)
{
	struct worker *other = &workers[storm_below(&w->storm, WORKERS)];

	for (int i = 0; i < 64; i++, w->changes++) {
		put_common(storm_below(&w->storm, FUNCTIONS), storm_below(&w->storm, 2));
		pause_some(&w->storm, 64);
		call_common(&w->storm);
	}
	if (other->is_there)
		CHECK(pthread_kill(other->thread, SIGUSR1) == 0);
}

static void emit(struct worker *w)
{
	call_emitted(&w->storm);
	call_everything(&w->storm);
	w->emitted++;
}

static void open_and_close(struct worker *w)
{
	struct library *library = &libraries[w->index % OPENERS];
	void *handle = dlopen(plugin_path[storm_below(&w->storm, 2)], RTLD_NOW | RTLD_LOCAL);
	struct plugin plugin;

	if (!handle)
		FAIL("%s", dlerror());
	plugin.fixed = (long (*const *)(void))dlsym(handle, "plugin_fixed");
	plugin.any = (long (*)(long))(uintptr_t)dlsym(handle, "plugin_any");
	CHECK(plugin.fixed && plugin.any);
	library->open = &plugin;
	for (int i = 0; i < 20; i++)
		call_everything(&w->storm);
	library->open = NULL;
	while (library->users)
		sched_yield();
	CHECK(dlclose(handle) == 0);
	w->opened++;
}

__attribute__((noreturn)) static void exec_self(void)
{
	execle("/proc/self/exe", "moving", "child", NULL, environ);
	_exit(1);
}

/* In the child of a fork: with counts of its own. */
__attribute__((noreturn)) static void be_forked(struct storm *storm, bool execs)
{
	shadow_begin();
	call_everything(storm);
	call_emitted(storm);
	call_everything(storm);
	shadow_compare();
	if (execs)
		exec_self();
	_exit(FORKED);
}

/* The child shares memory, and so the counts, with its parent, who waits. */
__attribute__((noinline)) static pid_t make_vforked(struct storm *storm, bool execs)
{
	pid_t child = vfork();

	if (child == 0) {
		call_everything(storm);
		call_emitted(storm);
		if (execs)
			exec_self();
		_exit(VFORKED);
	}
	return child;
}

static void make_child(struct worker *w)
{
	enum maker way = storm_below(&w->storm, 8) ? storm_below(&w->storm, 2) : 2 + storm_below(&w->storm, 2);
	bool execs = way == FORK_EXEC || way == VFORK_EXEC;
	int status = execs ? EXECED : way == FORK ? FORKED : VFORKED;
	pid_t child = way == VFORK || way == VFORK_EXEC ? make_vforked(&w->storm, execs) : fork();

	if (child == 0)
		be_forked(&w->storm, execs);
	CHECK(child > 0);
	call_everything(&w->storm);
	CHECK_EQ(wait_child(child), 0x100 | status);
	w->made[way]++;
}

static void *work(void *argument)
{
	static void (*const parts[WORKERS])(struct worker *) = { patch, emit, open_and_close, open_and_close,
		make_child, make_child };
	struct worker *w = argument;

	w->is_there = true;
	while (storm_lasts(&w->storm))
		parts[w->index](w);
	return NULL;
}

/* After exec: a process with code and counts of its own. */
static int be_execed(void)
{
	struct storm storm = { .random = (uint64_t)getpid() * 2 + 1 };

	shadow_begin();
	call_emitted(&storm);
	call_emitted(&storm);
	shadow_compare();
	return EXECED;
}

/* A file for each opener's dlopen that no other has, and that nobody has to remove. */
static void load_plugin(char *path, const char *program, const char *name, bool in_memory)
{
	static char bytes[256 * 1024];
	char from[PATH_MAX];
	ssize_t size;
	int in, out;

	snprintf(from, sizeof(from), "%.*s/%s", (int)(strrchr(program, '/') - program), program, name);
	CHECK((in = open(from, O_RDONLY | O_CLOEXEC)) >= 0);
	CHECK((size = read(in, bytes, sizeof(bytes))) > 0 && size < (ssize_t)sizeof(bytes));
	out = in_memory ? memfd_create(name, MFD_CLOEXEC) : file_open();
	CHECK(out >= 0 && fcntl(out, F_SETFD, FD_CLOEXEC) == 0);
	CHECK(write(out, bytes, (size_t)size) == size && close(in) == 0);
	snprintf(path, PATH_MAX, "/proc/self/fd/%d", out);
}

int main(int argc, char **argv)
{
	struct storm storm;
	long made[MAKES] = { 0 }, children = 0, opened = 0;
	bool in_memory;

	if (argc == 2 && strcmp(argv[1], "child") == 0)
		return be_execed();
	storm = storm_begin(argc, argv);
	in_memory = storm_below(&storm, 4) == 0;
	load_plugin(plugin_path[0], argv[0], "plugin.so", in_memory);
	load_plugin(plugin_path[1], argv[0], "plugin_shifted.so", in_memory);
	common = map_pages(1, PROT_RWX);
	for (unsigned i = 0; i < FUNCTIONS; i++)
		put_common(i, i % 2);
	shadow_begin();
	report_faults();
	handle(SIGALRM, on_signal, SA_RESTART);
	handle(SIGUSR1, on_signal, SA_RESTART);
	for (unsigned i = 0; i < WORKERS; i++) {
		workers[i].storm = storm_part(&storm, i);
		workers[i].index = i;
		CHECK(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0);
	}
	tick_every(500);
	for (unsigned i = 0; i < WORKERS; i++) {        /* the first is the one that signals the others */
		struct worker *w = &workers[i];
		CHECK(pthread_join(w->thread, NULL) == 0);
		opened += w->opened;
		for (unsigned way = 0; way < MAKES; way++)
			made[way] += w->made[way];
	}
	tick_every(0);
	shadow_compare();
	for (unsigned way = 0; way < MAKES; way++)
		children += made[way];
	say("%ld children: %ld forks, %ld vforks, %ld and %ld with exec; %ld libraries opened, %ld pages emitted, "
	    "%ld changes; %ld signals; %ld calls; %s", children, made[FORK], made[VFORK], made[FORK_EXEC], made[VFORK_EXEC], opened,
	    workers[1].emitted, workers[0].changes, (long)ticks, shadow_calls(), shadow_word());
	return 0;
}
