/* test_function.c - zl_function_find() on tables made byte for byte, whole ones and broken ones
 *
 * bounds: first and last byte; before the first function, behind the last; a small gap, a large one; beginnings.
 * rows: none; a prologue and an epilogue; remember and restore; an expression; a restore without a state; an opcode or
 *   a number that is none; more rows than room; a program longer than is read.
 * kinds: addresses absolute, relative in 4 and 8 bytes; augmentation zPLR, none; version 3; code in units of 4.
 * declined: no lookup, no module, no table; another version, table of another kind; a count, an FDE, a CIE that
 *   can't be read; lengths 0 and 0xffffffff; a CIE in an FDE's place and the reverse; an unknown letter; a signal frame; a
 *   range that is empty, outside of the module, or not where the table says.
 * any byte: each byte of a table set to each value: no crash, and whatever is found makes sense.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/copy.h"
#include "lazy/function.h"
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

bool zl_copy_hides_zero;   /* trampoline/zero.c has it */

enum { HEADER = 0, TABLE = 12, FRAME = 64, CODE = 4096, FIRST = CODE + 16, SIZE = 8192 };
enum { PCREL4 = 0x1b, PCREL8 = 0x1c, ABSOLUTE = 0 };
#define NOTHING "", 0

static uint8_t *module;            /* between two pages that can't be read */
static unsigned used, fdes;
static struct zl_object object;
static struct zl_function found;

static int find_object(void *address, struct zl_object *to)
{
	*to = object;
	return (uintptr_t)address - object.start < object.end - object.start ? 0 : -1;
}

static void put(const void *bytes, size_t size)
{
	memcpy(module + used, bytes, size);
	used += (unsigned)size;
}

static void put4(uint32_t value)
{
	put(&value, sizeof(value));
}

static void set4(unsigned at, uint32_t value)
{
	memcpy(module + at, &value, sizeof(value));
}

/* What lazy/fault.c does. */
static void on_fault(int number, siginfo_t *info, void *context)
{
	greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)info;
	if (registers[REG_RIP] == (greg_t)(uintptr_t)zl_copy_insn)
		registers[REG_RIP] = (greg_t)(uintptr_t)zl_copy_fault;
	else
		signal(number, SIG_DFL);
}

/* Begin a module with an empty table. CMocka has a handler of its own before each test. */
static void begin(void)
{
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	memset(module, 0, SIZE);
	memcpy(module, "\x01\x1b\x03\x3b", 4);
	set4(4, FRAME - 4);
	fdes = 0;
	used = FRAME;
	object = (struct zl_object){ .start = (uintptr_t)module, .end = (uintptr_t)module + SIZE,
				     .unwind_header = (uintptr_t)module };
	zl_find_object = find_object;
}

/* A CIE: `head` from the version to the return address register, its augmentation data, CFA = rsp + 8. Returns
 * where. */
static unsigned put_common(const char *head, size_t head_size, const char *data, size_t data_size)
{
	static const char program[] = "\x0c\x07\x08\x90\x01";
	unsigned at = used;

	put4((uint32_t)(4 + head_size + data_size + sizeof(program) - 1));
	put4(0);
	put(head, head_size);
	put(data, data_size);
	put(program, sizeof(program) - 1);
	return at;
}

/* An FDE, and its entry in the table. */
static unsigned put_function(unsigned common, int encoding, uint32_t start, uint32_t size, bool is_augmented,
			     const char *program, size_t program_size)
{
	unsigned at = used, wide = encoding == PCREL4 ? 4 : 8;
	uint64_t address = (uintptr_t)module + start, length = size;

	put4((uint32_t)(4 + 2 * wide + is_augmented + program_size));
	put4(used - common);
	if (encoding != ABSOLUTE)
		address -= (uintptr_t)module + used;
	put(&address, wide);
	put(&length, wide);
	put("", is_augmented);
	put(program, program_size);
	set4(TABLE + 8 * fdes, start);
	set4(TABLE + 8 * fdes + 4, at);
	set4(8, ++fdes);
	return at;
}

#define ZR "\x01zR\0\x01\x78\x10"
#define ZR_HEAD ZR, sizeof(ZR) - 1
#define ZR_DATA "\x01\x1b", 2

