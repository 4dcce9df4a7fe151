/* life_shm_small - row 2: a System V segment of 100 bytes, attached over called code, takes the place of a whole
 * page */
#include "life.h"
#include <sys/shm.h>

int main(void)
{
	int id = shmget(IPC_PRIVATE, 100, IPC_CREAT | 0700);
	if (id < 0)
		SKIP("no System V shared memory");
	unsigned char *page = new_sites(PROT_RX);
	void *attached = shmat(id, page, SHM_REMAP | SHM_EXEC);
	CHECK(shmctl(id, IPC_RMID, NULL) == 0);
	CHECK(attached == page && page[SPOT_AFTER] == 0);
	run_calls(fill_calls(page));
	say("attached over code");
	CHECK(shmdt(page) == 0);
	return 0;
}
