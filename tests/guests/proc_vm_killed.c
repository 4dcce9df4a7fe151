/* proc_vm_killed - rows 2, 14: a child that shares memory is killed in the midst of changing that of called code;
 * its parent goes on changing some of its own */
#include "life.h"

enum { ROUNDS = 300 };
static unsigned char *page;
static char stack[65536];

static int change(void *unused)
{
	for (;;) {
		raw3(SYS_mprotect, page, CODE_PAGE, PROT_RX);
		call_at(page, 0, 0, 0);
		call_at(page, 0, 0, 0);
		raw3(SYS_mprotect, page, CODE_PAGE, PROT_RW);
	}
	return unused != NULL;
}

int main(void)
{
	unsigned char *own = map_pages(1, PROT_RW);
	alarm(20);
	page = put_call(map_pages(1, PROT_RW), SYS_getppid);
	for (int i = 0; i < ROUNDS; i++) {
		pid_t child = clone(change, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL);
		sleep_us(1000 + i % 97 * 20);
		signal_child(child, SIGKILL);
		CHECK_EQ(wait_child(child), 0x200 | SIGKILL);
		protect(own, 1, PROT_RW);
		fill_sites(own);
		protect(own, 1, PROT_RX);
		run_sites(own);
	}
	say("%d children killed", ROUNDS);
	return 0;
}
