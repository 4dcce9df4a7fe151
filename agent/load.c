/* load.c - the preloaded library's constructor, and what needs a libc: the private namespace
 *
 * The only file of the agent that calls libc, and it does so before the thread is armed. Zydis and the hook
 * libraries, with a libc of their own, are loaded into one new link-map namespace, where the program never sees
 * them. The library is linked with -z initfirst: the constructor runs before every other one, libc's included.
 * The functions are weak: in a program of another libc they may be missing, and then every site keeps trapping.
 */
#define _GNU_SOURCE
#include "agent/config.h"
#include "agent/hooks.h"
#include "agent/start.h"
#include "agent/zydis.h"
#include "base/fatal.h"
#include "base/print.h"
#include "base/string.h"
#include "lazy/trap.h"
#include "threads/slots.h"
#include <dlfcn.h>
#include <linux/errno.h>

#pragma weak dlmopen
#pragma weak dlsym
#pragma weak dlerror
#pragma weak dlinfo
#pragma weak dlvsym

static Lmid_t namespace = LM_ID_NEWLM;

static void *load(const char *path)
{
	void *handle = dlmopen ? dlmopen(namespace, path, RTLD_NOW | RTLD_LOCAL) : NULL;
	if (handle && namespace == LM_ID_NEWLM) {
		dlinfo(handle, RTLD_DI_LMID, &namespace);
		if (dlvsym)   /* glibc's start_thread() calls it for the program's libc only */
			zl_hook_libc_thread = (void (*)(void))dlvsym(handle, "__ctype_init", "GLIBC_PRIVATE");
	}
	return handle;
}

static void *zydis;

static void *zydis_symbol(const char *name)
{
	return dlsym(zydis, name);
}

static void load_decoder(void)
{
	static const char library[] = "libZydis.so.4.0";

	if (!zl_may_rewrite)
		return;
	zydis = load(library);
	if ((!zydis || zl_zydis_bind(zydis_symbol) != 0) && !zl_config.is_child)
		zl_say(zl_notice, "no decoder: ", library, " can't be used; every call takes the trap path");
}

static _Noreturn void refuse(const char *path, const char *why, const char *detail)
{
	zl_say(zl_complain, "cannot start: hook ", path, ": ", why, detail);
	zl_exit_process(ZL_EXIT_REFUSED);
}

typedef int init_function(const struct zlazy_api *api, const char *argument, struct zlazy_hook *hook);

static void load_hook(const char *path, const char *argument)
{
	struct zlazy_hook hook = { .size = sizeof(hook) };
	void *handle = load(path);
	init_function *init;
	int result;

	if (!handle)
		refuse(path, dlerror ? dlerror() : "no dlmopen() in this libc", "; check ZLAZY_HOOK");
	init = (init_function *)dlsym(handle, "zlazy_hook_init");
	if (!init)
		refuse(path, "it defines no zlazy_hook_init()", "; see zlazy.h");
	result = init(&zl_hook_api, argument, &hook);
	if (result != 0)
		refuse(path, "its zlazy_hook_init() failed", "; check its argument, or its own message");
	if (hook.size != sizeof(hook) || !hook.on_call || hook.registers > ZLAZY_GENERAL_ONLY)
		refuse(path, "it is not of this hook ABI, or set no on_call", "; build it with this version's zlazy.h");
	if (!zl_hooks_add(&hook))
		refuse(path, "too many hooks", "; at most 16 can be loaded");
}

/* path[:argument][;path[:argument]...] */
static void load_hooks(const char *list)
{
	static char text[8192];   /* stays: hooks may keep their argument */
	char *s = text, *end, *argument;

	if (zl_length(list) >= sizeof(text))
		refuse("list", "ZLAZY_HOOK is longer than 8191 bytes", "; shorten it");
	memcpy(text, list, zl_length(list) + 1);
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

extern char **environ __attribute__((weak));
extern const char *gnu_get_libc_version(void) __attribute__((weak));

/* glibc hands a constructor the program's arguments; other libcs have set environ by now. */
__attribute__((constructor)) static void begin(int argc, char **argv, char **envp)
{
	char **end;

	(void)argc, (void)argv;
	if (!gnu_get_libc_version && &environ)
		envp = environ;
	for (end = envp; *end; end++)
		;
	if (!zl_prepare(envp, (const unsigned long (*)[2])(end + 1))) {
		zl_config_continued(envp);
		return;
	}
	load_decoder();
	if (zl_config.hooks)
		load_hooks(zl_config.hooks);
	zl_start(envp, (const unsigned long (*)[2])(end + 1));
}
