/* proc_exec_ways - row 15: fexecve, execveat, a script with #!, execvp along PATH, /proc/self/exe, exec from a thread. needs the real getpid */
#include "guest.h"

static char *const child[] = { "child", NULL };

static void *exec_from_thread(void *path)
{
	execv(path, child);
	_exit(98);
}

int main(int count, char **arguments)
{
	char name[] = "/tmp/guest-XXXXXX", script[600], self[256];
	pthread_t thread;
	if (count && !strcmp(arguments[0], "child"))
		return raw0(SYS_getuid) == getuid() && getpid() == gettid() ? 7 : 8;
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	self[length] = 0;
	int fd = mkstemp(name);
	snprintf(script, sizeof(script), "#!/bin/sh\n/bin/true && exec /bin/sh -c 'exit 7'\n");
	CHECK(write(fd, script, strlen(script)) > 0 && fchmod(fd, 0700) == 0 && close(fd) == 0);
	for (int way = 0; way < 6; way++) {
		pid_t pid = fork();
		if (pid == 0) {
			switch (way) {
			case 0: fexecve(open(self, O_RDONLY | O_CLOEXEC), child, environ); break;
			case 1: raw6(SYS_execveat, AT_FDCWD, (long)self, (long)child, (long)environ, 0, 0); break;
			case 2: execv(name, child); break;
			case 3: execlp("sh", "sh", "-c", "exit 7", NULL); break;
			case 4: execv("/proc/self/exe", child); break;
			case 5: pthread_create(&thread, NULL, exec_from_thread, self); pause();
			}
			_exit(99);
		}
		say("way %d: %#x", way, wait_child(pid));
	}
	unlink(name);
	return 0;
}
