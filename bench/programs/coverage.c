/* coverage.c - which tactics the syscall instructions of files allow; see bench/coverage
 *
 *     coverage [-w] FILE...
 *
 * Lays out each file as it lies in memory, and asks of each syscall instruction, with the code that the agent would
 * read, whether it may be called through page zero (lazy/judge.c), whether a mov of a number precedes it that may be
 * displaced (lazy/straight.c), and whether there is a cave (lazy/cave.c), the caves of sites before it
 * that have no mov being taken. With -w as if there were no unwind table.
 *
 * Decoys: bytes anywhere in the text that look like such a mov, but begin no instruction. How many there are, and how
 * many were taken for one before a site, which may be 0 only.
 *
 * One line of JSON for each file, with the most instructions decoded for one question and the time for one. Exit status
 * 1 if a file can't be read.
 */
#include "agent/zydis.h"
#include "lazy/cave.h"
#include "lazy/straight.h"
#include "tests/unit/layout.h"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RESTORER = 15, MOST_CAVES = 65536 };

struct file {
	struct layout layout;
	uint8_t *begins;               /* by address: an instruction begins there */
	unsigned sites, movs, caves, either, calls, any, decoys, decoys_taken, most_decoded;
	double mov_ns, cave_ns;
};

bool zl_copy_hides_zero;           /* trampoline/zero.c has it */
static const struct zl_decoder *zydis;
static unsigned decodings, claims;
static uintptr_t claimed[MOST_CAVES];

static int count_decode(const uint8_t *bytes, unsigned available, struct zl_insn *insn)
{
	decodings++;
	return zydis->decode(bytes, available, insn);
}

static struct zl_decoder counting = { .decode = count_decode };

static bool is_taken(uintptr_t start, uintptr_t end)
{
	for (unsigned i = 0; i < claims; i++)
		if (start < claimed[i] + ZL_CAVE_SIZE && claimed[i] < end)
			return true;
	return false;
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void *find_symbol(const char *name)
{
	return dlsym(RTLD_DEFAULT, name);
}

static void note_decoded(struct file *file)
{
	if (decodings > file->most_decoded)
		file->most_decoded = decodings;
	decodings = 0;
}

/* Whether the bytes before `end` look like a mov of a number to eax or rax; where it would begin. */
static bool looks_like_mov(const struct file *file, uint64_t end, uint64_t *begin, uint64_t *number)
{
	const uint8_t *p = file->layout.base + end;
	int32_t value;

	if (end - file->layout.low < 7)
		return false;
	memcpy(&value, p - sizeof value, sizeof value);
	*begin = p[-5] == 0xb8 ? end - 5 : end - 7;
	*number = p[-5] == 0xb8 ? (uint32_t)value : (uint64_t)(int64_t)value;
	return p[-5] == 0xb8 || memcmp(p - 7, "\x48\xc7\xc0", 3) == 0;
}

static bool has_mov(struct file *file, uint64_t address, uint64_t number)
{
	static struct zl_reading reading;
	static struct zl_code code;
	unsigned length;

	if (!zl_code_read((uintptr_t)file->layout.base + address, &code))
		return false;
	decodings = 0;
	zl_reading_begin(&reading, &code);
	reading.near = ZL_READING_FAR;   /* as without page zero */
	length = zl_straight_mov(&reading, number);
	note_decoded(file);
	return length != 0;
}

/* With is_claimed the cave is taken from then on. */
static bool has_cave(struct file *file, uint64_t address, bool is_claimed)
{
	static struct zl_cave_search search;
	uintptr_t cave;

	search.is_taken = is_taken;
	decodings = 0;
	cave = zl_cave_read((uintptr_t)file->layout.base + address, &search) ? zl_cave_find(&search) : 0;
	note_decoded(file);
	if (cave != 0 && is_claimed && claims < MOST_CAVES)
		claimed[claims++] = cave;
	return cave != 0;
}

static void cover_site(struct file *file, uint64_t address)
{
	static struct zl_code code;
	uint64_t begin, number = 0;
	bool looks = looks_like_mov(file, address, &begin, &number), is_call, is_mov, is_cave;
	double began;

	if (looks && number == RESTORER)
		return;
	file->sites++;
	is_call = zl_code_read((uintptr_t)file->layout.base + address, &code) && zl_judge(&code) == ZL_OK;
	began = now();
	is_mov = looks && has_mov(file, address, number);
	file->mov_ns += now() - began;
	began = now();
	is_cave = has_cave(file, address, !is_mov);
	file->cave_ns += now() - began;
	file->calls += is_call;
	file->movs += is_mov;
	file->caves += is_cave;
	file->either += is_mov || is_cave;
	file->any += is_mov || is_cave || is_call;
}

static void note_beginning(void *data, uint64_t address, const struct zl_insn *insn)
{
	struct file *file = data;

	file->begins[address - file->layout.low] = insn->length != 0;
}

static void visit(void *data, uint64_t address, const struct zl_insn *insn)
{
	struct file *file = data;
	uint64_t begin, number;

	if (insn->flow == ZL_FLOW_SYSCALL && insn->length != 0)
		cover_site(file, address);
	for (uint64_t at = address; at < address + insn->length; at++) {
		if (!looks_like_mov(file, at, &begin, &number) || file->begins[begin - file->layout.low])
			continue;
		file->decoys++;
		if (has_mov(file, at, number)) {
			file->decoys_taken++;
			fprintf(stderr, "%s: %#lx: taken for a mov\n", file->layout.path, (unsigned long)begin);
		}
	}
}

static bool cover(const char *path)
{
	struct file file = { .layout.path = path };

	claims = 0;
	if (!layout_read(&file.layout))
		return false;
	file.begins = calloc(1, file.layout.high - file.layout.low);
	layout_walk(&file.layout, zydis, note_beginning, &file);
	layout_walk(&file.layout, zydis, visit, &file);
	printf("{\"file\": \"%s\", \"sites\": %u, \"mov\": %u, \"cave\": %u, \"either\": %u, \"call\": %u, \"any\": %u, "
	       "\"decoys\": %u, \"taken\": %u, \"decoded\": %u, \"mov_ns\": %.0f, \"cave_ns\": %.0f}\n",
	       path, file.sites, file.movs, file.caves, file.either, file.calls, file.any, file.decoys, file.decoys_taken,
	       file.most_decoded, file.mov_ns / (file.sites + !file.sites), file.cave_ns / (file.sites + !file.sites));
	free(file.begins);
	free(file.layout.starts);
	return true;
}

int main(int argc, char **argv)
{
	bool is_good = true;

	if (zl_zydis_bind(find_symbol) != 0)
		return fprintf(stderr, "no Zydis\n"), 1;
	zydis = zl_decoder;
	counting.length = zydis->length;
	zl_decoder = &counting;
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "-w") == 0)
			layout_has_no_table = true;
		else
			is_good = cover(argv[i]) && is_good;
	return is_good ? 0 : 1;
}
