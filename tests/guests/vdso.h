/* vdso.h - the vDSO's functions, found without libc or ld.so */
#ifndef GUEST_VDSO_H
#define GUEST_VDSO_H

#include "guest.h"
#include <elf.h>
#include <sys/auxv.h>

struct vdso {
	int (*clock_gettime)(clockid_t, struct timespec *);
	int (*gettimeofday)(struct timeval *, struct timezone *);
	time_t (*time)(time_t *);
	int (*getcpu)(unsigned *, unsigned *, void *);
	int (*clock_getres)(clockid_t, struct timespec *);
	ssize_t (*getrandom)(void *, size_t, unsigned, void *, size_t);   /* NULL: an older kernel */
	uintptr_t start, end;
};

struct dynamic { const Elf64_Sym *symbols; const char *names; const uint32_t *plain, *gnu; };

GUEST_UNUSED static uint32_t count_symbols(const struct dynamic *dynamic)
{
	if (dynamic->plain)
		return dynamic->plain[1];
	const uint32_t *buckets = dynamic->gnu + 4 + 2 * dynamic->gnu[2], *chains = buckets + dynamic->gnu[0];
	uint32_t last = 0;
	for (uint32_t i = 0; i < dynamic->gnu[0]; i++)
		last = buckets[i] > last ? buckets[i] : last;
	while (!(chains[last - dynamic->gnu[1]] & 1))
		last++;
	return last + 1;
}

GUEST_UNUSED static void *find_function(const struct vdso *vdso, const char *name)
{
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)vdso->start;
	const Elf64_Phdr *segment = (const Elf64_Phdr *)(vdso->start + header->e_phoff);
	uintptr_t bias = 0;
	struct dynamic dynamic = { 0 };
	for (int i = 0; i < header->e_phnum; i++)
		bias = segment[i].p_type == PT_LOAD ? vdso->start - segment[i].p_vaddr : bias;
	for (int i = 0; i < header->e_phnum; i++)
		for (const Elf64_Dyn *d = (void *)(bias + segment[i].p_vaddr); segment[i].p_type == PT_DYNAMIC && d->d_tag; d++) {
			void *at = (void *)(bias + d->d_un.d_ptr);
			if (d->d_tag == DT_SYMTAB)
				dynamic.symbols = at;
			else if (d->d_tag == DT_STRTAB)
				dynamic.names = at;
			else if (d->d_tag == DT_HASH)
				dynamic.plain = at;
			else if (d->d_tag == DT_GNU_HASH)
				dynamic.gnu = at;
		}
	for (uint32_t i = 0; i < count_symbols(&dynamic); i++)
		if (strcmp(dynamic.names + dynamic.symbols[i].st_name, name) == 0)
			return (void *)(bias + dynamic.symbols[i].st_value);
	return NULL;
}

/* Wherever it lies by now. */
GUEST_UNUSED static void find_vdso(struct vdso *vdso)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[256];
	CHECK(maps != NULL);
	vdso->start = 0;
	while (fgets(line, sizeof(line), maps))
		if (strstr(line, "[vdso]"))
			CHECK(sscanf(line, "%lx-%lx", &vdso->start, &vdso->end) == 2);
	fclose(maps);
	if (!vdso->start)
		SKIP("no vDSO");
	vdso->clock_gettime = find_function(vdso, "__vdso_clock_gettime");
	vdso->gettimeofday = find_function(vdso, "__vdso_gettimeofday");
	vdso->time = find_function(vdso, "__vdso_time");
	vdso->getcpu = find_function(vdso, "__vdso_getcpu");
	vdso->clock_getres = find_function(vdso, "__vdso_clock_getres");
	vdso->getrandom = find_function(vdso, "__vdso_getrandom");
	CHECK(vdso->clock_gettime && vdso->gettimeofday && vdso->time && vdso->getcpu && vdso->clock_getres);
}

/* Each answers as the system call does. */
GUEST_UNUSED static void check_vdso(const struct vdso *vdso)
{
	static const clockid_t clocks[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE,
		CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME, CLOCK_TAI, CLOCK_PROCESS_CPUTIME_ID };
	struct timespec before, between, after;
	struct timeval day, next;
	unsigned cpu = -1U, node = -1U;
	char bytes[16] = "";
	time_t seconds = 0;
	for (size_t i = 0; i < COUNT_OF(clocks); i++) {
		CHECK_EQ(raw2(SYS_clock_gettime, clocks[i], &before), 0);
		CHECK_EQ(vdso->clock_gettime(clocks[i], &between), 0);
		CHECK_EQ(raw2(SYS_clock_gettime, clocks[i], &after), 0);
		CHECK(before.tv_sec < between.tv_sec || (before.tv_sec == between.tv_sec && before.tv_nsec <= between.tv_nsec));
		CHECK(between.tv_sec < after.tv_sec || (between.tv_sec == after.tv_sec && between.tv_nsec <= after.tv_nsec));
		CHECK_EQ(raw2(SYS_clock_getres, clocks[i], &before), 0);
		CHECK_EQ(vdso->clock_getres(clocks[i], &between), 0);
		CHECK(before.tv_sec == between.tv_sec && before.tv_nsec == between.tv_nsec);
	}
	CHECK_EQ(vdso->clock_gettime(1000, &between), -EINVAL);
	CHECK_EQ(vdso->clock_getres(1000, &between), -EINVAL);
	CHECK_EQ(vdso->clock_getres(CLOCK_REALTIME, NULL), 0);
	CHECK_EQ(vdso->clock_gettime(CLOCK_PROCESS_CPUTIME_ID, (void *)8), -EFAULT);
	CHECK_EQ(vdso->gettimeofday(&day, NULL), 0);
	CHECK_EQ(vdso->gettimeofday(&next, &(struct timezone){ 0 }), 0);
	CHECK(timercmp(&day, &next, <=) && next.tv_usec < 1000000);
	CHECK_EQ(vdso->gettimeofday(NULL, NULL), 0);
	CHECK(vdso->time(&seconds) == seconds && seconds >= day.tv_sec - 1 && vdso->time(NULL) >= seconds);
	CHECK_EQ(vdso->getcpu(&cpu, &node, NULL), 0);
	CHECK((long)cpu < sysconf(_SC_NPROCESSORS_CONF) && node < 1024);
	CHECK_EQ(vdso->getcpu(NULL, NULL, NULL), 0);
	if (vdso->getrandom) {
		CHECK_EQ(vdso->getrandom(bytes, sizeof(bytes), 0, NULL, 0), sizeof(bytes));
		CHECK(memcmp(bytes, (char[sizeof(bytes)]){ 0 }, sizeof(bytes)) != 0);
		CHECK_EQ(vdso->getrandom(bytes, sizeof(bytes), 0x8000, NULL, 0), -EINVAL);
		CHECK_EQ(vdso->getrandom((void *)8, 8, 0, NULL, 0), -EFAULT);
	}
}

#endif
