/* vdso_moved - row 23: a program moves its vDSO and the data before it elsewhere, after calls and again, and goes on calling */
#include "vdso.h"

/* mremap without libc's help, which may ask the vDSO. */
static void move(uintptr_t from, size_t size, uintptr_t to)
{
	long at = raw6(SYS_mremap, (long)from, (long)size, (long)size, MREMAP_MAYMOVE | MREMAP_FIXED, (long)to, 0);
	if (at == -EPERM)
		SKIP("this kernel seals its vDSO");
	CHECK_EQ(at, to);
}

/* All of [vvar], [vvar_vclock] and [vdso], by the same distance. */
static void move_all(void)
{
	struct { uintptr_t start, end; } part[8];
	char line[256];
	int parts = 0;
	FILE *maps = fopen("/proc/self/maps", "re");
	CHECK(maps != NULL);
	while (fgets(line, sizeof(line), maps))
		if (parts < 8 && (strstr(line, "[vvar") || strstr(line, "[vdso]")))
			CHECK(sscanf(line, "%lx-%lx", &part[parts].start, &part[parts].end) == 2 && ++parts);
	fclose(maps);
	if (parts == 0)
		SKIP("no vDSO");
	char *room = mmap(NULL, part[parts - 1].end - part[0].start, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(room != MAP_FAILED);
	for (int i = parts - 1; i >= 0; i--)
		move(part[i].start, part[i].end - part[i].start, (uintptr_t)room + part[i].start - part[0].start);
}

int main(void)
{
	struct vdso vdso;
	find_vdso(&vdso);
	check_vdso(&vdso);
	for (int again = 0; again < 3; again++) {
		uintptr_t before = vdso.start;
		move_all();
		find_vdso(&vdso);
		CHECK(vdso.start != before);
		for (int i = 0; i < 5; i++)
			check_vdso(&vdso);
	}
	say("moved three times");
	return 0;
}
