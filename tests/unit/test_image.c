/* test_image.c - the copy of a shared object (lazy/image.c), tried on this process's vDSO
 *
 *   functions     those that ld.so finds, where it finds them; the same by the one hash table and by the other
 *   frames        call-frame instructions for each function, inside of the image; none for another address
 *   not an image  other magic, class, machine or type; nothing; zeros
 *   cut off       after any number of bytes: refused, or answered without a look behind the end
 *   overwritten   any word of it by a small, great or negative number: the same, for every function and frame
 *
 * The bytes end at a page that can't be read.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "lazy/image.h"
#include <dlfcn.h>
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>

enum { PAGE = 4096, MOST = 16 * PAGE };
static uint8_t original[MOST], *end;
static size_t size;
static uintptr_t address;

static int find_vdso(void **state)
{
	uint8_t *room = mmap(NULL, MOST + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char line[256];
	uintptr_t start, stop;
	FILE *maps = fopen("/proc/self/maps", "r");

	(void)state;
	while (fgets(line, sizeof(line), maps))
		if (strstr(line, "[vdso]") && sscanf(line, "%lx-%lx", &start, &stop) == 2 && stop - start <= MOST) {
			address = start;
			size = stop - start;
			memcpy(original, (void *)start, size);
		}
	fclose(maps);
	end = room + MOST;
	return room == MAP_FAILED || mprotect(end, PAGE, PROT_NONE) != 0;
}

/* The first n bytes, right before the page that can't be read. */
static uint8_t *copy(size_t n)
{
	return memcpy(end - n, original, n);
}

static bool find(const struct zl_image *image, const char *name, struct zl_function *function)
{
	for (size_t i = 0; i < image->count; i++)
		if (zl_image_function(image, i, function) && strcmp(function->name, name) == 0)
			return true;
	return false;
}

static void check_functions(const struct zl_image *image)
{
	static const char *const names[] = { "__vdso_clock_gettime", "__vdso_gettimeofday", "__vdso_time", "__vdso_getcpu",
		"clock_gettime", "gettimeofday" };
	void *vdso = dlopen("linux-vdso.so.1", RTLD_NOW | RTLD_NOLOAD);
	struct zl_function function;

	assert_non_null(vdso);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		assert_true(find(image, names[i], &function));
		assert_int_equal(address + function.offset, (uintptr_t)dlsym(vdso, names[i]));
		assert_in_range(function.size, 8, 4096);
	}
	assert_false(find(image, "__vdso_nothing", &function));
}

static void test_image_functions(void **state)
{
	struct zl_image image;

	(void)state;
	if (!size)
		skip();
	assert_true(zl_image_read(&image, copy(size), size));
	check_functions(&image);
}

/* The image's dynamic section without one of its entries; false if it has none. */
static bool drop(uint8_t *bytes, int64_t tag)
{
	Elf64_Ehdr *header = (Elf64_Ehdr *)bytes;
	Elf64_Phdr *segment = (Elf64_Phdr *)(bytes + header->e_phoff);

	while (segment->p_type != PT_DYNAMIC)
		segment++;
	for (Elf64_Dyn *entry = (Elf64_Dyn *)(bytes + segment->p_offset); entry->d_tag != DT_NULL; entry++)
		if (entry->d_tag == tag) {
			entry->d_tag = DT_DEBUG;
			return true;
		}
	return false;
}

static void test_image_hash_tables(void **state)
{
	static const int64_t tags[] = { DT_HASH, DT_GNU_HASH };
	struct zl_image image;

	(void)state;
	for (size_t i = 0; i < 2 && size; i++) {
		uint8_t *bytes = copy(size);
		if (!drop(bytes, tags[1 - i]))
			continue;   /* the other one is the only one */
		if (!drop(bytes, tags[i]))
			continue;
		assert_false(zl_image_read(&image, bytes, size));
		bytes = copy(size);
		drop(bytes, tags[i]);
		assert_true(zl_image_read(&image, bytes, size));
		check_functions(&image);
	}
}

static void test_image_frames(void **state)
{
	struct zl_function function;
	struct zl_image image;
	size_t length, found = 0;

	(void)state;
	if (!size)
		skip();
	assert_true(zl_image_read(&image, copy(size), size));
	for (size_t i = 0; i < image.count; i++) {
		uint8_t *frame;
		if (!zl_image_function(&image, i, &function))
			continue;
		frame = zl_image_frame(&image, function.offset, &length);
		assert_non_null(frame);
		assert_true(frame >= image.bytes && length < image.size && frame + length <= image.bytes + image.size);
		assert_null(zl_image_frame(&image, function.offset + 1, &length));
		found++;
	}
	assert_true(found > 0);
}

static void test_image_refuses_what_is_none(void **state)
{
	static const size_t places[] = { 0, EI_CLASS, offsetof(Elf64_Ehdr, e_machine), offsetof(Elf64_Ehdr, e_type),
		offsetof(Elf64_Ehdr, e_phentsize), offsetof(Elf64_Ehdr, e_phnum) };
	struct zl_image image;

	(void)state;
	if (!size)
		skip();
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		uint8_t *bytes = copy(size);
		bytes[places[i]] = 0;
		assert_false(zl_image_read(&image, bytes, size));
	}
	assert_false(zl_image_read(&image, end, 0));
	memset(end - size, 0, size);
	assert_false(zl_image_read(&image, end - size, size));
}

/* All that can be asked; answers must lie inside. */
static void ask_everything(const struct zl_image *image, size_t given)
{
	struct zl_function function;
	size_t length;

	assert_true(image->size <= given);
	for (size_t i = 0; i <= image->count && i < 100; i++) {
		uint8_t *frame;
		if (!zl_image_function(image, i, &function))
			continue;
		assert_true(strlen(function.name) < image->size);
		assert_true(function.size <= image->size && function.offset <= image->size - function.size);
		frame = zl_image_frame(image, function.offset, &length);
		if (frame)
			assert_true(length <= image->size && frame >= image->bytes && frame <= image->bytes + image->size - length);
	}
}

static void test_image_cut_off(void **state)
{
	struct zl_image image;

	(void)state;
	for (size_t n = 0; n < size; n++)
		if (zl_image_read(&image, copy(n), n))
			ask_everything(&image, n);
	for (size_t n = 0; n < 512 && n < size; n++)
		assert_false(zl_image_read(&image, copy(n), n));
}

static void test_image_overwritten(void **state)
{
	static const uint64_t values[] = { 0, 1, 3, 0x7fffffff, 0xffffffff, 0x1000, 0x7fffffffffffffff, -1ULL, -8ULL, -4096ULL };
	struct zl_image image;

	(void)state;
	for (size_t at = 0; at + 8 <= size && at < 0x800; at += 2)
		for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++)
			for (size_t width = 2; width <= 8; width *= 2) {
				uint8_t *bytes = copy(size);
				memcpy(bytes + at, &values[i], width);
				if (zl_image_read(&image, bytes, size))
					ask_everything(&image, size);
			}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_image_functions), cmocka_unit_test(test_image_hash_tables),
		cmocka_unit_test(test_image_frames), cmocka_unit_test(test_image_refuses_what_is_none),
		cmocka_unit_test(test_image_cut_off), cmocka_unit_test(test_image_overwritten),
	};
	return cmocka_run_group_tests(tests, find_vdso, NULL);
}
