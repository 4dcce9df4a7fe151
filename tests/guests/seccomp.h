/* seccomp.h - filters for guests: a list of numbers, and what becomes of these and of all others */
#ifndef GUEST_SECCOMP_H
#define GUEST_SECCOMP_H

#include "code.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

enum { MOST_NUMBERS = 64 };

/* seccomp(SECCOMP_SET_MODE_FILTER, flags) of `action` for the listed numbers, `others` for the rest. */
GUEST_UNUSED static long filter_numbers(unsigned flags, unsigned action, unsigned others, const int *numbers, int count)
{
	struct sock_filter code[MOST_NUMBERS + 3] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0) };
	struct sock_fprog program = { (unsigned short)(count + 3), code };
	CHECK(count <= MOST_NUMBERS);
	for (int i = 0; i < count; i++)
		code[i + 1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)numbers[i], (unsigned char)(count - i), 0);
	code[count + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, others);
	code[count + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action);
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

GUEST_UNUSED static void no_new_privileges(void)
{
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
}

#define NUMBERS(...) (const int[]){ __VA_ARGS__ }, (int)COUNT_OF(((const int[]){ __VA_ARGS__ }))
/* Kill for all numbers but these. */
#define ALLOW_ONLY(...) CHECK(filter_numbers(0, SECCOMP_RET_ALLOW, SECCOMP_RET_KILL_PROCESS, NUMBERS(__VA_ARGS__)) == 0)
/* Let all pass but these. */
#define REFUSE(action, ...) CHECK(filter_numbers(0, (action), SECCOMP_RET_ALLOW, NUMBERS(__VA_ARGS__)) == 0)

#endif
