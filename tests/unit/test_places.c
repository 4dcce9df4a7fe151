/* test_places.c - where a refused site is, in words (tools/places.c); the command's tests have files and memory
 *
 *   vdso             each system call of the vDSO has the name of a symbol of it, or the offset
 *   other bytes      at the offset than in the record: no symbol
 *   unknown          a mapping that the kernel has not told
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "tools/places.h"
#include <elf.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>

static struct zl_refused_site site_in_vdso(const unsigned char *image, uint64_t offset)
{
	struct zl_refused_site site = { .offset = offset, .end = sizeof(site.bytes), .is_place_known = true };

	memcpy(site.bytes, image + offset - ZL_REFUSED_AT, sizeof(site.bytes));
	strcpy(site.name, "[vdso]");
	return site;
}

/* The offset of the first `syscall` of the vDSO that is in a function with a symbol, 0 if there is none. */
static uint64_t find_named(const unsigned char *image, char text[ZL_PLACE_SIZE])
{
	const Elf64_Ehdr *header = (const void *)image;

	for (uint64_t at = ZL_REFUSED_AT; at + 16 < header->e_shoff; at++) {
		struct zl_refused_site site;

		if (memcmp(image + at, "\x0f\x05", 2) != 0)
			continue;
		site = site_in_vdso(image, at);
		zl_place_of(&site, text);
		if (strstr(text, "[vdso]!") == text)
			return at;
		assert_int_equal(strncmp(text, "[vdso]+0x", 9), 0);
	}
	return 0;
}

static void test_places_names_functions_of_the_vdso(void **state)
{
	const unsigned char *image = (const void *)getauxval(AT_SYSINFO_EHDR);
	char text[ZL_PLACE_SIZE], name[64];
	unsigned long into;

	(void)state;
	if (image == NULL || find_named(image, text) == 0)
		skip();
	print_message("%s\n", text);
	assert_int_equal(sscanf(text, "[vdso]!%63[a-z_]+0x%lx", name, &into), 2);
	assert_true(strstr(name, "time") != NULL || strstr(name, "get") != NULL);
}

static void test_places_compares_bytes(void **state)
{
	const unsigned char *image = (const void *)getauxval(AT_SYSINFO_EHDR);
	char text[ZL_PLACE_SIZE], expected[ZL_PLACE_SIZE];
	struct zl_refused_site site;
	uint64_t at;

	(void)state;
	at = image != NULL ? find_named(image, text) : 0;
	if (at == 0)
		skip();
	site = site_in_vdso(image, at);
	site.bytes[15] ^= 1;
	zl_place_of(&site, text);
	snprintf(expected, sizeof(expected), "[vdso]+%#lx", (unsigned long)at);
	assert_string_equal(text, expected);
	site.end = 15;   /* what could not be read is not compared */
	zl_place_of(&site, text);
	assert_ptr_equal(strstr(text, "[vdso]!"), text);
}

static void test_places_unknown(void **state)
{
	struct zl_refused_site site = { .address = 0x1234, .pid = 7 };
	char text[ZL_PLACE_SIZE];

	(void)state;
	zl_place_of(&site, text);
	assert_string_equal(text, "somewhere at 0x1234 of process 7");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places_names_functions_of_the_vdso),
		cmocka_unit_test(test_places_compares_bytes),
		cmocka_unit_test(test_places_unknown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
