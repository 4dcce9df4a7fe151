/* proc_setns - row 14: every kind of namespace by clone3, by unshare, and entered by setns with its file; calls,
 * threads and children there. needs the real getpid */
#include "start.h"

static const struct { const char *name; uint64_t flag; } kinds[] = { { "uts", CLONE_NEWUTS }, { "ipc", CLONE_NEWIPC },
	{ "net", CLONE_NEWNET }, { "cgroup", CLONE_NEWCGROUP }, { "mnt", CLONE_NEWNS }, { "time", 0x80 /* CLONE_NEWTIME */ },
	{ "pid", CLONE_NEWPID }, { "user", CLONE_NEWUSER } };
static int fds[4];

static long inode(const char *process, const char *kind)
{
	struct stat state;
	char path[96];
	snprintf(path, sizeof(path), "/proc/%s/ns/%s", process, kind);
	return stat(path, &state) == 0 ? (long)state.st_ino : -1;
}

static int waits(void *unused)
{
	char byte;
	(void)unused;
	raw3(SYS_write, fds[1], "x", 1);
	return raw3(SYS_read, fds[2], &byte, 1) == 1 ? 90 : 91;
}

static void *calls(void *unused)
{
	return raw0(SYS_getppid) > 0 ? unused : NULL;
}

/* In a process of its own: what setns to the file answers, and whether threads and children come up afterwards. */
static int enter(int fd, const char *kind, uint64_t flag, long target)
{
	pthread_t thread;
	long result = raw2(SYS_setns, fd, flag);
	bool for_children = !strcmp(kind, "pid");
	if (result != 0)
		return (int)-result;
	CHECK(for_children || inode("self", kind) == target);
	pid_t child = fork();
	if (child == 0)
		_exit(for_children ? raw0(SYS_getpid) < 100 : inode("self", kind) == target);
	CHECK_EQ(wait_child(child), 0x101);
	CHECK_EQ(wait_child(vfork() ?: (execl("/bin/true", "true", NULL), 1)), 0x100);
	if (!for_children)   /* the kernel refuses threads between setns and the first child there: pid only */
		CHECK(pthread_create(&thread, NULL, calls, NULL) == 0 && pthread_join(thread, NULL) == 0);
	return 100;
}

static void try(const char *kind, uint64_t flag)
{
	char path[64], byte;
	struct clone_args args = { .flags = flag, .exit_signal = SIGCHLD };
	CHECK(pipe(fds) == 0 && pipe(fds + 2) == 0);
	long pid = start3(&args, sizeof(args), waits, NULL);
	if (pid < 0) {
		say("%s: clone3 %ld", kind, pid);
	} else {
		CHECK(read(fds[0], &byte, 1) == 1);
		snprintf(path, sizeof(path), "%ld", pid);
		long target = inode(path, kind);
		snprintf(path, sizeof(path), "/proc/%ld/ns/%s", pid, kind);
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		CHECK(fd >= 0 && target != inode("self", kind));
		pid_t child = fork();
		if (child == 0)
			_exit(enter(fd, kind, flag, target));
		int entered = wait_child(child), wrong = (int)raw2(SYS_setns, fd, flag == CLONE_NEWUTS ? CLONE_NEWIPC : CLONE_NEWUTS);
		CHECK(write(fds[3], "x", 1) == 1);
		say("%s: clone3 %#x, setns %#x, by another kind %d", kind, wait_child((pid_t)pid), entered, wrong);
		close(fd);
	}
	pid_t child = fork();
	if (child == 0) {
		long before = inode("self", kind), result = raw1(SYS_unshare, flag);
		_exit(result ? (int)-result : 100 + (inode("self", kind) != before));
	}
	say("%s: unshare %d", kind, wait_child(child) & 0xff);
	for (int i = 0; i < 4; i++)
		close(fds[i]);
}

int main(void)
{
	if (getuid() != 0 || unshare(CLONE_NEWUTS) != 0)
		SKIP("no new namespaces for this user");
	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		try(kinds[i].name, kinds[i].flag);
	say("setns of no namespace: %ld %ld", raw2(SYS_setns, 0, 0), raw2(SYS_setns, -1, 0));
	return 0;
}
