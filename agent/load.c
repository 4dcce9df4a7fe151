/* load.c - the preloaded library's constructor, and what needs a libc: the private namespace
 *
 * The only file of the agent that calls libc, and it does so before the thread is armed. The library is linked with
 * -z initfirst: the constructor runs before every other one, libc's included. The functions are weak: in a program of
 * another libc they may be missing, and then every site keeps trapping.
 *
 * Zydis is loaded without ld.so (bare.c), and needs no libc. Where that is not possible, or LD_LIBRARY_PATH may name
 * another file, it goes where hook libraries go, each of which may use a libc: into one new link-map namespace, where
 * the program never sees them. The first object of a namespace is searched for names by all others of it, before their
 * own; so that is the libc, and no hook library. A namespace takes half a millisecond: without hooks there is none.
 *
 * The namespace's libc takes its environment from the program's libc at the moment of dlmopen(), and that one has
 * none yet. So it is lent one meanwhile: a copy, for programs overwrite theirs, without LD_PRELOAD and the agent's own
 * variables, for a child that zlazy_hook_init() starts must not load the same hook again.
 */
#define _GNU_SOURCE
#include "agent/bare.h"
#include "agent/config.h"
#include "agent/hooks.h"
#include "agent/pattern.h"
#include "agent/start.h"
#include "agent/zydis.h"
#include "base/fatal.h"
#include "base/os.h"
#include "base/print.h"
#include "base/ranges.h"
#include "base/string.h"
#include "lazy/decoder.h"
#include "lazy/function.h"
#include "lazy/trap.h"
#include "threads/control.h"
#include <dlfcn.h>
#include <elf.h>
#include <linux/errno.h>
#include <linux/mman.h>

#pragma weak dlmopen
#pragma weak dlsym
#pragma weak dlerror
#pragma weak dlinfo
#pragma weak dlvsym

/* The beginning of <link.h>'s, which can't be had together with the kernel's headers. */
struct link_map {
	uintptr_t l_addr;
	char *l_name;
	void *l_ld;
	struct link_map *l_next, *l_prev;
};

static Lmid_t namespace = LM_ID_NEWLM;
static void *last;   /* of its objects, one that stays */
static void *any_hook;

/* pthread_create() does it for the libc that it belongs to, at the first thread: before, putc() takes no lock. */
static void enable_locks(void *handle)
{
	void (*enable)(void) = (void (*)(void))dlvsym(handle, "_IO_enable_locks", "GLIBC_PRIVATE");
	if (enable)
		enable();
}

static void *load(const char *path)
{
	void *handle = dlmopen ? dlmopen(namespace, path, RTLD_NOW | RTLD_LOCAL) : NULL;
	if (handle && namespace == LM_ID_NEWLM)
		dlinfo(handle, RTLD_DI_LMID, &namespace);
	if (handle && dlvsym && !zl_hook_libc.begin_thread) {   /* not every library has a libc */
		/* glibc's start_thread() calls it for the program's libc only */
		zl_hook_libc.begin_thread = (void (*)(void))dlvsym(handle, "__ctype_init", "GLIBC_PRIVATE");
		enable_locks(handle);
	}
	if (handle)
		last = handle;
	return handle;
}

/* Why the last load() failed, without the path that the linker puts before it. */
static const char *load_error(const char *path)
{
	const char *why = dlmopen && dlerror ? dlerror() : NULL, *rest;

	if (!why)
		return "no dlmopen() in this libc";
	rest = zl_after(why, path);
	rest = rest ? zl_after(rest, ": ") : NULL;
	return rest ? rest : why;
}

static void *zydis;
static const struct zl_bare *bare_zydis;

static void *zydis_symbol(const char *name)
{
	return dlsym(zydis, name);
}

static void *bare_symbol(const char *name)
{
	return zl_bare_symbol(bare_zydis, name);
}

/* Zydis's assertions, and its stack canaries. */
static _Noreturn void fail_assertion(const char *text, const char *file, unsigned line, const char *function)
{
	(void)text, (void)file, (void)function;
	zl_fatal(ZL_FATAL_STATE, line);
}

static _Noreturn void fail_stack(void)
{
	zl_fatal(ZL_FATAL_STATE, (unsigned long)__builtin_return_address(0));
}

static bool names_libraries(char *const *envp)
{
	for (const char *value; *envp; envp++)
		if ((value = zl_after(*envp, "LD_LIBRARY_PATH=")) && *value)
			return true;
	return false;
}

static bool load_bare_decoder(char *const *envp)
{
	static const struct zl_import imports[] = {
		{ "memcpy", (const void *)memcpy }, { "memset", (const void *)memset },
		{ "strlen", (const void *)zl_length }, { "__assert_fail", (const void *)fail_assertion },
		{ "__stack_chk_fail", (const void *)fail_stack }, { NULL, NULL },
	};
	long error;

	if (!dlmopen || names_libraries(envp))
		return false;
	bare_zydis = zl_bare_load(ZL_ZYDIS, imports, &error);
	return bare_zydis && zl_zydis_bind(bare_symbol) == 0;
}

