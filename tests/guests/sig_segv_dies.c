/* sig_segv_dies - row 9: a write to read-only memory without a handler kills with SIGSEGV (guests.py compares the status) */
#include "guest.h"

int main(void)
{
	char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (int way = 0; way < 3; way++) {
		pid_t child = fork();
		if (child == 0) {
			if (way == 1)
				signal(SIGSEGV, SIG_IGN); /* a real fault kills all the same */
			sigset_t all;
			sigfillset(&all);
			if (way == 2)
				sigprocmask(SIG_SETMASK, &all, NULL);
			*(volatile char *)page = 1;
			_exit(0);
		}
		say("child: %#x", wait_child(child));
	}
	*(volatile char *)page = 1;
	FAIL("survived");
}