/* One function of 64 bytes with this program. Returns its FDE. */
static unsigned lay(const char *program, size_t size)
{
	unsigned common;

	begin();
	common = put_common(ZR_HEAD, ZR_DATA);
	return put_function(common, PCREL4, FIRST, 64, true, program, size);
}

static bool find(uint32_t at)
{
	memset(&found, 0xee, sizeof(found));
	return zl_function_find((uintptr_t)module + at, &found);
}

static void expect_row(unsigned i, uint32_t at, int base, int offset)
{
	assert_true(i < found.rows);
	assert_int_equal(found.row[i].at, at);
	assert_int_equal(found.row[i].base, base);
	if (base != ZL_CFA_UNKNOWN)
		assert_int_equal(found.row[i].offset, offset);
}

static void test_function_finds_bounds(void **state)
{
	(void)state;
	lay(NOTHING);
	assert_true(find(FIRST));
	assert_int_equal(found.begin, (uintptr_t)module + FIRST);
	assert_int_equal(found.end, (uintptr_t)module + FIRST + 64);
	assert_int_equal(found.rows, 1);
	expect_row(0, 0, ZL_CFA_RSP, 8);
	assert_true(find(FIRST + 63));
	assert_false(find(FIRST - 1));
	assert_false(find(FIRST + 64));
}

static void test_function_searches_the_table(void **state)
{
	unsigned common;

	(void)state;
	begin();
	common = put_common(ZR_HEAD, ZR_DATA);
	for (unsigned i = 0; i < 5; i++)
		put_function(common, PCREL4, FIRST + 32 * i, 32, true, NOTHING);
	for (unsigned i = 0; i < 5 * 32; i++) {
		assert_true(find(FIRST + i));
		assert_int_equal(found.begin, (uintptr_t)module + FIRST + i / 32 * 32);
		assert_int_equal(zl_function_begins((uintptr_t)module + FIRST + i), i % 32 == 0);
	}
	assert_false(zl_function_begins((uintptr_t)module + FIRST - 1));
	assert_false(zl_function_begins((uintptr_t)module + FIRST + 5 * 32));
}

static void test_function_takes_a_small_gap_along(void **state)
{
	unsigned common;

	(void)state;
	begin();
	common = put_common(ZR_HEAD, ZR_DATA);
	put_function(common, PCREL4, FIRST, 32, true, NOTHING);
	put_function(common, PCREL4, FIRST + 96, 32, true, NOTHING);
	put_function(common, PCREL4, FIRST + 193, 32, true, NOTHING);
	assert_true(find(FIRST + 31));
	assert_false(found.has_gap);
	assert_true(find(FIRST + 40));
	assert_true(found.has_gap);
	assert_int_equal(found.end, (uintptr_t)module + FIRST + 96);
	expect_row(1, 32, ZL_CFA_UNKNOWN, 0);
	assert_false(find(FIRST + 128));
}

/* push %rbp; mov %rsp,%rbp ... leave; ret ... */
#define PROLOGUE "\x41\x0e\x10\x86\x02\x43\x0d\x06"
#define EPILOGUE "\x50\x0a\x0c\x07\x08\x41\x0b"
#define WITH(program) program, sizeof(program) - 1

static void test_function_follows_a_frame(void **state)
{
	(void)state;
	lay(WITH(PROLOGUE EPILOGUE));
	assert_true(find(FIRST));
	assert_int_equal(found.rows, 5);
	expect_row(0, 0, ZL_CFA_RSP, 8);
	expect_row(1, 1, ZL_CFA_RSP, 16);
	expect_row(2, 4, ZL_CFA_RBP, 16);
	expect_row(3, 20, ZL_CFA_RSP, 8);
	expect_row(4, 21, ZL_CFA_RBP, 16);
	assert_ptr_equal(zl_function_row(&found, 0), &found.row[0]);
	assert_ptr_equal(zl_function_row(&found, 3), &found.row[1]);
	assert_ptr_equal(zl_function_row(&found, 4), &found.row[2]);
	assert_ptr_equal(zl_function_row(&found, 63), &found.row[4]);
}

