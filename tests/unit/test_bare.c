/* test_bare.c - a shared object loaded without the dynamic linker (agent/bare.c)
 *
 *   good          relocations, imports, weak symbols, zero pages, rights of its segments; Zydis itself
 *   refused       what is no library, or wants more: thread variables, constructors, indirect functions, unknown names
 *   broken        any byte of what is read changed, any end missing: refused, or loaded, nothing else
 *   failures      of each call: refused, and nothing stays mapped; afterwards it works
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "agent/bare.h"
#include "agent/zydis.h"
#include "base/inject.h"
#include "lazy/decoder.h"
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SEED = 1, CHANGES = 1500, ENDS = 200 };

bool zl_copy_hides_zero;   /* trampoline/zero.c has it */
const struct zl_decoder *zl_decoder;   /* lazy/judge.c has it */

static const struct zl_import imports[] = {
	{ "memcpy", memcpy }, { "memset", memset }, { "strcmp", strcmp }, { "strlen", strlen },
	{ "__stack_chk_fail", abort }, { "__assert_fail", abort }, { NULL, NULL },
};

static const struct zl_bare *load(const char *path)
{
	long error;
	const struct zl_bare *object = zl_bare_load(path, imports, &error);

	assert_true(object ? error == 0 : error < 0);
	return object;
}

static void expect_refused(const char *path, long expected)
{
	long error;

	assert_null(zl_bare_load(path, imports, &error));
	assert_int_equal(error, expected);
}

static const char *library(const char *name)
{
	static char path[1000];
	snprintf(path, sizeof(path), "%s/%s.so", BARE_OBJECTS, name);
	return path;
}

/* "r--p" and so on. */
static const char *rights(const void *address)
{
	static char line[1000];
	static char found[5];
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned long start, end;

	strcpy(found, "none");
	while (fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx", &start, &end) == 2 && (unsigned long)address - start < end - start)
			sscanf(line, "%*s %4s", found);
	fclose(maps);
	return found;
}

static unsigned count_mappings(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned count = 0;
	int c;

	while ((c = fgetc(maps)) != EOF)
		count += c == '\n';
	fclose(maps);
	return count;
}

static void test_bare_loads(void **state)
{
	const struct zl_bare *object = load(library("bare_good"));
	int (*check)(int);
	const void *(*relro)(void);

	(void)state;
	assert_non_null(object);
	*(void **)&check = zl_bare_symbol(object, "bare_check");
	*(void **)&relro = zl_bare_symbol(object, "bare_relro");
	assert_non_null(check);
	assert_non_null(relro);
	assert_int_equal(check(5), 0);
	assert_string_equal(rights(relro()), "r--p");
	assert_string_equal(rights((const void *)(uintptr_t)check), "r-xp");
	assert_null(zl_bare_symbol(object, "bare_missing"));
	assert_null(zl_bare_symbol(object, "bare_pointer"));   /* no function */
	assert_null(zl_bare_symbol(object, "memcpy"));
	assert_null(zl_bare_symbol(object, ""));
}

static const struct zl_bare *zydis;
static void *zydis_symbol(const char *name) { return zl_bare_symbol(zydis, name); }

static void test_bare_loads_zydis(void **state)
{
	static const uint8_t code[] = { 0x48, 0x83, 0xec, 0x18 };   /* sub $24,%rsp */
	struct zl_insn insn;

	(void)state;
	zydis = load(ZYDIS_PATH);
	assert_non_null(zydis);
	assert_int_equal(zl_zydis_bind(zydis_symbol), 0);
	assert_int_equal(zl_decoder->decode(code, sizeof(code), &insn), 4);
	assert_int_equal(insn.stack, ZL_STACK_MOVE);
	assert_int_equal(insn.amount, -24);
}

static void test_bare_refuses(void **state)
{
	static const char *const wanting[] = { "bare_tls", "bare_constructor", "bare_unknown", "bare_indirect" };

	(void)state;
	for (size_t i = 0; i < sizeof(wanting) / sizeof(wanting[0]); i++)
		expect_refused(library(wanting[i]), -ENOEXEC);
	expect_refused("/missing/file", -ENOENT);
	expect_refused("/", -EISDIR);
	expect_refused("/dev/null", -ENOEXEC);
	expect_refused("/etc/passwd", -ENOEXEC);
	expect_refused("/proc/self/exe", -ENOEXEC);
	expect_refused(LIBC_PATH, -ENOEXEC);
}

/* A copy of the good library, to be changed. */
static struct { uint8_t *bytes; size_t size; char path[40]; int fd; } broken = { .path = "/tmp/zlazy-bare-XXXXXX" };

static int make_copy(void **state)
{
	int fd = open(library("bare_good"), O_RDONLY);
	struct stat st;

	(void)state;
	assert_int_equal(fstat(fd, &st), 0);
	broken.size = (size_t)st.st_size;
	broken.bytes = malloc(broken.size);
	assert_int_equal(read(fd, broken.bytes, broken.size), (ssize_t)broken.size);
	close(fd);
	broken.fd = mkstemp(broken.path);
	return broken.fd < 0;
}

static int drop_copy(void **state)
{
	(void)state;
	free(broken.bytes);
	close(broken.fd);
	return unlink(broken.path);
}

static void try_broken(size_t size)
{
	const struct zl_bare *object;

	assert_int_equal(ftruncate(broken.fd, 0), 0);   /* what is still mapped of it is gone */
	assert_int_equal(pwrite(broken.fd, broken.bytes, size, 0), (ssize_t)size);
	object = load(broken.path);
	if (object)
		(void)zl_bare_symbol(object, "bare_check");
}

static size_t end_of_loaded(void)
{
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)broken.bytes;
	const Elf64_Phdr *part = (const Elf64_Phdr *)(broken.bytes + header->e_phoff);
	size_t end = 0;

	for (unsigned i = 0; i < header->e_phnum; i++)
		if (part[i].p_type == PT_LOAD)
			end = part[i].p_offset + part[i].p_filesz;
	return end;
}

