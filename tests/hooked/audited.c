/* audited.c - what test_audit.py runs under an LD_AUDIT module: lazily bound calls, from two threads, and a child */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static void *body(void *plugin)
{
	long (*plugin_getuid)(void) = (long (*)(void))dlsym(plugin, "plugin_getuid");
	for (int i = 0; i < 3; i++)
		printf("getppid %d, uid of the plugin %s\n", getppid(), plugin_getuid() == getuid() ? "right" : "wrong");
	return NULL;
}

int main(int count, char **arguments)
{
	pthread_t thread;
	int status;
	for (int round = 0; count > 1 && round < 5; round++) {
		void *plugin = dlopen(arguments[1], RTLD_LAZY);
		if (!plugin || pthread_create(&thread, NULL, body, plugin) != 0)
			return 1;
		pthread_join(thread, NULL);
		dlclose(plugin);
	}
	fflush(stdout);
	pid_t child = fork();
	if (child == 0)
		_exit(getppid() == 4711 ? 7 : 8);
	waitpid(child, &status, 0);
	printf("child %d\n", WEXITSTATUS(status));
	return 0;
}
