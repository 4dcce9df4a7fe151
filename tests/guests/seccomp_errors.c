/* seccomp_errors - row 19: what the kernel answers to bad and odd seccomp calls; queries; the longest filters */
#include "seccomp.h"

static const struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);

static void install(const char *what, unsigned flags, const void *program)
{
	long by_call = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, program);
	int error = by_call == 0 ? 0 : errno;
	long by_prctl = prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program);
	say("%s: %ld %d, %ld %d", what, by_call, error, by_prctl, by_prctl == 0 ? 0 : errno);
}

static void install_code(const char *what, const struct sock_filter *code, int length)
{
	struct sock_fprog program = { (unsigned short)length, (struct sock_filter *)(uintptr_t)code };
	install(what, 0, &program);
}

static void as_nobody(void)
{
	pid_t pid = fork();
	if (pid == 0) {
		CHECK(geteuid() != 0 || setuid(65534) == 0);
		install_code("nobody", &allow, 1);
		no_new_privileges();
		install_code("nobody, no new privileges", &allow, 1);
		_exit(0);
	}
	CHECK_EQ(wait_child(pid), 0x100);
}

static long uid_under_many(int length, int filters)
{
	struct sock_filter *code = calloc((size_t)length, sizeof(*code));
	struct sock_fprog program = { (unsigned short)length, code };
	for (int i = 0; i < length - 3; i++)
		code[i] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, 1);
	code[length - 3] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)length - 3, 1, 0);
	code[length - 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 99);
	code[length - 1] = allow;
	for (int i = 0; i < filters; i++)
		CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 || errno == ENOMEM);
	return raw0(SYS_getuid);
}

int main(void)
{
	static const struct sock_filter endless[] = { BPF_STMT(BPF_LD | BPF_IMM, 0) }, wild[] = { BPF_STMT(BPF_JMP | BPF_JA, 9), allow },
		back[] = { BPF_STMT(BPF_JMP | BPF_JA, -1u), allow },
		packet[] = { BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 0), allow }, odd[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2), allow },
		memory[] = { BPF_STMT(BPF_LD | BPF_MEM, 3), allow },
		registers[] = { BPF_STMT(BPF_MISC | BPF_TXA, 0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS), allow };
	static struct sock_filter many[4097];
	unsigned action = SECCOMP_RET_TRAP;
	struct seccomp_notif_sizes sizes;

	as_nobody();
	no_new_privileges();
	CHECK_EQ(prctl(PR_GET_SECCOMP), 0);
	install("bad pointer", 0, (void *)8192);
	install_code("empty", &allow, 0);
	install_code("bad code", (struct sock_filter *)8192, 5);
	for (int i = 0; i < 4097; i++)
		many[i] = allow;
	install_code("too long", many, 4097);
	install_code("endless", endless, 1);
	install_code("wild", wild, 2);
	install_code("back", back, 2);
	install_code("packet", packet, 2);
	install_code("odd", odd, 2);
	install_code("memory", memory, 2);
	struct sock_fprog good = { 1, (struct sock_filter *)(uintptr_t)&allow };
	say("flags: %ld %d", syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 1 << 20, &good), errno);
	say("operation: %ld %d", syscall(SYS_seccomp, 77, 0, &good), errno);
	say("strict: %ld %d", syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, &good), errno);
	say("mode: %d %d", prctl(PR_SET_SECCOMP, 7, &good), errno);
	say("available: %ld", syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action));
	CHECK(syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) == 0);
	CHECK_EQ(prctl(PR_GET_SECCOMP), 0);
	install_code("registers", registers, 4);
	CHECK_EQ(prctl(PR_GET_SECCOMP), 2);
	CHECK_EQ(uid_under_many(4000, 1), getuid());
	CHECK_EQ(uid_under_many(4090, 1), getuid());
	CHECK_EQ(uid_under_many(4096, 9), getuid());
	say("long filters");
	return 0;
}
