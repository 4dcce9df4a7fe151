/* coverage_libc.c - how many system call sites of the C library may be rewritten?
 *
 * Lays out the segments of each file named (by default libc and ld.so) as they lie in memory, walks the executable ones
 * by linear disassembly, begun anew at every function that the unwind table knows, judges each syscall instruction with
 * the code that the agent would read, and prints each refused one, the totals, the instructions decoded for a judgement
 * and the time that it takes, with the search for the function. With -w no function is known, as in generated code.
 *
 * Fails (exit 1) when
 *   fewer than 98% of the sites of the default files together are accepted (restorers don't count), or without the
 *   unwind tables fewer than 86%;
 *   any judgement decodes more than 64 instructions;
 *   a known hazard is accepted: a syscall that is given the address of a buffer under rsp that covers the slot
 *   (`lea -n(%rsp)` in the 40 bytes before it, with rsp as it was: ld.so's fcntl(F_GETOWN), libc's __longjmp_chk);
 *   a default file has no such hazard at all: then this test has lost its subject;
 *   `0f 05` in the middle of another instruction is accepted.
 * Files named on the command line only get the report. Skips (77) when a default file can't be read.
 */
#include "agent/zydis.h"
#include "lazy/decoder.h"
#include "lazy/judge.h"
#include "lazy/reading.h"
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

enum { SKIP = 77, ROUNDS = 20, PER_MILLE_ACCEPTED = 980, PER_MILLE_IN_WINDOWS = 860, HAZARD_REACH = 40, PAGE = 4096 };

/* Smallest, ninetieth of a hundred and so on of a number of values. */
struct values { unsigned count, room, *value; };

struct image {
	const char *path;
	const uint8_t *data, *base;        /* the file; where its address 0 would be */
	size_t size;
	struct zl_object object;
	uint64_t *starts;          /* addresses of functions, ascending */
	size_t start_count;
	unsigned verdicts[ZL_VERDICTS], sites, in_functions, hazards, hazards_accepted, hidden, hidden_accepted, most_decoded;
	struct values nanoseconds, decoded;
};

static const char *const verdict_names[ZL_VERDICTS] = {
	[ZL_OK] = "accepted", [ZL_NO_DECODER] = "no decoder", [ZL_INSIDE] = "inside", [ZL_RED_ZONE] = "red zone",
	[ZL_SIGRETURN] = "sigreturn", [ZL_TOO_LONG] = "too long",
};

bool zl_copy_hides_zero;   /* trampoline/zero.c has it */
static const struct zl_decoder *zydis;
static const struct zl_object *current;
static bool is_window_only;
static unsigned decodings;

static int count_decode(const uint8_t *bytes, unsigned available, struct zl_insn *insn)
{
	decodings++;
	return zydis->decode(bytes, available, insn);
}

static int count_length(const uint8_t *bytes, unsigned available)
{
	decodings++;
	return zydis->length(bytes, available);
}

static const struct zl_decoder counting = { .decode = count_decode, .length = count_length };

static int find_object(void *address, struct zl_object *object)
{
	*object = *current;
	return is_window_only || (uintptr_t)address - object->start >= object->end - object->start ? -1 : 0;
}

static void add_value(struct values *values, unsigned value)
{
	if (values->count == values->room) {
		values->room = values->room * 2 + 64;
		values->value = realloc(values->value, values->room * sizeof(*values->value));
	}
	values->value[values->count++] = value;
}

static int compare_values(const void *a, const void *b)
{
	return *(const unsigned *)a < *(const unsigned *)b ? -1 : *(const unsigned *)a > *(const unsigned *)b;
}

static void print_values(const char *what, struct values *values)
{
	unsigned n = values->count;

	if (n == 0)
		return;
	qsort(values->value, n, sizeof(*values->value), compare_values);
	printf("  %s: median %u, 90%% %u, 99%% %u, most %u\n", what, values->value[n / 2], values->value[n * 9 / 10],
	       values->value[n * 99 / 100], values->value[n - 1]);
	values->count = 0;
}

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

