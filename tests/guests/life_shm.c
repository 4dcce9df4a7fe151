/* life_shm - rows 2, 8: called code in a System V segment that is detached, and one attached where called code was */
#include "life.h"
#include <sys/shm.h>

static int new_segment(void *fill(unsigned char *))
{
	int id = shmget(IPC_PRIVATE, CODE_PAGE, IPC_CREAT | 0700);
	if (id < 0)
		SKIP("no System V shared memory");
	unsigned char *page = shmat(id, NULL, 0);
	CHECK(page != (void *)-1);
	fill(page);
	CHECK(shmdt(page) == 0);
	return id;
}

int main(void)
{
	int sites = new_segment(fill_sites), calls = new_segment(fill_calls);
	unsigned char *page = new_sites(PROT_RX), *other = new_sites(PROT_RX);
	CHECK(munmap(page, CODE_PAGE) == 0);
	for (int round = 0; round < 3; round++) {
		CHECK(shmat(calls, page, SHM_EXEC | SHM_RDONLY) == page);
		run_calls(page);
		CHECK(shmdt(page) == 0 && shmat(sites, page, SHM_EXEC | SHM_RDONLY) == page);
		run_sites(page);
		CHECK(shmdt(page) == 0);
		replace(map_again(page));
		fill_sites(map_again(page));
		protect(page, 1, PROT_RX);
		run_sites(page);
		CHECK(munmap(page, CODE_PAGE) == 0);
	}
	say("attached and detached");
	CHECK(shmat(calls, other, SHM_EXEC | SHM_REMAP) == other);
	run_calls(other);
	CHECK(shmctl(sites, IPC_RMID, NULL) == 0 && shmctl(calls, IPC_RMID, NULL) == 0);
	say("attached over code");
	return 0;
}
