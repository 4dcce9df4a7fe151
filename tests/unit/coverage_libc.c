/* coverage_libc.c - how many system call sites of the C library may be rewritten?
 *
 * Walks the executable segments of each file named (by default libc and ld.so) by linear disassembly, begun anew at
 * every function that the unwind table knows, judges each syscall instruction with the window that the agent would
 * have, and prints each refused one, the totals, and the average time of a judgement.
 *
 * Fails (exit 1) when
 *   fewer than 98% of the sites of the default files together are accepted (restorers don't count);
 *   a known hazard is accepted: a syscall that is given the address of a buffer under rsp that covers the slot
 *   (`lea -n(%rsp)` in the 40 bytes before it, with rsp as it was: ld.so's fcntl(F_GETOWN), libc's __longjmp_chk);
 *   a default file has no such hazard at all: then this test has lost its subject;
 *   `0f 05` in the middle of another instruction is accepted.
 * Files named on the command line only get the report. Skips (77) when a default file can't be read.
 */
#include "agent/zydis.h"
#include "lazy/decoder.h"
#include "lazy/judge.h"
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { SKIP = 77, ROUNDS = 100, PER_MILLE_ACCEPTED = 980, HAZARD_REACH = 40 };

struct image {
	const char *path;
	const uint8_t *data;
	size_t size;
	uint64_t *starts;          /* file offsets of functions, ascending */
	size_t start_count;
	unsigned verdicts[ZL_VERDICTS], sites, hazards, hazards_accepted, hidden, hidden_accepted;
	double nanoseconds, worst; /* of all judgements; of the slowest, averaged over ROUNDS */
};

static const char *const verdict_names[ZL_VERDICTS] = {
	[ZL_OK] = "accepted", [ZL_NO_DECODER] = "no decoder", [ZL_INSIDE] = "inside", [ZL_RED_ZONE] = "red zone",
	[ZL_SIGRETURN] = "sigreturn",
};

static void *find_symbol(const char *name)
{
	return dlsym(RTLD_DEFAULT, name);
}

static const Elf64_Phdr *headers(const struct image *image, unsigned *count)
{
	const Elf64_Ehdr *elf = (const void *)image->data;

	*count = elf->e_phnum;
	return (const void *)(image->data + elf->e_phoff);
}

