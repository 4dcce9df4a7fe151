/* proc_exec_environment - row 15: execve with a NULL and with an empty environment, with NULL arguments, with a long list */
#include "code.h"

/* The child prints what it was given, less what a preloaded library may have left there. */
static int child(int count, char **arguments, char **environment)
{
	int variables = 0;
	for (char **e = environment; e && *e; e++)
		variables += strncmp(*e, "LD_PRELOAD", 10) != 0 && strncmp(*e, "ZLAZY_", 6) != 0;
	CHECK(raw0(SYS_getuid) == getuid());
	say("child: %d arguments, last %s, %d variables", count, count > 1 ? arguments[count - 1] : "none", variables);
	return 7;
}

int main(int count, char **arguments, char **environment)
{
	static char *many[3003], *const empty[] = { NULL }, *one[] = { "A=B", NULL };
	char *with[] = { "child", "x", NULL };
	if (count == 0 || strcmp(arguments[0], "child") == 0 || !*arguments[0])
		return child(count, arguments, environment);
	for (int i = 0; i < 3000; i++)
		many[i] = "child";
	char **tries[][2] = { { with, NULL }, { with, (char **)empty }, { with, one }, { many, one }, { with, many },
		{ (char **)empty, one }, { NULL, NULL } };
	for (size_t i = 0; i < COUNT_OF(tries); i++) {
		pid_t pid = i % 2 ? vfork() : fork();
		if (pid == 0) {
			raw3(SYS_execve, arguments[0], tries[i][0], tries[i][1]);
			_exit(99);
		}
		CHECK_EQ(wait_child(pid), 0x107);
	}
	return 0;
}
