/* proc_cgroup - row 14: CLONE_INTO_CGROUP: the child begins in the control group that its parent names. needs the real getpid */
#include "start.h"

static int group;

/* The line of cgroup v2 in /proc/self/cgroup ends with our group's name. */
static int child(void *name)
{
	static char text[8192];
	int fd = open("/proc/self/cgroup", O_RDONLY);
	ssize_t length = read(fd, text, sizeof(text) - 1);
	text[length > 0 ? length : 0] = 0;
	char *line = strncmp(text, "0::", 3) ? strstr(text, "\n0::") : text;
	return line && strstr(line, name) ? 21 : 22;
}

int main(void)
{
	static const char *const roots[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	char name[64], path[160];
	snprintf(name, sizeof(name), "guest-%d", getpid());
	for (size_t i = 0; i < COUNT_OF(roots) && !group; i++) {
		snprintf(path, sizeof(path), "%s/cgroup.procs", roots[i]);
		if (access(path, F_OK) != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", roots[i], name);
		group = mkdir(path, 0755) == 0;
	}
	if (!group)
		SKIP("no control group of version 2 can be made");
	int fd = open(path, O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 3; i++) {
		struct clone_args args = { .flags = CLONE_INTO_CGROUP | (i == 1 ? CLONE_VFORK | CLONE_VM : 0), .exit_signal = SIGCHLD,
			.cgroup = (uint64_t)fd };
		if (i == 2)
			args.cgroup = 12345;
		long pid = start3(&args, sizeof(args), child, name);
		if (i == 2)
			CHECK_EQ(pid, -EBADF);
		else
			say("%#x", pid > 0 ? wait_child((pid_t)pid) : (int)pid);
	}
	CHECK(rmdir(path) == 0);
	return 0;
}
