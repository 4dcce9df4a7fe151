/* test_whole.c - zl_judge() on whole functions, with the rows of their unwind table
 *
 * own instruction: from the nearest row, from the beginning, found backward where both are far; inside another one.
 * no touch of the slot: none at all; one above a frame that is allocated meanwhile; lower than the slot; r12 for rsp;
 *   part of an immediate; on another way than the site's; behind a call; a far one in a function with a call.
 * a touch: before, after, on both sides of a branch; behind the site and back; hundreds of bytes away; at a jump to
 *   nobody knows where; a vector's, with a scaled displacement; where the table tells nothing of rsp.
 * by a frame pointer: a leaf's; allocated; with a call, a lea -n(%rbp),%rsp; rbp as data.
 * too long: a far touch, a frame far from its end, without a call; a function that is larger than the buffer.
 * No judgement decodes more than ZL_MOST_DECODED instructions.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "agent/zydis.h"
#include "lazy/reading.h"
#include <dlfcn.h>
#include <string.h>

#define SITE "\xb8\x27\x00\x00\x00\x0f\x05"          /* mov $39,%eax; syscall */
#define STORE "\x48\x89\x7c\x24\xf8"                 /* mov %rdi,-8(%rsp) */
#define LOAD "\x48\x8b\x44\x24\xf8"
#define LEA "\x48\x8d\x74\x24\xf8"                   /* lea -8(%rsp),%rsi */
#define FRAME "\x55\x48\x89\xe5"                     /* push %rbp; mov %rsp,%rbp */
#define STORE_RBP "\x48\x89\x7d\xf8"
#define LOAD_RBP "\x48\x8b\x45\xf8"
#define POP_RET "\x5d\xc3"
#define LEAVE_RET "\xc9\xc3"
#define RET "\xc3"
#define CALL "\xe8\x00\x10\x00\x00"
#define JE(n) "\x74" n
#define WORK_16 "\x48\x89\xf8\x48\x83\xc0\x01\x48\x89\xc1\x48\x6b\xc9\x03\x85\xc9"
#define WORK_64 WORK_16 WORK_16 WORK_16 WORK_16
#define WORK_256 WORK_64 WORK_64 WORK_64 WORK_64
#define ROWS(...) ((const struct zl_row[]){ { 0, 8, ZL_CFA_RSP }, __VA_ARGS__ }), \
	sizeof((struct zl_row[]){ { 0, 8, ZL_CFA_RSP }, __VA_ARGS__ }) / sizeof(struct zl_row)
#define NO_ROWS ((const struct zl_row[]){ { 0, 8, ZL_CFA_RSP } }), 1
#define FRAME_ROWS ROWS({ 1, 16, ZL_CFA_RSP }, { 4, 16, ZL_CFA_RBP })

bool zl_copy_hides_zero;   /* trampoline/zero.c has it */
static const struct zl_decoder *zydis;
static unsigned decodings;
static struct zl_code code;

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

/* The verdict on the first `0f 05` of a function. */
static enum zl_verdict judge(const char *bytes, size_t size, const struct zl_row *rows, size_t count)
{
	enum zl_verdict verdict;

	code = (struct zl_code){ .size = (unsigned)size, .has_function = true };
	memcpy(code.bytes, bytes, size);
	memcpy(code.function.row, rows, count * sizeof(*rows));
	code.function.rows = (unsigned)count;
	code.function.begin = 0x10000;
	code.function.end = 0x10000 + size;
	code.site_offset = (unsigned)((uint8_t *)memmem(code.bytes, size, "\x0f\x05", 2) - code.bytes);
	decodings = 0;
	verdict = zl_judge(&code);
	assert_true(decodings <= ZL_MOST_DECODED);
	return verdict;
}

#define CASE(name, expected, bytes, ...) \
	static void name(void **state) \
	{ \
		(void)state; \
		assert_int_equal(judge(bytes, sizeof(bytes) - 1, __VA_ARGS__), expected); \
	}

CASE(test_whole_accepts_beginning, ZL_OK, SITE RET, NO_ROWS)
CASE(test_whole_accepts_behind_row, ZL_OK, WORK_256 "\x53" WORK_16 SITE RET, ROWS({ 257, 16, ZL_CFA_RSP }))
CASE(test_whole_accepts_far_from_rows, ZL_OK, WORK_256 WORK_256 SITE RET, NO_ROWS)
CASE(test_whole_refuses_inside, ZL_INSIDE, WORK_16 "\x48\xb8" SITE "\x90" RET, NO_ROWS)
CASE(test_whole_refuses_inside_behind_row, ZL_INSIDE, WORK_256 "\x53\x48\xb8" SITE "\x90" RET,
     ROWS({ 257, 16, ZL_CFA_RSP }))
CASE(test_whole_refuses_inside_far_from_rows, ZL_INSIDE, WORK_256 "\x48\xb8" SITE "\x90" RET, NO_ROWS)