/* Copy the segments to where they would lie in memory. */
static bool lay_out(struct image *image)
{
	uint64_t low = UINT64_MAX, high = 0;
	const Elf64_Phdr *header;
	unsigned count;
	uint8_t *memory;

	header = headers(image, &count);
	for (unsigned i = 0; i < count; i++) {
		if (header[i].p_type != PT_LOAD)
			continue;
		low = header[i].p_vaddr < low ? header[i].p_vaddr : low;
		high = header[i].p_vaddr + header[i].p_memsz > high ? header[i].p_vaddr + header[i].p_memsz : high;
	}
	low &= ~(uint64_t)(PAGE - 1);
	memory = mmap(NULL, high - low + 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		return false;
	image->base = memory + PAGE - low;   /* a page on either side: no fault is caught here */
	image->object = (struct zl_object){ .start = (uintptr_t)memory + PAGE, .end = (uintptr_t)memory + PAGE + high - low };
	for (unsigned i = 0; i < count; i++) {
		if (header[i].p_type == PT_LOAD)
			memcpy((uint8_t *)image->base + header[i].p_vaddr, image->data + header[i].p_offset, header[i].p_filesz);
		if (header[i].p_type == PT_GNU_EH_FRAME)
			image->object.unwind_header = (uintptr_t)image->base + header[i].p_vaddr;
	}
	current = &image->object;
	return true;
}

/* Read the function starts from .eh_frame_hdr. */
static void read_starts(struct image *image)
{
	unsigned count;
	const Elf64_Phdr *header = headers(image, &count);

	for (unsigned i = 0; i < count; i++) {
		const uint8_t *table = image->base + header[i].p_vaddr;
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

/* The verdict on a site; counts what is decoded. */
static enum zl_verdict judge_at(struct image *image, uint64_t address, struct zl_code *code)
{
	enum zl_verdict verdict;

	decodings = 0;
	verdict = zl_code_read((uintptr_t)image->base + address, code) ? zl_judge(code) : ZL_VERDICTS;
	if (decodings > image->most_decoded)
		image->most_decoded = decodings;
	return verdict;
}

static void judge_site(struct image *image, uint64_t address)
{
	static struct zl_code code;
	enum zl_verdict verdict = judge_at(image, address, &code);
	uint64_t start;
	double began;

	add_value(&image->decoded, decodings);
	began = now();
	for (int i = 0; i < ROUNDS; i++)
		(void)judge_at(image, address, &code);
	add_value(&image->nanoseconds, (unsigned)((now() - began) / ROUNDS));
	image->sites++;
	image->in_functions += code.has_function;
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

/* Judge each `0f 05` that begins inside the instruction at `address`. */
static void judge_hidden(struct image *image, uint64_t address, unsigned length)
{
	static struct zl_code code;

	for (uint64_t inside = address + 1; inside < address + length; inside++) {
		if (image->base[inside] != 0x0f || image->base[inside + 1] != 0x05)
			continue;
		image->hidden++;
		if (judge_at(image, inside, &code) == ZL_OK) {
			image->hidden_accepted++;
			printf("%s: %#lx: INSIDE BUT ACCEPTED\n", image->path, (unsigned long)inside);
		}
	}
}

static void walk_segment(struct image *image, const Elf64_Phdr *header)
{
	const uint8_t *segment = image->base + header->p_vaddr;
	size_t next = 0, at = 0;
	struct zl_insn insn;

	while (at < header->p_filesz) {
		uint64_t address = header->p_vaddr + at;
		int length;

		while (next < image->start_count && image->starts[next] <= address)
			next++;
		length = zydis->decode(segment + at, (unsigned)(header->p_filesz - at), &insn);
		if (length != 0 && insn.flow == ZL_FLOW_SYSCALL)
			judge_site(image, address);
		else if (length != 0)
			judge_hidden(image, address, (unsigned)length);
		at += length != 0 ? (size_t)length : 1;
		if (next < image->start_count && header->p_vaddr + at > image->starts[next] &&
		    image->starts[next] > address)
			at = image->starts[next] - header->p_vaddr;
	}
}

static void report(struct image *image)
{
	printf("%s%s: %u sites, %u in known functions, %u accepted", image->path, is_window_only ? " without its table" : "",
	       image->sites, image->in_functions, image->verdicts[ZL_OK]);
	for (int i = ZL_OK + 1; i < ZL_VERDICTS; i++)
		if (image->verdicts[i] != 0)
			printf(", %u %s", image->verdicts[i], verdict_names[i] ? verdict_names[i] : "?");
	printf("; %u known hazards; %u hidden, %u accepted\n", image->hazards, image->hidden, image->hidden_accepted);
	print_values("nanoseconds", &image->nanoseconds);
	print_values("instructions decoded", &image->decoded);
}

/* Judge all sites of a file. Returns 0, or -1 if it can't be read. */
static int cover(struct image *image)
{
	const Elf64_Phdr *header;
	unsigned count;

	if (!open_image(image) || !lay_out(image))
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

/* Whether the hazards are known and refused, the limit is kept, and enough sites of all files accepted. */
static bool is_good(const struct image *images, int count, unsigned per_mille)
{
	unsigned accepted = 0, sites = 0;

	for (int i = 0; i < count; i++) {
		if (images[i].hazards == 0 || images[i].hazards_accepted != 0 || images[i].hidden_accepted != 0 ||
		    images[i].most_decoded > ZL_MOST_DECODED)
			return false;
		accepted += images[i].verdicts[ZL_OK];
		sites += images[i].sites - images[i].verdicts[ZL_SIGRETURN];
	}
	printf("in all: %u of %u accepted\n", accepted, sites);
	return accepted * 1000 >= sites * per_mille;
}

/* Judge the default files' sites. */
static int cover_defaults(unsigned per_mille)
{
	struct image defaults[] = {
		{ .path = "/lib/x86_64-linux-gnu/libc.so.6" },
		{ .path = "/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2" },
	};

	for (int i = 0; i < 2; i++)
		if (cover(&defaults[i]) != 0)
			return printf("%s: can't be read\n", defaults[i].path), SKIP;
	return !is_good(defaults, 2, per_mille);
}

int main(int argc, char **argv)
{
	int result;

	if (zl_zydis_bind(find_symbol) != 0)
		return fprintf(stderr, "no Zydis\n"), 1;
	zydis = zl_decoder;
	zl_decoder = &counting;
	zl_find_object = find_object;
	for (int i = 1; i < argc; i++) {
		struct image image = { .path = argv[i] };

		if (strcmp(argv[i], "-w") == 0)
			is_window_only = true;
		else if (cover(&image) != 0)
			printf("%s: can't be read\n", image.path);
		else if (image.most_decoded > ZL_MOST_DECODED)
			return printf("%u instructions decoded\n", image.most_decoded), 1;
	}
	if (argc > 1)
		return 0;
	result = cover_defaults(PER_MILLE_ACCEPTED);
	is_window_only = true;
	return result != 0 ? result : cover_defaults(PER_MILLE_IN_WINDOWS);
}
