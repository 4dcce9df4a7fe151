/* plugin_threads - rows 1, 2: threads open, run and close libraries with raw system calls in loops, others call
 * one that stays */
#include "plugin.h"

enum { THREADS = 4, ROUNDS = 25 };

static _Atomic int working = THREADS;
static void *shared;

static void *opener(void *unused)
{
	char path[512];
	long calls = 0;
	int fd = memfd_create("calls", MFD_CLOEXEC);
	for (int round = 0; round < ROUNDS; round++) {
		int copy = plugin_copy("plugin", path);
		void *plugin = dlopen(path, round % 2 ? RTLD_NOW : RTLD_LAZY);
		plugin_run(plugin, fd, &calls);
		CHECK(close(copy) == 0);
		void *again = dlopen(plugin_path("plugin", path), RTLD_NOW);   /* the shared one, counted */
		plugin_run(again, fd, &calls);
		CHECK(dlclose(again) == 0 && dlclose(plugin) == 0);
	}
	working--;
	CHECK(lseek(fd, 0, SEEK_CUR) == calls);
	return unused;
}

static void *caller(void *unused)
{
	long calls = 0;
	int fd = memfd_create("calls", MFD_CLOEXEC);
	while (working)
		plugin_run(shared, fd, &calls);
	CHECK(lseek(fd, 0, SEEK_CUR) == calls);
	return unused;
}

int main(int count, char **arguments)
{
	char path[512];
	pthread_t threads[THREADS + 2];
	(void)count;
	plugin_folder = arguments[0];
	CHECK((shared = dlopen(plugin_path("plugin", path), RTLD_NOW)) != NULL);
	for (int i = 0; i < THREADS + 2; i++)
		CHECK(pthread_create(&threads[i], NULL, i < THREADS ? opener : caller, NULL) == 0);
	for (int i = 0; i < THREADS + 2; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	say("%d libraries opened", THREADS * ROUNDS);
	return 0;
}
