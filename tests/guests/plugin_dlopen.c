/* plugin_dlopen - row 1: a shared object with raw system calls, opened at run time, closed and opened again */
#include "guest.h"
#include <dlfcn.h>

int main(int count, char **arguments)
{
	char path[512];
	int fd = memfd_create("calls", 0);
	(void)count;
	snprintf(path, sizeof(path), "%.*s/plugin.so", (int)(strrchr(arguments[0], '/') - arguments[0]), arguments[0]);
	for (long round = 0; round < 20; round++) {
		void *plugin = dlopen(path, RTLD_NOW);
		if (!plugin)
			FAIL("%s", dlerror());
		long (*plugin_getuid)(void) = (long (*)(void))dlsym(plugin, "plugin_getuid");
		long (*plugin_seek)(int) = (long (*)(int))dlsym(plugin, "plugin_seek");
		for (int again = 0; again < 3; again++)
			CHECK(plugin_getuid() == getuid() && plugin_seek(fd) == 3 * round + again + 1);
		CHECK(dlclose(plugin) == 0);
	}
	say("20 times opened");
	return 0;
}
