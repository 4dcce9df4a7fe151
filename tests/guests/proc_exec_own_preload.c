/* proc_exec_own_preload - row 15: the program sets an LD_PRELOAD of its own: that library is loaded in the new program, and the
 * rest of the environment arrives as it was, in order */
#include "guest.h"
#include <dlfcn.h>

static int child(char **environment)
{
	say("child: the library is %s", dlsym(RTLD_DEFAULT, "plugin_getuid") ? "there" : "MISSING");
	for (char **e = environment; *e; e++)
		if (strncmp(*e, "LD_PRELOAD=", 11) && strncmp(*e, "ZLAZY_", 6))
			say("child: %s", *e);
	char *preload = getenv("LD_PRELOAD");
	say("child: LD_PRELOAD %s the plugin last", preload && strlen(preload) > 9 && !strcmp(preload + strlen(preload) - 9, "plugin.so") ?
		"names" : "LACKS");
	CHECK(raw0(SYS_getuid) == getuid());
	return 4;
}

int main(int count, char **arguments, char **environment)
{
	char self[256], preload[300];
	(void)count;
	if (!strcmp(arguments[0], "child"))
		return child(environment);
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	self[length] = 0;
	snprintf(preload, sizeof(preload), "LD_PRELOAD=%.*s/plugin.so", (int)(strrchr(self, '/') - self), self);
	char *first[] = { preload, "A=1", "B=", "=odd", "no equals sign", "A=2", NULL }, *middle[] = { "A=1", preload, "Z=1", NULL };
	for (int way = 0; way < 4; way++) {
		pid_t pid = way & 1 ? vfork() : fork();
		if (pid == 0) {
			execve(self, (char *[]){ "child", NULL }, way & 2 ? middle : first);
			_exit(99);
		}
		say("%#x", wait_child(pid));
	}
	return 0;
}
