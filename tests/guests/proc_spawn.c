/* proc_spawn - rows 14 and 15: posix_spawn, system and popen, from the main thread and from four at once. needs the real getpid */
#include "guest.h"
#include <spawn.h>

static void *body(void *argument)
{
	char *const arguments[] = { "sh", "-c", "exit 42", NULL };
	for (int round = 0; round < 5; round++) {
		pid_t child;
		CHECK(posix_spawn(&child, "/bin/sh", NULL, NULL, arguments, environ) == 0);
		CHECK_EQ(wait_child(child), 0x12a);
		CHECK_EQ(posix_spawn(&child, "/nonexistent", NULL, NULL, arguments, environ), ENOENT);
	}
	return argument;
}

int main(void)
{
	pthread_t threads[4];
	char line[64] = "";
	body(NULL);
	CHECK_EQ(WEXITSTATUS(system("exit 3")), 3);
	CHECK_EQ(WTERMSIG(system("kill -9 $$")), 9);
	FILE *pipe = popen("echo one; echo two | tr a-z A-Z; (exit 5)", "r");
	while (fgets(line, sizeof(line), pipe))
		say("%.*s", (int)strcspn(line, "\n"), line);
	CHECK_EQ(WEXITSTATUS(pclose(pipe)), 5);
	for (int i = 0; i < 4; i++)
		CHECK(pthread_create(&threads[i], NULL, body, NULL) == 0);
	for (int i = 0; i < 4; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	return 0;
}
