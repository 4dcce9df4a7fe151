/* life_dlclose - row 2: a library with raw system calls is closed, and one opened, mostly at its place, that calls
 * NULL where the other had sites */
#include "life.h"
#include <dlfcn.h>

static void *open_plugin(const char *program, const char *name, unsigned char **code)
{
	char path[512];
	snprintf(path, sizeof(path), "%.*s/%s.so", (int)(strrchr(program, '/') - program), program, name);
	void *plugin = dlopen(path, RTLD_NOW);
	if (!plugin)
		FAIL("%s", dlerror());
	CHECK((*code = dlsym(plugin, "plugin_code")) != NULL);
	return plugin;
}

int main(int count, char **arguments)
{
	unsigned char *code;
	handle(SIGSEGV, on_fault, 0);
	(void)count;
	for (int round = 0; round < 10; round++) {
		void *plugin = open_plugin(arguments[0], "life_plugin_sites", &code);
		for (int i = 0; i < 64; i++)
			CHECK_EQ(call_at(code + 32 * (i % 32) + (i % 2 ? 12 : 9), SYS_getpid, 0, 0), getpid());
		CHECK(dlclose(plugin) == 0);
		plugin = open_plugin(arguments[0], "life_plugin_calls", &code);
		for (int i = 0; i < 32; i += 2) {
			expect_fault(code + 32 * i + 12, 0, SEGV_MAPERR, 0, 0);
			expect_fault(code + 32 * (i + 1) + 11, 39, SEGV_MAPERR, 39, 39);
			CHECK_EQ(fault.slot, code + 32 * (i + 1) + 16);
			CHECK_EQ(call_at(code + 32 * (i + 1) + 11, (long)(uintptr_t)own_target, 0, 0), 4711);
		}
		CHECK(dlclose(plugin) == 0);
	}
	say("10 times");
	return 0;
}