static void test_bare_survives_missing_ends(void **state)
{
	size_t end = end_of_loaded();

	(void)state;
	for (unsigned i = 0; i < ENDS; i++)
		try_broken(i * end / ENDS);
	broken.bytes[0] ^= 1;
	try_broken(broken.size);
	broken.bytes[0] ^= 1;
	try_broken(end);
	assert_non_null(load(broken.path));
}

/* Headers, the dynamic section, symbols and relocations: whatever is looked at. The rest is code and data. */
static void test_bare_survives_changes(void **state)
{
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)broken.bytes;
	const Elf64_Phdr *part = (const Elf64_Phdr *)(broken.bytes + header->e_phoff);
	size_t dynamic = 0, dynamic_size = 0, first = part[0].p_filesz;

	(void)state;
	for (unsigned i = 0; i < header->e_phnum; i++)
		if (part[i].p_type == PT_DYNAMIC) {
			dynamic = part[i].p_offset;
			dynamic_size = part[i].p_filesz;
		}
	srand(SEED);
	for (unsigned i = 0; i < CHANGES; i++) {
		size_t at = (size_t)rand() % (first + dynamic_size);
		uint8_t *byte = &broken.bytes[at < first ? at : dynamic + at - first], was = *byte;

		*byte = (uint8_t)(rand() % 2 ? rand() : was ^ 1 << rand() % 8);
		try_broken(broken.size);
		*byte = was;
	}
	try_broken(broken.size);
	assert_non_null(load(broken.path));
}

static void test_bare_each_failure(void **state)
{
	static const struct { const char *fault; long error; } faults[] = {
		{ "open:1", -EACCES }, { "read:1", -EIO }, { "map:1", -ENOMEM }, { "map:2", -ENOMEM },
		{ "map:3", -ENOMEM }, { "map:4", -ENOMEM }, { "protect:1", -EACCES },
	};
	unsigned before;

	(void)state;
	assert_non_null(load(library("bare_good")));
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		before = count_mappings();
		assert_true(zl_inject_parse(faults[i].fault));
		expect_refused(library("bare_good"), faults[i].error);
		assert_true(zl_inject_parse("all:1000000000"));
		assert_int_equal(count_mappings(), before);
	}
	assert_non_null(load(library("bare_good")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bare_loads),
		cmocka_unit_test(test_bare_loads_zydis),
		cmocka_unit_test(test_bare_refuses),
		cmocka_unit_test(test_bare_survives_missing_ends),
		cmocka_unit_test(test_bare_survives_changes),
		cmocka_unit_test(test_bare_each_failure),
	};
	return cmocka_run_group_tests(tests, make_copy, drop_copy);
}
