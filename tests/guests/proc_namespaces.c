/* proc_namespaces - row 14: new pid, mount, host name and user namespaces by clone3, unshare and setns; exec and signals there. needs the real getpid */
#include "start.h"
#include <sys/mount.h>

static volatile int handled;
static void on_signal(int signo) { (void)signo; handled++; }

/* In a pid namespace of its own: 1, its children 2, 3... */
static int first(void *argument)
{
	char name[65];
	int status;
	(void)argument;
	signal(SIGUSR1, on_signal);
	CHECK(getpid() == 1 && raw0(SYS_gettid) == 1 && getppid() == 0 && kill(1, SIGUSR1) == 0 && handled == 1);
	CHECK(sethostname("guest", 5) == 0 && gethostname(name, sizeof(name)) == 0 && !strcmp(name, "guest"));
	pid_t child = fork();
	if (child == 0)
		_exit(getpid() == 2 && getppid() == 1 && raw0(SYS_getuid) == getuid() ? 5 : 6);
	CHECK(child == 2 && waitpid(2, &status, 0) == 2 && WEXITSTATUS(status) == 5);
	CHECK_EQ(wait_child(vfork() ?: (execl("/bin/sh", "sh", "-c", "/bin/true; test $$ = 3 && exit 9", NULL), 1)), 0x109);
	if (umount2("/proc", MNT_DETACH) == 0) {   /* no /proc: exec all the same */
		CHECK_EQ(wait_child(fork() ?: (execl("/bin/sh", "sh", "-c", "exit 8", NULL), 1)), 0x108);
		CHECK(raw0(SYS_getgid) == getgid());
	}
	return 7;
}

static int waits(void *argument)
{
	char byte;
	CHECK(sethostname("other", 5) == 0);
	CHECK(write(((int *)argument)[1], "x", 1) == 1 && read(((int *)argument)[2], &byte, 1) == 1);
	return 0;
}

int main(void)
{
	char before[65], name[65], byte;
	int fds[4], pidfd;
	struct clone_args args = { .flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC, .exit_signal = SIGCHLD };
	CHECK(gethostname(before, sizeof(before)) == 0);
	if (getuid() != 0 || unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		SKIP("no new namespaces for this user");
	say("clone3: %#x", wait_child((pid_t)start3(&args, sizeof(args), first, NULL)));
	/* unshare: this process has them, its children are first in theirs */
	pid_t child = fork();
	if (child == 0) {
		CHECK(unshare(CLONE_NEWPID | CLONE_NEWUTS | CLONE_FILES | CLONE_FS | CLONE_SYSVSEM) == 0);
		_exit(wait_child(fork() ?: (_exit(first(NULL)), 0)) & 0xff);
	}
	say("unshare: %#x", wait_child(child));
	args.flags = CLONE_NEWUSER;
	child = (pid_t)start3(&args, sizeof(args), (int (*)(void *))(void *)getuid, NULL);
	say("user namespace: %s", child < 0 ? "none" : wait_child(child) == (0x100 | (65534 & 0xff)) ? "nobody" : "?");
	/* setns, by the pidfd of a process there */
	CHECK(pipe(fds) == 0 && pipe(fds + 2) == 0);
	args = (struct clone_args){ .flags = CLONE_NEWUTS | CLONE_PIDFD, .pidfd = (uint64_t)&pidfd, .exit_signal = SIGCHLD };
	child = (pid_t)start3(&args, sizeof(args), waits, fds);
	CHECK(child > 0 && read(fds[0], &byte, 1) == 1 && raw2(SYS_setns, pidfd, CLONE_NEWUTS) == 0);
	CHECK(gethostname(name, sizeof(name)) == 0 && !strcmp(name, "other") && write(fds[3], "x", 1) == 1);
	CHECK_EQ(wait_child(child), 0x100);
	CHECK_EQ(wait_child(fork() ?: (execl("/bin/sh", "sh", "-c", "test `uname -n` = other && exit 3", NULL), 1)), 0x103);
	say("setns: %d", strcmp(before, name) != 0);
	return 0;
}