static void load_decoder(void)
{
	static const char library[] = "libZydis.so.4.0";
	struct zl_line line = { 0 };
	bool is_forced = zl_config.tactic == ZL_SET_ZPOLINE || zl_config.tactic == ZL_SET_JUMP;

	zydis = load(library);
	if (zydis && zl_zydis_bind(zydis_symbol) == 0)
		return;
	if (is_forced) {
		zl_put(&line, "zlazy: cannot start: ZLAZY_TACTIC=");
		zl_put(&line, zl_config_tactic());
		zl_put(&line, " needs a decoder: ");
	} else {
		zl_put(&line, "zlazy: no decoder: ");
	}
	zl_put(&line, library);
	zl_put(&line, " can't be loaded: ");
	zl_put(&line, zydis ? "it is no Zydis 4" : load_error(library));
	if (is_forced) {
		zl_put(&line, "; install libzydis4.0 or use ZLAZY_TACTIC=auto");
		zl_complain(&line);
		zl_exit_process(ZL_EXIT_REFUSED);
	}
	zl_put(&line, "; every call takes the trap path");
	zl_notice_at_start(&line);
}

static _Noreturn void refuse(const char *path, const char *why, const char *detail)
{
	zl_say(zl_complain, "cannot start: hook ", path, ": ", why, detail);
	zl_exit_process(ZL_EXIT_REFUSED);
}

/* Before its zlazy_hook_init() is called with structures that it may take for others. */
static void check_abi(const char *path, void *handle)
{
	const uint32_t *abi = (const uint32_t *)dlsym(handle, "zlazy_hook_abi");
	struct zl_line line = { 0 };

	if (abi && *abi == ZLAZY_ABI_VERSION)
		return;
	zl_put(&line, "zlazy: cannot start: hook ");
	zl_put(&line, path);
	zl_put(&line, ": built for ABI ");
	if (abi)
		zl_put_decimal(&line, *abi);
	else
		zl_put(&line, "unknown (it exports no zlazy_hook_abi)");
	zl_put(&line, ", this agent has ");
	zl_put_decimal(&line, ZLAZY_ABI_VERSION);
	zl_put(&line, "; rebuild it with this zlazy.h");
	zl_complain(&line);
	zl_exit_process(ZL_EXIT_REFUSED);
}

static _Noreturn void refuse_answer(const char *path, int answer)
{
	struct zl_line line = { 0 };

	zl_put(&line, "zlazy: cannot start: hook ");
	zl_put(&line, path);
	zl_put(&line, ": its zlazy_hook_init() answered ");
	zl_put_answer(&line, answer);
	zl_put(&line, "; check its argument, or its own message");
	zl_complain(&line);
	zl_exit_process(ZL_EXIT_REFUSED);
}

static void load_hook(const char *path, const char *argument)
{
	/* Room behind it: a hook that is wrong in spite of its version must not overwrite anything else. */
	static union { struct zlazy_hook hook; char slack[4096]; } room;
	int (*init)(const struct zlazy_api *api, const char *argument, struct zlazy_hook *hook);
	void *handle = load(path);
	int answer;

	if (!handle)
		refuse(path, load_error(path), "; check ZLAZY_HOOK");
	any_hook = handle;
	*(void **)&init = dlsym(handle, "zlazy_hook_init");
	if (!init)
		refuse(path, "it defines no zlazy_hook_init()", "; see zlazy.h");
	check_abi(path, handle);
	memset(&room, 0, sizeof(room));
	room.hook.size = sizeof(room.hook);
	answer = init(&zl_hook_api, argument, &room.hook);
	if (answer != 0)
		refuse_answer(path, answer);
	if (room.hook.size != sizeof(room.hook))
		refuse(path, "it changed `size` of struct zlazy_hook", ", which is read-only; see zlazy.h");
	if (!room.hook.on_call)
		refuse(path, "its zlazy_hook_init() set no on_call", "; see zlazy.h");
	if (room.hook.registers > ZLAZY_GENERAL_ONLY)
		refuse(path, "its zlazy_hook_init() set `registers` to no value of enum zlazy_registers", "; see zlazy.h");
	if (!zl_hooks_add(&room.hook, path))
		refuse(path, "too many hooks", "; at most 16 can be loaded, 15 with -c");
}

