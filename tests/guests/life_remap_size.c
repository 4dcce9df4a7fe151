/* life_remap_size - row 2: a mapping of called code shrinks, grows, and grows so much that it has to move */
#include "life.h"

int main(void)
{
	unsigned char *code = map_pages(3, PROT_RW), *end = code + CODE_PAGE, *moved;
	fill_sites(code);
	fill_sites(end);
	protect(code, 2, PROT_RX);
	run_sites(code);
	run_sites(end);
	CHECK(munmap(end + CODE_PAGE, CODE_PAGE) == 0);   /* room to grow into */
	CHECK(mremap(code, 2 * CODE_PAGE, CODE_PAGE, 0) == code);
	replace(map_again(end));
	run_sites(code);
	say("shrunk, other code behind");
	fill_sites(map_again(end));
	protect(end, 1, PROT_RX);
	run_sites(end);
	CHECK(mremap(code, 2 * CODE_PAGE, CODE_PAGE, 0) == code);
	CHECK(mremap(code, CODE_PAGE, 2 * CODE_PAGE, 0) == code);
	replace(end);
	run_sites(code);
	say("shrunk and grown again");
	map_again(end);   /* in the way */
	moved = mremap(code, CODE_PAGE, 16 * CODE_PAGE, MREMAP_MAYMOVE);
	CHECK(moved != MAP_FAILED && moved != code);
	run_sites(moved);
	replace(map_again(code));
	run_sites(moved);
	say("moved to grow");
	return 0;
}
