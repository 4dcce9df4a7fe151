/* jump_plugin - issue 5, row 2: a library with raw calls, from a file of its own, opened and closed over and over;
 * its calls work each time */
#include "jump.h"
#include "plugin.h"

static void copy_to_file(const char *name, char path[512])
{
	char source[512];
	struct stat status;
	int from = open(plugin_path(name, source), O_RDONLY | O_CLOEXEC), to;
	strcpy(path, "/tmp/guest-plugin-XXXXXX");
	CHECK(from >= 0 && (to = mkstemp(path)) >= 0 && fstat(from, &status) == 0);
	CHECK(sendfile(to, from, NULL, (size_t)status.st_size) == status.st_size && close(from) == 0 && close(to) == 0);
}

int main(int argc, char **argv)
{
	char path[512];
	long calls = 0;
	int fd = memfd_create("count", 0);
	plugin_folder = argc ? argv[0] : "";
	for (int file = 0; file < 2; file++) {
		copy_to_file("plugin", path);
		for (int round = 0; round < 150; round++) {
			void *plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
			plugin_run(plugin, fd, &calls);
			CHECK(dlclose(plugin) == 0);
		}
		CHECK(unlink(path) == 0);
	}
	say("300 times, %ld seeks", (long)lseek(fd, 0, SEEK_CUR));
	return 0;
}
