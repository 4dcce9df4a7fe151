/* life_proc_mem - row 2: the program writes into its own called code through /proc/self/mem, which needs no
 * protection changed */
#include "life.h"

int main(void)
{
	unsigned char written[CODE_PAGE], *page = new_sites(PROT_RX);
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		SKIP("no /proc/self/mem");
	for (int round = 0; round < 4; round++) {
		CHECK(pwrite(fd, fill_calls(written), CODE_PAGE, (off_t)(uintptr_t)page) == CODE_PAGE);
		run_calls(page);
		CHECK(pwrite(fd, fill_sites(written), CODE_PAGE, (off_t)(uintptr_t)page) == CODE_PAGE);
		run_sites(page);
	}
	say("written 8 times");
	return 0;
}
