/* fd_close_range - row 24: close_range(3, ~0) and a loop of close; then fresh code, a plugin, threads and a child still work */
#include "code.h"
#include <dlfcn.h>

static void *body(void *argument)
{
	CHECK(raw0(SYS_getuid) == getuid());
	return argument;
}

int main(int count, char **arguments)
{
	char path[512];
	pthread_t thread;
	(void)count;
	for (int way = 0; way < 2; way++) {
		if (way == 0)
			CHECK_EQ(raw3(SYS_close_range, 3, ~0U, 0), 0);
		for (int fd = 3; way == 1 && fd < 20000; fd++)
			CHECK_EQ(raw1(SYS_close, fd), -EBADF);
		unsigned char *page = map_pages(1, PROT_RW);
		for (int i = 0; i < 60; i++)
			put_call(page + 64 * i, SYS_getuid);
		protect(page, 1, PROT_RX);
		for (int i = 0; i < 120; i++)
			CHECK_EQ(call_at(page + 64 * (i % 60), 0, 0, 0), getuid());
		CHECK(pthread_create(&thread, NULL, body, NULL) == 0 && pthread_join(thread, NULL) == 0);
		pid_t child = fork();
		if (child == 0)
			_exit(call_at(page, 0, 0, 0) == getuid() ? 7 : 8);
		CHECK_EQ(wait_child(child), 0x107);
	}
	snprintf(path, sizeof(path), "%.*s/plugin.so", (int)(strrchr(arguments[0], '/') - arguments[0]), arguments[0]);
	void *plugin = dlopen(path, RTLD_NOW);
	if (!plugin)
		FAIL("%s", dlerror());
	long (*plugin_getuid)(void) = (long (*)(void))dlsym(plugin, "plugin_getuid");
	CHECK_EQ(plugin_getuid(), getuid());
	CHECK_EQ(open("/dev/null", O_RDONLY), 3);
	say("all works");
	return 0;
}
