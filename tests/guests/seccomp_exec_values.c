/* seccomp_exec_values - rows 15, 19: a program is started under a filter that kills for a value of an argument which
 * the program never uses, and the agent's start does */
#include "seccomp.h"

/* PROCMAP_QUERY; MADV_NOHUGEPAGE, MADV_GUARD_INSTALL. */
static const struct value { int number, argument; unsigned value; } values[] = {
	{ SYS_ioctl, 1, 0xc0686611 }, { SYS_madvise, 2, 15 }, { SYS_madvise, 2, 102 },
};

static void refuse(const struct value *v)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)v->number, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)(16 + 8 * v->argument)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, v->value, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { COUNT_OF(code), code };

	no_new_privileges();
	CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		say("started under filter %s", argv[1]);
		return 0;
	}
	for (int i = 0; i < (int)COUNT_OF(values); i++) {
		char text[16];
		int status;
		pid_t child = fork();

		snprintf(text, sizeof(text), "%d", i);
		if (child == 0) {
			refuse(&values[i]);
			execl("/proc/self/exe", argv[0], text, NULL);
			FAIL("exec: %d", errno);
		}
		CHECK(waitpid(child, &status, 0) == child);
		CHECK_EQ(status, 0);
	}
	return 0;
}