static void test_function_knows_every_instruction(void **state)
{
	(void)state;
	/* offset, offset_extended, register, same_value, undefined, restore, restore_extended, expression, val_expression,
	 * signed ones, args_size; advance_loc1, 2, 4 */
	lay(WITH("\x83\x02\x05\x03\x02\x09\x03\x06\x08\x03\x07\x03\xc3\x06\x03\x10\x03\x02\x77\x08\x16\x03\x02\x77\x08"
		 "\x11\x03\x7f\x15\x03\x7f\x14\x03\x01\x2e\x10\x02\x04\x03\x04\0\x04\x04\0\0\0\x0e\x80\x01\0\0"));
	assert_true(find(FIRST));
	assert_int_equal(found.rows, 4);
	expect_row(3, 12, ZL_CFA_RSP, 128);
}

static void expect_unknown_from(uint32_t at, unsigned rows)
{
	assert_true(find(FIRST));
	assert_int_equal(found.rows, rows);
	expect_row(rows - 1, at, ZL_CFA_UNKNOWN, 0);
}

static void test_function_forgets_what_it_does_not_follow(void **state)
{
	char many[600];

	(void)state;
	lay(WITH("\x44\x0f\x03\x77\x08\x06"));             /* an expression */
	expect_unknown_from(4, 2);
	lay(WITH("\x44\x0c\x03\x08"));                     /* another register */
	expect_unknown_from(4, 2);
	lay(WITH("\x44\x0b\x44"));                         /* restore without remember */
	expect_unknown_from(4, 2);
	lay(WITH("\x44\x1d\x44"));                         /* no instruction */
	expect_unknown_from(4, 2);
	lay(WITH("\x44\x01\x44\0\0\0\x44"));               /* set_loc */
	expect_unknown_from(4, 2);
	lay(WITH("\x44\x0e"));                             /* a number that is not there */
	expect_unknown_from(4, 2);
	lay(WITH("\x44\x0e\xff\xff\xff\xff\xff\xff\x7f")); /* one of no sense */
	expect_unknown_from(4, 2);
	lay(WITH("\x44\x44\x7f"));                         /* behind the function's end */
	expect_unknown_from(8, 3);
	memset(many, 0x0a, sizeof(many));                  /* more states than room */
	lay(many, 100);
	expect_unknown_from(0, 1);
	memset(many, 0, sizeof(many));                     /* longer than is read */
	lay(many, sizeof(many));
	expect_unknown_from(0, 1);
}

static void test_function_has_room_for_so_many_rows(void **state)
{
	char many[ZL_FUNCTION_ROWS + 8];
	unsigned common;

	(void)state;
	memset(many, 0x41, sizeof(many));
	begin();
	common = put_common(ZR_HEAD, ZR_DATA);
	put_function(common, PCREL4, FIRST, 1000, true, many, sizeof(many));
	assert_true(find(FIRST));
	assert_int_equal(found.rows, ZL_FUNCTION_ROWS);
	expect_row(ZL_FUNCTION_ROWS - 2, ZL_FUNCTION_ROWS - 2, ZL_CFA_RSP, 8);
	expect_row(ZL_FUNCTION_ROWS - 1, ZL_FUNCTION_ROWS - 1, ZL_CFA_UNKNOWN, 0);
}

static void expect_kind(const char *head, size_t head_size, const char *data, size_t data_size, int encoding,
			uint32_t unit)
{
	unsigned common;

	begin();
	common = put_common(head, head_size, data, data_size);
	put_function(common, encoding, FIRST, 64, data_size != 0, "\x42\x0e\x10", 3);
	assert_true(find(FIRST + 5));
	assert_int_equal(found.end, (uintptr_t)module + FIRST + 64);
	expect_row(1, 2 * unit, ZL_CFA_RSP, 16);
}

static void test_function_reads_every_kind(void **state)
{
	(void)state;
	expect_kind(ZR_HEAD, ZR_DATA, PCREL4, 1);
	expect_kind(ZR_HEAD, "\x01\x1c", 2, PCREL8, 1);
	expect_kind(ZR_HEAD, "\x01\x00", 2, ABSOLUTE, 1);
	expect_kind("\x01zPLR\0\x01\x78\x10", 9, "\x07\x9b\1\2\3\4\x1b\x1b", 8, PCREL4, 1);
	expect_kind("\x01\0\x01\x78\x10", 5, NOTHING, ABSOLUTE, 1);
	expect_kind("\x03zR\0\x01\x78\x10", 7, ZR_DATA, PCREL4, 1);
	expect_kind("\x01zR\0\x04\x78\x10", 7, ZR_DATA, PCREL4, 4);
}