static bool open_image(struct image *image)
{
	int fd = open(image->path, O_RDONLY);
	struct stat info;

	if (fd < 0 || fstat(fd, &info) != 0)
		return false;
	image->size = (size_t)info.st_size;
	image->data = mmap(NULL, image->size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	return image->data != MAP_FAILED && memcmp(image->data, ELFMAG, SELFMAG) == 0;
}

/* Read the function starts from .eh_frame_hdr; addresses equal file offsets in the files' executable segments, or
 * are shifted by the segment. */
static void read_starts(struct image *image)
{
	unsigned count;
	const Elf64_Phdr *header = headers(image, &count);

	for (unsigned i = 0; i < count; i++) {
		const uint8_t *table = image->data + header[i].p_offset;
		int32_t entry;
		uint32_t number;

		if (header[i].p_type != PT_GNU_EH_FRAME || table[2] != 0x03 || table[3] != 0x3b)
			continue;
		memcpy(&number, table + 8, sizeof number);
		image->starts = calloc(number, sizeof *image->starts);
		for (image->start_count = 0; image->start_count < number; image->start_count++) {
			memcpy(&entry, table + 12 + 8 * image->start_count, sizeof entry);
			image->starts[image->start_count] = header[i].p_vaddr + (uint64_t)(int64_t)entry;
		}
	}
}

/* Name and start of the nearest symbol at or before `address`. */
static const char *nearest_symbol(const struct image *image, uint64_t address, uint64_t *start)
{
	const Elf64_Ehdr *elf = (const void *)image->data;
	const Elf64_Shdr *section = (const void *)(image->data + elf->e_shoff);
	const char *name = "?";

	*start = 0;
	for (unsigned i = 0; i < elf->e_shnum; i++) {
		const Elf64_Sym *symbol = (const void *)(image->data + section[i].sh_offset);
		const char *names;

		if (section[i].sh_type != SHT_DYNSYM && section[i].sh_type != SHT_SYMTAB)
			continue;
		names = (const char *)image->data + section[section[i].sh_link].sh_offset;
		for (size_t k = 0; k < section[i].sh_size / sizeof *symbol; k++)
			if (ELF64_ST_TYPE(symbol[k].st_info) == STT_FUNC && symbol[k].st_value <= address &&
			    symbol[k].st_value >= *start && symbol[k].st_value != 0) {
				*start = symbol[k].st_value;
				name = names + symbol[k].st_name;
			}
	}
	return name;
}

/* The window that the agent would have. */
static void cut_window(const uint8_t *segment, size_t size, size_t at, struct zl_code *code)
{
	size_t before = at < ZL_JUDGE_BEFORE ? at : ZL_JUDGE_BEFORE;
	size_t after = size - at < ZL_JUDGE_AFTER ? size - at : ZL_JUDGE_AFTER;

	code->site_offset = (unsigned)before;
	code->size = (unsigned)(before + after);
	memcpy(code->bytes, segment + at - before, code->size);
}

/* Whether `lea -n(%rsp),reg` with n <= 128 stands in the bytes before the site, and no push, pop or add after it. */
static bool is_known_hazard(const struct zl_code *code)
{
	unsigned first = code->site_offset < HAZARD_REACH ? 0 : code->site_offset - HAZARD_REACH;

	for (unsigned at = first; at + 5 <= code->site_offset; at++) {
		const uint8_t *lea = code->bytes + at;

		if (lea[0] == 0x48 && lea[1] == 0x8d && (lea[2] & 0xc7) == 0x44 && lea[3] == 0x24 && lea[4] >= 0x80)
			return true;
	}
	return false;
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void judge_site(struct image *image, const uint8_t *segment, size_t size, size_t at, uint64_t address)
{
	struct zl_code code;
	enum zl_verdict verdict = ZL_OK;
	uint64_t start;
	double began, taken;

	cut_window(segment, size, at, &code);
	began = now();
	for (int i = 0; i < ROUNDS; i++)
		verdict = zl_judge(&code);
	taken = (now() - began) / ROUNDS;
	image->nanoseconds += taken;
	if (taken > image->worst)
		image->worst = taken;
	image->sites++;
	image->verdicts[verdict]++;
	if (is_known_hazard(&code)) {
		image->hazards++;
		if (verdict == ZL_OK) {
			image->hazards_accepted++;
			printf("%s: %#lx: HAZARD ACCEPTED\n", image->path, (unsigned long)address);
		}
	}
	if (verdict != ZL_OK) {
		const char *name = nearest_symbol(image, address, &start);

		printf("  %#lx %s+%#lx: %s\n", (unsigned long)address, name, (unsigned long)(address - start),
		       verdict_names[verdict]);
	}
}

/* Judge each `0f 05` that begins inside the instruction at `at`. */
static void judge_hidden(struct image *image, const Elf64_Phdr *header, size_t at, unsigned length)
{
	const uint8_t *segment = image->data + header->p_offset;
	struct zl_code code;

	for (size_t inside = at + 1; inside < at + length && inside + 1 < header->p_filesz; inside++) {
		if (segment[inside] != 0x0f || segment[inside + 1] != 0x05)
			continue;
		cut_window(segment, header->p_filesz, inside, &code);
		image->hidden++;
		if (zl_judge(&code) == ZL_OK) {
			image->hidden_accepted++;
			printf("%s: %#lx: INSIDE BUT ACCEPTED\n", image->path, (unsigned long)(header->p_vaddr + inside));
		}
	}
}

static void walk_segment(struct image *image, const Elf64_Phdr *header)
{
	const uint8_t *segment = image->data + header->p_offset;
	size_t next = 0, at = 0;
	struct zl_insn insn;

	while (at < header->p_filesz) {
		uint64_t address = header->p_vaddr + at;
		int length;

		while (next < image->start_count && image->starts[next] <= address)
			next++;
		length = zl_decoder->decode(segment + at, (unsigned)(header->p_filesz - at), &insn);
		if (length != 0 && insn.flow == ZL_FLOW_SYSCALL)
			judge_site(image, segment, header->p_filesz, at, address);
		else if (length != 0)
			judge_hidden(image, header, at, (unsigned)length);
		at += length != 0 ? (size_t)length : 1;
		if (next < image->start_count && header->p_vaddr + at > image->starts[next] &&
		    image->starts[next] > address)
			at = image->starts[next] - header->p_vaddr;
	}
}

static void report(const struct image *image)
{
	printf("%s: %u sites, %u accepted", image->path, image->sites, image->verdicts[ZL_OK]);
	for (int i = ZL_OK + 1; i < ZL_VERDICTS; i++)
		if (image->verdicts[i] != 0)
			printf(", %u %s", image->verdicts[i], verdict_names[i] ? verdict_names[i] : "?");
	printf("; %u known hazards; %u hidden, %u accepted; %.0f ns a judgement, %.0f ns at worst\n", image->hazards,
	       image->hidden, image->hidden_accepted,
	       image->sites ? image->nanoseconds / image->sites : 0, image->worst);
}

/* Judge all sites of a file. Returns 0, or -1 if it can't be read. */
static int cover(struct image *image)
{
	const Elf64_Phdr *header;
	unsigned count;

	if (!open_image(image))
		return -1;
	read_starts(image);
	header = headers(image, &count);
	for (unsigned i = 0; i < count; i++)
		if (header[i].p_type == PT_LOAD && (header[i].p_flags & PF_X))
			walk_segment(image, &header[i]);
	report(image);
	free(image->starts);
	return 0;
}

/* Whether both hazards are known and refused, and enough sites of all files accepted. */
static bool is_good(const struct image *images, int count)
{
	unsigned accepted = 0, sites = 0;

	for (int i = 0; i < count; i++) {
		if (images[i].hazards == 0 || images[i].hazards_accepted != 0 || images[i].hidden_accepted != 0)
			return false;
		accepted += images[i].verdicts[ZL_OK];
		sites += images[i].sites - images[i].verdicts[ZL_SIGRETURN];
	}
	printf("in all: %u of %u accepted\n", accepted, sites);
	return accepted * 1000 >= sites * PER_MILLE_ACCEPTED;
}

int main(int argc, char **argv)
{
	static struct image defaults[] = {
		{ .path = "/lib/x86_64-linux-gnu/libc.so.6" },
		{ .path = "/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2" },
	};

	if (zl_zydis_bind(find_symbol) != 0)
		return fprintf(stderr, "no Zydis\n"), 1;
	for (int i = 1; i < argc; i++) {
		struct image image = { .path = argv[i] };

		if (cover(&image) != 0)
			printf("%s: can't be read\n", image.path);
	}
	for (int i = 0; argc == 1 && i < 2; i++)
		if (cover(&defaults[i]) != 0)
			return printf("%s: can't be read\n", defaults[i].path), SKIP;
	return argc == 1 && !is_good(defaults, 2);
}
