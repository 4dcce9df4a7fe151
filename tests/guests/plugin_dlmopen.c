/* plugin_dlmopen - row 1: libraries with raw system calls, and a libc of their own, in new link-map namespaces,
 * from two threads */
#include "plugin.h"

enum { ROUNDS = 12 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;   /* few namespaces: one at a time */

static void run_namespace(int fd, long *calls)
{
	char path[512];
	void *plugin = dlmopen(LM_ID_NEWLM, plugin_path("plugin", path), RTLD_NOW);
	Lmid_t namespace;
	plugin_run(plugin, fd, calls);
	CHECK(dlinfo(plugin, RTLD_DI_LMID, &namespace) == 0);
	void *libc = dlmopen(namespace, "libc.so.6", RTLD_NOW);
	pid_t (*other_getpid)(void) = (pid_t (*)(void))plugin_symbol(libc, "getpid");
	ssize_t (*other_write)(int, const void *, size_t) =
		(ssize_t (*)(int, const void *, size_t))plugin_symbol(libc, "write");
	CHECK(other_getpid != getpid && other_write != write);
	CHECK_EQ(other_getpid(), getpid());
	CHECK_EQ(other_write(1, "written\n", 8), 8);
	CHECK(dlclose(libc) == 0 && dlclose(plugin) == 0);
}

static void *body(void *unused)
{
	long calls = 0;
	int fd = memfd_create("calls", MFD_CLOEXEC);
	for (int round = 0; round < ROUNDS; round++) {
		CHECK(pthread_mutex_lock(&lock) == 0);
		run_namespace(fd, &calls);
		CHECK(pthread_mutex_unlock(&lock) == 0);
	}
	close(fd);
	return unused;
}

int main(int count, char **arguments)
{
	pthread_t thread;
	(void)count;
	plugin_folder = arguments[0];
	CHECK(pthread_create(&thread, NULL, body, NULL) == 0);
	body(NULL);
	CHECK(pthread_join(thread, NULL) == 0);
	say("%d namespaces", 2 * ROUNDS);
	return 0;
}