CASE(test_whole_accepts_save_before_sub, ZL_OK, STORE "\x48\x83\xec\x18" SITE "\x48\x83\xc4\x18" LOAD RET,
     ROWS({ 9, 32, ZL_CFA_RSP }, { 20, 8, ZL_CFA_RSP }))
CASE(test_whole_accepts_below_slot, ZL_OK, "\x48\x89\x7c\x24\xf0" SITE "\x48\x8b\x44\x24\xf0" RET, NO_ROWS)
CASE(test_whole_accepts_stack_probe, ZL_OK, "\x4c\x8d\x9c\x24\x00\xf0\xff\xff" SITE RET, NO_ROWS)
CASE(test_whole_accepts_r12, ZL_OK, "\x49\x89\x7c\x24\xf8" SITE "\x49\x8d\x74\x24\xf8" RET, NO_ROWS)
CASE(test_whole_accepts_immediate, ZL_OK, "\x48\xb8\x11\x8d\x74\x24\xf8\x11\x22\x33" SITE RET, NO_ROWS)
/* fcntl: lea, store and load belong to the other call */
CASE(test_whole_accepts_other_way, ZL_OK, JE("\x08") SITE RET STORE LEA SITE LOAD RET, NO_ROWS)
CASE(test_whole_refuses_that_way, ZL_RED_ZONE, JE("\x02") RET "\x90" STORE LEA SITE LOAD RET, NO_ROWS)
CASE(test_whole_accepts_behind_call, ZL_OK, SITE CALL LOAD RET, NO_ROWS)

CASE(test_whole_refuses_buffer, ZL_RED_ZONE, LEA SITE RET, NO_ROWS)
CASE(test_whole_refuses_store, ZL_RED_ZONE, STORE SITE RET, NO_ROWS)
CASE(test_whole_refuses_load, ZL_RED_ZONE, SITE LOAD RET, NO_ROWS)
CASE(test_whole_refuses_far_buffer, ZL_RED_ZONE, LEA WORK_64 SITE WORK_256 WORK_256 RET, NO_ROWS)
CASE(test_whole_refuses_buffer_below_frame, ZL_RED_ZONE,
     "\x48\x83\xec\x18" "\x48\x8d\x74\x24\x88" SITE "\x48\x83\xc4\x18" RET,
     ROWS({ 4, 32, ZL_CFA_RSP }, { 20, 8, ZL_CFA_RSP }))
CASE(test_whole_refuses_buffer_made_behind, ZL_RED_ZONE, JE("\x10") SITE WORK_16 "\xc3" LEA "\xeb\xe1", NO_ROWS)
CASE(test_whole_refuses_load_at_branch, ZL_RED_ZONE, SITE JE("\x02") RET "\x90" LOAD RET, NO_ROWS)
CASE(test_whole_refuses_load_by_unknown_jump, ZL_RED_ZONE, SITE "\xff\xe1" LOAD RET, NO_ROWS)
/* vmovups -0x40(%rsp),%zmm0 */
CASE(test_whole_refuses_scaled, ZL_RED_ZONE, SITE "\x62\xf1\x7c\x48\x10\x44\x24\xff" RET, NO_ROWS)
CASE(test_whole_refuses_unknown_rows, ZL_RED_ZONE, "\x48\x83\xec\x18" STORE SITE RET, ROWS({ 4, 0, ZL_CFA_UNKNOWN }))
CASE(test_whole_refuses_no_instruction, ZL_RED_ZONE, SITE "\x06\x06" LOAD RET, NO_ROWS)

CASE(test_whole_refuses_leaf_frame, ZL_RED_ZONE, FRAME STORE_RBP SITE LOAD_RBP POP_RET, FRAME_ROWS)
CASE(test_whole_refuses_big_leaf_frame, ZL_RED_ZONE,
     FRAME "\x48\x83\xec\x18" "\x48\x8d\x95\x70\xff\xff\xff" SITE LEAVE_RET, FRAME_ROWS)
CASE(test_whole_accepts_allocated_frame, ZL_OK, FRAME "\x48\x83\xec\x10" STORE_RBP SITE LOAD_RBP LEAVE_RET, FRAME_ROWS)
CASE(test_whole_accepts_pushed_frame, ZL_OK, FRAME "\x53" STORE_RBP SITE LOAD_RBP "\x5b" POP_RET, FRAME_ROWS)
CASE(test_whole_accepts_frame_after_early_exit, ZL_OK,
     FRAME "\x48\x83\xec\x10" STORE_RBP JE("\x02") LEAVE_RET SITE LOAD_RBP LEAVE_RET,
     ROWS({ 1, 16, ZL_CFA_RSP }, { 4, 16, ZL_CFA_RBP }, { 15, 8, ZL_CFA_RSP }, { 16, 16, ZL_CFA_RBP }))
