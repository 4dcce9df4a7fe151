/* plugin.h - opening plugin.so and its kin, which lie beside the guest; also as a file of one's own, so that each
 * opening maps it anew */
#ifndef GUEST_PLUGIN_H
#define GUEST_PLUGIN_H

#include "guest.h"
#include <dlfcn.h>
#include <sys/sendfile.h>

static const char *plugin_folder;

GUEST_UNUSED static const char *plugin_path(const char *name, char path[512])
{
	snprintf(path, 512, "%.*s/%s.so", (int)(strrchr(plugin_folder, '/') - plugin_folder), plugin_folder, name);
	return path;
}

/* A descriptor of a copy without a name; its path is written to `path`. */
GUEST_UNUSED static int plugin_copy(const char *name, char path[512])
{
	struct stat status;
	int from = open(plugin_path(name, path), O_RDONLY | O_CLOEXEC), fd = memfd_create("plugin", MFD_CLOEXEC);
	CHECK(from >= 0 && fd >= 0 && fstat(from, &status) == 0);
	CHECK(sendfile(fd, from, NULL, (size_t)status.st_size) == status.st_size && close(from) == 0);
	snprintf(path, 512, "/proc/self/fd/%d", fd);
	return fd;
}

GUEST_UNUSED static void *plugin_symbol(void *plugin, const char *name)
{
	if (!plugin)
		FAIL("%s", dlerror());
	void *symbol = dlsym(plugin, name);
	CHECK(symbol != NULL);
	return symbol;
}

/* Calls of plugin.so; fd is where its seeks are counted. */
GUEST_UNUSED static void plugin_run(void *plugin, int fd, long *calls)
{
	long (*plugin_getuid)(void) = (long (*)(void))plugin_symbol(plugin, "plugin_getuid");
	long (*plugin_seek)(int) = (long (*)(int))plugin_symbol(plugin, "plugin_seek");
	for (int again = 0; again < 3; again++) {
		CHECK_EQ(plugin_getuid(), getuid());
		CHECK_EQ(plugin_seek(fd), ++*calls);
	}
}

#endif
