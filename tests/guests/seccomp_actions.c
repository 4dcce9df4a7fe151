/* seccomp_actions - rows 12, 19: every action on calls that zlazy-like tools treat specially: RET_ERRNO, RET_TRAP with and without handler, RET_KILL_*, nested filters */
#include "seccomp.h"

static volatile int trapped, last;

static void on_sigsys(int signo, siginfo_t *info, void *context)
{
	CHECK(signo == SIGSYS && info->si_code == 1);
	last = info->si_syscall;
	trapped++;
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RAX] = -77;
}

static int in_child(void (*f)(void))
{
	pid_t pid = fork();
	if (pid == 0) {
		no_new_privileges();
		f();
		_exit(0);
	}
	return wait_child(pid);
}

static const int special[] = { SYS_rt_sigprocmask, SYS_rt_sigaction, SYS_sigaltstack, SYS_clone, SYS_fork, SYS_vfork, SYS_clone3,
	SYS_exit, SYS_exit_group, SYS_close, SYS_dup2, SYS_execve, SYS_prctl, SYS_arch_prctl, SYS_seccomp, SYS_ptrace, SYS_getpid,
	SYS_wait4, SYS_rt_sigpending, SYS_rt_sigtimedwait, SYS_close_range, SYS_kill };

static void refused(void)
{
	CHECK(filter_numbers(0, SECCOMP_RET_ERRNO | 66, SECCOMP_RET_ALLOW, special, COUNT_OF(special)) == 0);
	for (unsigned i = 0; i < COUNT_OF(special); i++)
		CHECK_EQ(raw6(special[i], 0, 0, 0, 0, 0, 0), -66);
	say("all refused");
	syscall(SYS_tkill, syscall(SYS_gettid), SIGKILL);
}

static void to_handler(void)
{
	handle(SIGSYS, on_sigsys, 0);
	CHECK(filter_numbers(0, SECCOMP_RET_TRAP, SECCOMP_RET_ALLOW, special, COUNT_OF(special)) == 0);
	for (unsigned i = 0; i < COUNT_OF(special); i++) {
		CHECK_EQ(raw6(special[i], 0, 0, 0, 0, 0, 0), -77);
		CHECK(last == special[i] && trapped == (int)i + 1);
	}
	say("%d trapped", trapped);
	syscall(SYS_tkill, syscall(SYS_gettid), SIGKILL);
}

static void trap_default(void) { REFUSE(SECCOMP_RET_TRAP, SYS_getppid); raw0(SYS_getppid); }
static void trap_blocked(void)
{
	sigset_t set;
	handle(SIGSYS, on_sigsys, 0);
	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	REFUSE(SECCOMP_RET_TRAP, SYS_getppid);
	raw0(SYS_getppid);
}
static void trap_default_tight(void)
{
	CHECK(filter_numbers(0, SECCOMP_RET_ALLOW, SECCOMP_RET_TRAP, NUMBERS(SYS_write, SYS_exit_group)) == 0);
	raw0(SYS_getppid);
}
static void kill_process(void) { REFUSE(SECCOMP_RET_KILL_PROCESS, SYS_getppid); raw0(SYS_getppid); }
static void kill_thread(void) { REFUSE(SECCOMP_RET_KILL_THREAD, SYS_getppid); raw0(SYS_getppid); }
static void kill_mask(void) { REFUSE(SECCOMP_RET_KILL_PROCESS, SYS_rt_sigprocmask); raw6(SYS_rt_sigprocmask, 0, 0, 0, 1, 0, 0); }
static void no_tracer(void) { REFUSE(SECCOMP_RET_TRACE, SYS_getppid); CHECK_EQ(raw0(SYS_getppid), -ENOSYS); }
static void unknown_action(void) { REFUSE(0x12340000U, SYS_getppid); raw0(SYS_getppid); }
static void segv(void) { ALLOW_ONLY(SYS_write); *(volatile int *)8192 = 1; }
static void segv_sent(void) { ALLOW_ONLY(SYS_write, SYS_getpid, SYS_kill); raw2(SYS_kill, raw0(SYS_getpid), SIGSEGV); raw0(SYS_getpid); }

static void nested(void)
{
	REFUSE(SECCOMP_RET_ERRNO | 5, SYS_getppid, SYS_getgid);
	REFUSE(SECCOMP_RET_ERRNO | 6, SYS_getppid, SYS_getegid);
	REFUSE(SECCOMP_RET_LOG, SYS_getppid);
	say("%ld %ld %ld", raw0(SYS_getppid), raw0(SYS_getgid), raw0(SYS_getegid));
	CHECK_EQ(prctl(PR_GET_SECCOMP), 2);
	CHECK(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL) == -1 && errno == EINVAL);
	ALLOW_ONLY(SYS_write, SYS_getppid, SYS_seccomp, SYS_exit_group);
	say("%ld", raw0(SYS_getppid));
	ALLOW_ONLY(SYS_write, SYS_getgid, SYS_exit_group);
	say("still here");
	raw0(SYS_getgid);
}

static void *ends_alone(void *nothing)
{
	REFUSE(SECCOMP_RET_KILL_THREAD, SYS_getppid);
	raw0(SYS_getppid);
	say("FAIL alive");
	return nothing;
}

static void thread_killed(void)
{
	pthread_t thread;
	CHECK(pthread_create(&thread, NULL, ends_alone, NULL) == 0);
	pthread_join(thread, NULL);
	say("outlived its thread");
}

int main(void)
{
	static const struct { const char *name; void (*f)(void); } all[] = {
		{ "refused", refused }, { "to handler", to_handler }, { "trap, default", trap_default }, { "trap, blocked", trap_blocked },
		{ "trap, default, tight", trap_default_tight }, { "kill process", kill_process }, { "kill thread", kill_thread },
		{ "kill mask", kill_mask }, { "no tracer", no_tracer }, { "unknown action", unknown_action }, { "segv", segv },
		{ "segv sent", segv_sent }, { "nested", nested }, { "thread killed", thread_killed } };
	for (unsigned i = 0; i < COUNT_OF(all); i++)
		say("%s: %#x", all[i].name, in_child(all[i].f));
	return 0;
}