/* path[:argument][;path[:argument]...] */
static void load_hooks(const char *list)
{
	static char text[8192];   /* stays: hooks may keep their argument */
	char *s = text, *end, *argument;

	if (zl_length(list) >= sizeof(text))
		refuse("list", "ZLAZY_HOOK is longer than 8191 bytes", "; shorten it");
	memcpy(text, list, zl_length(list) + 1);
	if (namespace == LM_ID_NEWLM)
		load("libc.so.6");
	for (bool is_last = false; !is_last; s = end + 1) {
		for (end = s; *end && *end != ';'; end++)
			;
		is_last = !*end;
		*end = '\0';
		for (argument = s; *argument && *argument != ':'; argument++)
			;
		if (*argument)
			*argument++ = '\0';
		if (*s)
			load_hook(s, argument);
	}
}

static void make_pattern(void)
{
	struct zl_line line = { 0 };

	if (!any_hook || zl_pattern_make(any_hook, zl_first_block()))
		return;
	zl_put(&line, "zlazy: this libc does not tell how its threads are made: hooks share the program's thread blocks "
		      "(see docs/LIMITS.md)");
	zl_notice_at_start(&line);
}

extern char **environ __attribute__((weak));
extern const char *gnu_get_libc_version(void) __attribute__((weak));

static bool is_for_hooks(const char *entry)
{
	return !zl_after(entry, "ZLAZY_") && !zl_after(entry, "LD_PRELOAD=");
}

/* The program's environment as hooks are to see it; NULL if there is no memory for it. */
static char **copy_environment(char **envp)
{
	size_t entries = 0, bytes = 0;
	char **copy, *text;
	long at;

	for (char **entry = envp; *entry; entry++, entries++)
		bytes += zl_length(*entry) + 1;
	at = zl_os_map(0, zl_align_up((entries + 1) * sizeof(*copy) + bytes, ZL_PAGE), PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1);
	if (zl_is_error(at))
		return NULL;
	copy = (char **)at;
	text = (char *)(copy + entries + 1);
	for (entries = 0; *envp; envp++) {
		size_t size = zl_length(*envp) + 1;
		if (!is_for_hooks(*envp))
			continue;
		copy[entries++] = memcpy(text, *envp, size);
		text += size;
	}
	return copy;
}

/* From the first page of its first segment to the end of its last. */
static void guard_object(const struct link_map *object)
{
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)object->l_addr;
	const Elf64_Phdr *segment = (const Elf64_Phdr *)(object->l_addr + header->e_phoff);
	uintptr_t end = 0;

	for (unsigned i = 0; i < header->e_phnum; i++, segment++)
		if (segment->p_type == PT_LOAD && segment->p_vaddr + segment->p_memsz > end)
			end = segment->p_vaddr + segment->p_memsz;
	zl_ranges_add(object->l_addr, object->l_addr + end, ZL_RANGE_HOOKS);
}

/* What the namespace has loaded, but for the dynamic linker, which is the program's too. */
static void guard_namespace(const unsigned long (*auxv)[2])
{
	const struct link_map *object = NULL;
	uintptr_t linker = 0;

	for (; (*auxv)[0] != AT_NULL; auxv++)
		if ((*auxv)[0] == AT_BASE)
			linker = (*auxv)[1];
	if (!last || dlinfo(last, RTLD_DI_LINKMAP, &object) != 0)
		return;
	while (object->l_prev)
		object = object->l_prev;
	for (; object; object = object->l_next)
		if (object->l_addr != linker && memcmp((const void *)object->l_addr, ELFMAG, SELFMAG) == 0)
			guard_object(object);
}

static void load_with_linker(char **envp, bool wants_decoder)
{
	char **theirs = &environ ? environ : NULL;

	if (&environ)
		environ = copy_environment(envp);
	if (wants_decoder)
		load_decoder();
	if (zl_config.hooks) {
		load_hooks(zl_config.hooks);
		make_pattern();
	}
	if (&environ)
		environ = theirs;
}

static void load_all(char **envp)
{
	bool wants_decoder = zl_may_rewrite && !load_bare_decoder(envp);

	if (wants_decoder || zl_config.hooks)
		load_with_linker(envp, wants_decoder);
	if (zl_decoder)   /* glibc 2.35; it knows the modules of all namespaces */
		zl_find_object = (int (*)(void *, struct zl_object *))dlsym(RTLD_DEFAULT, "_dl_find_object");
}

/* glibc hands a constructor the program's arguments; other libcs have set environ by now. */
__attribute__((constructor)) static void begin(int argc, char **argv, char **envp)
{
	const unsigned long (*auxv)[2];
	char **end;

	(void)argc, (void)argv;
	if (!gnu_get_libc_version && &environ)
		envp = environ;
	for (end = envp; *end; end++)
		;
	auxv = (const unsigned long (*)[2])(end + 1);
	if (!zl_prepare(envp, auxv)) {
		zl_config_continued(envp);
		return;
	}
	load_all(envp);
	guard_namespace(auxv);
	zl_start(envp, auxv);
}