CASE(test_whole_accepts_frame_with_call, ZL_OK, FRAME STORE_RBP SITE CALL LOAD_RBP POP_RET, FRAME_ROWS)
CASE(test_whole_accepts_frame_with_call_before, ZL_OK, FRAME STORE_RBP CALL SITE LOAD_RBP POP_RET, FRAME_ROWS)
CASE(test_whole_accepts_frame_with_lea, ZL_OK, FRAME STORE_RBP SITE LOAD_RBP "\x48\x8d\x65\xf0" POP_RET, FRAME_ROWS)
CASE(test_whole_refuses_untold_frame, ZL_RED_ZONE, FRAME STORE_RBP SITE LOAD_RBP POP_RET, NO_ROWS)
CASE(test_whole_accepts_untold_frame_with_call, ZL_OK, FRAME STORE_RBP SITE CALL LOAD_RBP POP_RET, NO_ROWS)
CASE(test_whole_accepts_rbp_as_data, ZL_OK, "\x55\x48\x89\xfd" LOAD_RBP SITE LOAD_RBP POP_RET,
     ROWS({ 1, 16, ZL_CFA_RSP }))

CASE(test_whole_declines_far_touch, ZL_TOO_LONG, SITE WORK_256 LOAD RET, NO_ROWS)
CASE(test_whole_accepts_far_touch_with_call, ZL_OK, SITE CALL WORK_256 LOAD RET, NO_ROWS)
CASE(test_whole_refuses_far_touch_near_row, ZL_RED_ZONE, LEA WORK_64 SITE CALL WORK_256 RET, NO_ROWS)
CASE(test_whole_declines_long_frame, ZL_TOO_LONG,
     FRAME "\x48\x83\xec\x10" STORE_RBP SITE WORK_256 LOAD_RBP LEAVE_RET, FRAME_ROWS)

static void test_whole_declines_what_has_no_room(void **state)
{
	(void)state;
	code = (struct zl_code){ .is_too_long = true };
	assert_int_equal(zl_judge(&code), ZL_TOO_LONG);
}

static void *find_symbol(const char *name)
{
	return dlsym(RTLD_DEFAULT, name);
}

static int bind_decoder(void **state)
{
	(void)state;
	if (zl_zydis_bind(find_symbol) != 0)
		return -1;
	zydis = zl_decoder;
	zl_decoder = &counting;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_accepts_beginning),
		cmocka_unit_test(test_whole_accepts_behind_row),
		cmocka_unit_test(test_whole_accepts_far_from_rows),
		cmocka_unit_test(test_whole_refuses_inside),
		cmocka_unit_test(test_whole_refuses_inside_behind_row),
		cmocka_unit_test(test_whole_refuses_inside_far_from_rows),
		cmocka_unit_test(test_whole_accepts_save_before_sub),
		cmocka_unit_test(test_whole_accepts_below_slot),
		cmocka_unit_test(test_whole_accepts_stack_probe),
		cmocka_unit_test(test_whole_accepts_r12),
		cmocka_unit_test(test_whole_accepts_immediate),
		cmocka_unit_test(test_whole_accepts_other_way),
		cmocka_unit_test(test_whole_refuses_that_way),
		cmocka_unit_test(test_whole_accepts_behind_call),
		cmocka_unit_test(test_whole_refuses_buffer),
		cmocka_unit_test(test_whole_refuses_store),
		cmocka_unit_test(test_whole_refuses_load),
		cmocka_unit_test(test_whole_refuses_far_buffer),
		cmocka_unit_test(test_whole_refuses_buffer_below_frame),
		cmocka_unit_test(test_whole_refuses_buffer_made_behind),
		cmocka_unit_test(test_whole_refuses_load_at_branch),
		cmocka_unit_test(test_whole_refuses_load_by_unknown_jump),
		cmocka_unit_test(test_whole_refuses_scaled),
		cmocka_unit_test(test_whole_refuses_unknown_rows),
		cmocka_unit_test(test_whole_refuses_no_instruction),
		cmocka_unit_test(test_whole_refuses_leaf_frame),
		cmocka_unit_test(test_whole_refuses_big_leaf_frame),
		cmocka_unit_test(test_whole_accepts_allocated_frame),
		cmocka_unit_test(test_whole_accepts_pushed_frame),
		cmocka_unit_test(test_whole_accepts_frame_after_early_exit),
		cmocka_unit_test(test_whole_accepts_frame_with_call),
		cmocka_unit_test(test_whole_accepts_frame_with_call_before),
		cmocka_unit_test(test_whole_accepts_frame_with_lea),
		cmocka_unit_test(test_whole_refuses_untold_frame),
		cmocka_unit_test(test_whole_accepts_untold_frame_with_call),
		cmocka_unit_test(test_whole_accepts_rbp_as_data),
		cmocka_unit_test(test_whole_declines_far_touch),
		cmocka_unit_test(test_whole_accepts_far_touch_with_call),
		cmocka_unit_test(test_whole_refuses_far_touch_near_row),
		cmocka_unit_test(test_whole_declines_long_frame),
		cmocka_unit_test(test_whole_declines_what_has_no_room),
	};

	return cmocka_run_group_tests(tests, bind_decoder, NULL);
}
