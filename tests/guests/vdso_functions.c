/* vdso_functions - row 23: each function of the vDSO, called where it lies, answers as its system call, errors included */
#include "vdso.h"

int main(void)
{
	struct vdso vdso;
	find_vdso(&vdso);
	for (int again = 0; again < 20; again++)
		check_vdso(&vdso);
	say("all answer");
	return 0;
}