static void test_function_declines_without_a_table(void **state)
{
	(void)state;
	lay(NOTHING);
	object.unwind_header = 0;
	assert_false(find(FIRST));
	lay(NOTHING);
	assert_false(find(SIZE + 1));
	zl_find_object = NULL;
	assert_false(find(FIRST));
}

/* The table is found in this state only. */
static void expect_declined_with(unsigned at, uint32_t value)
{
	uint32_t before;

	assert_true(find(FIRST));
	memcpy(&before, module + at, sizeof(before));
	set4(at, value);
	assert_false(find(FIRST));
	set4(at, before);
}

static void test_function_declines_broken_tables(void **state)
{
	unsigned fde = lay(WITH(PROLOGUE));

	(void)state;
	expect_declined_with(HEADER, 0x3b031b02);          /* version */
	expect_declined_with(HEADER, 0x1b031b01);          /* kinds of table, count, pointer */
	expect_declined_with(HEADER, 0x3b041b01);
	expect_declined_with(HEADER, 0x3b03ff01);
	expect_declined_with(8, 0);
	expect_declined_with(8, 0xffffffff);
	expect_declined_with(TABLE, FIRST + 1);
	expect_declined_with(TABLE, FIRST - 1);
	expect_declined_with(TABLE + 4, 0x7ffffff0);
	expect_declined_with(TABLE + 4, FRAME);            /* the CIE */
	expect_declined_with(fde, 0);
	expect_declined_with(fde, 0xffffffff);
	expect_declined_with(fde + 4, 0);
	expect_declined_with(fde + 4, 4);                  /* the FDE itself */
	expect_declined_with(fde + 4, 0x8000000);
	expect_declined_with(fde + 8, 0);
	expect_declined_with(fde + 12, 0);
	expect_declined_with(fde + 12, SIZE);
	expect_declined_with(fde + 12, 0xffffffff);
	expect_declined_with(FRAME + 4, 1);
	expect_declined_with(FRAME + 8, 0x00527a02);       /* version 2; zX; eh; zS */
	expect_declined_with(FRAME + 8, 0x00587a01);
	expect_declined_with(FRAME + 8, 0x00686501);
	expect_declined_with(FRAME + 8, 0x00537a01);
}

static void test_function_declines_a_signal_frame(void **state)
{
	unsigned common;

	(void)state;
	begin();
	common = put_common("\x01zRS\0\x01\x78\x10", 8, ZR_DATA);
	put_function(common, PCREL4, FIRST, 64, true, NOTHING);
	assert_false(find(FIRST));
}

static void test_function_survives_any_byte(void **state)
{
	unsigned end;

	(void)state;
	lay(WITH(PROLOGUE EPILOGUE));
	end = used;
	for (unsigned at = 0; at < end; at++) {
		uint8_t before = module[at];

		for (unsigned value = 0; value < 256; value++) {
			module[at] = (uint8_t)value;
			if (!find(FIRST + 30))
				continue;
			assert_true(found.begin <= (uintptr_t)module + FIRST + 30 && found.end > (uintptr_t)module + FIRST + 30);
			assert_true(found.rows >= 1 && found.rows <= ZL_FUNCTION_ROWS && found.row[0].at == 0);
			for (unsigned i = 1; i < found.rows; i++)
				assert_true(found.row[i].at > found.row[i - 1].at &&
					    found.row[i].at < found.end - found.begin);
		}
		module[at] = before;
	}
}

static int start(void **state)
{
	(void)state;
	module = mmap(NULL, SIZE + 2 * ZL_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (module == MAP_FAILED)
		return -1;
	module += ZL_PAGE;
	return mprotect(module, SIZE, PROT_READ | PROT_WRITE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_function_finds_bounds),
		cmocka_unit_test(test_function_searches_the_table),
		cmocka_unit_test(test_function_takes_a_small_gap_along),
		cmocka_unit_test(test_function_follows_a_frame),
		cmocka_unit_test(test_function_knows_every_instruction),
		cmocka_unit_test(test_function_forgets_what_it_does_not_follow),
		cmocka_unit_test(test_function_has_room_for_so_many_rows),
		cmocka_unit_test(test_function_reads_every_kind),
		cmocka_unit_test(test_function_declines_without_a_table),
		cmocka_unit_test(test_function_declines_broken_tables),
		cmocka_unit_test(test_function_declines_a_signal_frame),
		cmocka_unit_test(test_function_survives_any_byte),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
