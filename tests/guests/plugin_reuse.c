/* plugin_reuse - row 2: one library at a time, opened, run and closed 200 times, from alternating threads; none of
 * its memory stays */
#include "plugin.h"
#include "maps.h"

static int fd;
static long calls;

static void *body(void *unused)
{
	char path[512];
	void *plugin = dlopen(plugin_path("plugin", path), RTLD_NOW);
	plugin_run(plugin, fd, &calls);
	CHECK(dlclose(plugin) == 0);
	return unused;
}

int main(int count, char **arguments)
{
	static struct maps maps;
	pthread_t thread;
	(void)count;
	plugin_folder = arguments[0];
	fd = memfd_create("calls", MFD_CLOEXEC);
	for (int round = 0; round < 200; round++) {
		if (round % 2)
			CHECK(pthread_create(&thread, NULL, body, NULL) == 0 && pthread_join(thread, NULL) == 0);
		else
			body(NULL);
	}
	read_maps(&maps);
	CHECK(strstr(maps.text, "/plugin.so") == NULL);
	say("%ld calls", calls);
	return 0;
}
