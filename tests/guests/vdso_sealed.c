/* vdso_sealed - row 23: the vDSO is sealed (mseal) before its first call and called, by this process and a child */
#include "vdso.h"

#ifndef SYS_mseal
#define SYS_mseal 462
#endif

int main(void)
{
	struct vdso vdso;
	find_vdso(&vdso);
	long result = raw3(SYS_mseal, vdso.start, vdso.end - vdso.start, 0);
	if (result == -ENOSYS)
		SKIP("no mseal in this kernel");
	CHECK_EQ(result, 0);
	CHECK_EQ(raw2(SYS_munmap, vdso.start, vdso.end - vdso.start), -EPERM);
	for (int again = 0; again < 5; again++)
		check_vdso(&vdso);
	pid_t child = fork();
	if (child == 0) {
		check_vdso(&vdso);
		_exit(3);
	}
	CHECK_EQ(wait_child(child), 0x103);
	say("sealed");
	return 0;
}
