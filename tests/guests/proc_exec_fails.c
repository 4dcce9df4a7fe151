/* proc_exec_fails - row 15: execve that fails leaves everything as it was: ENOENT, EFAULT in each list, EACCES, ENOEXEC, E2BIG, ENOTDIR */
#include "code.h"

int main(void)
{
	char *const arguments[] = { "x", NULL }, *const bad[] = { "x", (char *)8, NULL }, *environment[] = { "A=B", NULL };
	char name[] = "/tmp/guest-XXXXXX", *huge = malloc(4 << 20), *const big[] = { "x", huge, NULL };
	int fd = mkstemp(name);
	memset(huge, 'a', (4 << 20) - 1), huge[(4 << 20) - 1] = 0;
	CHECK(fd >= 0 && write(fd, "nothing", 7) == 7);
	sigset_t block, now;
	sigemptyset(&block), sigaddset(&block, SIGSYS), sigaddset(&block, SIGUSR1);
	sigprocmask(SIG_BLOCK, &block, NULL);
	for (int again = 0; again < 5; again++) {
		CHECK_EQ(raw3(SYS_execve, "/nonexistent", arguments, environment), -ENOENT);
		CHECK_EQ(raw3(SYS_execve, "/bin/true", 8, environment), -EFAULT);
		CHECK_EQ(raw3(SYS_execve, "/bin/true", arguments, 8), -EFAULT);
		CHECK_EQ(raw3(SYS_execve, "/bin/true", bad, environment), -EFAULT);
		CHECK_EQ(raw3(SYS_execve, "/bin/true", arguments, bad), -EFAULT);
		CHECK_EQ(raw3(SYS_execve, 8, arguments, environment), -EFAULT);
		CHECK_EQ(raw3(SYS_execve, "/tmp", arguments, environment), -EACCES);
		CHECK_EQ(raw3(SYS_execve, "/bin/true/x", arguments, environment), -ENOTDIR);
		CHECK_EQ(raw3(SYS_execve, "/bin/true", big, environment), -E2BIG);
		CHECK(fchmod(fd, 0700) == 0 && raw3(SYS_execve, name, arguments, environment) == -ETXTBSY);
		sigprocmask(SIG_BLOCK, NULL, &now);
		CHECK(sigismember(&now, SIGSYS) && sigismember(&now, SIGUSR1) && !sigismember(&now, SIGSEGV));
	}
	close(fd);
	CHECK_EQ(raw3(SYS_execve, name, arguments, environment), -ENOEXEC);
	unlink(name);
	CHECK(raw0(SYS_getuid) == getuid());
	say("all refused");
	return 0;
}
