/* test_judge.c - zl_judge() on code given byte for byte
 *
 * Every window is built of up to three parts: what lies before, the code with its site (the first `0f 05` at the
 * offset that the case gives), what lies after.
 *
 * sigreturn: mov $15,%rax; mov $15,%eax.   no decoder: table absent.   bind: a missing symbol; a wrong version.
 * own instruction: first readable byte; at the start of readable memory with mov to eax, mov to rax, xor; at the end
 *   of memory; after zeros (even and odd), int3, nops, garbage that runs into the mov; after ordinary code; number
 *   loaded elsewhere.
 * inside: mov $imm32; the same at the start of memory; movabs; movabs that holds a whole `mov $39,%eax; syscall`, and
 *   at the start of memory; rel32 of a call; rel32 of a jcc; a displacement with an immediate; cmpb with both; REX.W
 *   before it; a junk byte jumped over.
 * red zone through rsp: lea -8 before (F_GETOWN); lea -0x18 (__longjmp_chk); lea -0x78 (sanitizers); store before and
 *   load after; load after a conditional jump; load at a jump's target; 16-byte access reaching in; indexed access.
 * no proof in the code before the site: data below the slot; saved before the sub; red zone before a ret; lea that
 *   moves rsp; sub after the frame mov, and a leave; decoding from a middle; a far branch across a ret; a switch.
 * no red zone through rsp: lea -0x1000 (stack probe); access after a call; an fs: access; a chance jump operand.
 * data before the site: undecodable bytes between functions and an early touch, inside the function, before the frame
 *   mov; data that decodes into the touch, or like a call; the same without a touch, with a frame and a call.
 * more code after the site than is read: too many instructions, too many branches, bytes that are none.
 * red zone through rbp: leaf at -O0; leaf with a pushed rbx; leaf with a big frame; frame mov out of sight, and a pop
 *   at once, a leave, nothing known, two pops that differ, a call behind a leave.
 * no red zone through rbp: enough pushes; rbp is the caller's; frame mov out of sight: a call, a lea -n(%rbp),%rsp, an
 *   add before the pop.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "agent/zydis.h"
#include "lazy/decoder.h"
#include "lazy/judge.h"
#include <dlfcn.h>
#include <errno.h>
#include <string.h>

bool zl_copy_hides_zero;   /* trampoline/zero.c has it */

#define NR_39 "\xb8\x27\x00\x00\x00"                 /* mov $39,%eax */
#define SITE "\x0f\x05"
#define RET "\xc3"
#define FRAME "\x55\x48\x89\xe5"                     /* push %rbp; mov %rsp,%rbp */
#define LEAVE_RET "\xc9\xc3"
#define POP_RET "\x5d\xc3"
#define CALL "\xe8\x00\x10\x00\x00"
#define LEA_RSP(n) "\x48\x8d\x54\x24" n              /* lea n(%rsp),%rdx */
#define LOAD_RSP(n) "\x8b\x44\x24" n                 /* mov n(%rsp),%eax */
#define STORE_RSP(n) "\x89\x7c\x24" n                /* mov %edi,n(%rsp) */
#define STORE_RBP(n) "\x89\x7d" n                    /* mov %edi,n(%rbp) */
#define LOAD_RBP(n) "\x8b\x45" n                     /* mov n(%rbp),%eax */

/* Ordinary code, 192 bytes and more of it when repeated; ends in an instruction. */
#define CODE_16 "\x48\x89\xc3\x48\x85\xdb\x74\x05\x48\x8b\x43\x10\x31\xc9\x89\xca"
#define CODE_64 CODE_16 CODE_16 CODE_16 CODE_16
#define CODE CODE_64 CODE_64 CODE_64
/* The same, ended by a ret and padding: a function begins after it. */
#define BOUNDARY CODE_64 CODE_64 CODE_64 "\xc3\x0f\x1f\x00\x90\x90"

#define judge(before, middle, after) \
	judge_parts(before, sizeof before - 1, middle, sizeof middle - 1, after, sizeof after - 1)

static void *find_symbol(const char *name)
{
	return dlsym(RTLD_DEFAULT, name);
}

/* Where the last `0f 05` of the bytes is. */
static size_t find_site(const uint8_t *bytes, size_t size)
{
	for (size_t at = size - 1; at-- > 0;)
		if (bytes[at] == 0x0f && bytes[at + 1] == 0x05)
			return at;
	fail_msg("no site in the case");
	return 0;
}

/* The verdict on the last site of before + middle, with `after` behind it. */
static enum zl_verdict judge_parts(const char *before, size_t before_size, const char *middle, size_t middle_size,
                                   const char *after, size_t after_size)
{
	static struct zl_code code;
	uint8_t all[2048];
	size_t size = before_size + middle_size + after_size, site, first;

	memcpy(all, before, before_size);
	memcpy(all + before_size, middle, middle_size);
	memcpy(all + before_size + middle_size, after, after_size);
	site = find_site(all, before_size + middle_size);
	first = site > ZL_JUDGE_BEFORE ? site - ZL_JUDGE_BEFORE : 0;
	if (size - site > ZL_JUDGE_AFTER)
		size = site + ZL_JUDGE_AFTER;
	code.has_function = code.is_too_long = false;
	code.site_offset = (unsigned)(site - first);
	code.size = (unsigned)(size - first);
	memcpy(code.bytes, all + first, code.size);
	return zl_judge(&code);
}

#define CASE(name, expected, before, middle, after) \
	static void name(void **state) \
	{ \
		(void)state; \
		assert_int_equal(judge(before, middle, after), expected); \
	}

CASE(test_judge_refuses_restorer, ZL_SIGRETURN, CODE, "\x48\xc7\xc0\x0f\x00\x00\x00" SITE, RET)
CASE(test_judge_refuses_short_restorer, ZL_SIGRETURN, "", "\xb8\x0f\x00\x00\x00" SITE, RET)

CASE(test_judge_accepts_first_readable_byte, ZL_OK, "", SITE, RET)
CASE(test_judge_accepts_start_of_memory, ZL_OK, "", NR_39 SITE, RET)
CASE(test_judge_accepts_start_of_memory_mov_rax, ZL_OK, "", "\x48\xc7\xc0\x27\x00\x00\x00" SITE, RET)
CASE(test_judge_accepts_start_of_memory_xor, ZL_OK, "", "\x31\xc0" SITE, RET)
CASE(test_judge_accepts_end_of_memory, ZL_OK, "", NR_39 SITE, "")
CASE(test_judge_accepts_even_zeros_before, ZL_OK,
     "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", NR_39 SITE, RET)
CASE(test_judge_accepts_odd_zeros_before, ZL_OK,
     "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", NR_39 SITE, RET)
CASE(test_judge_accepts_int3_before, ZL_OK,
     "\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xcc", NR_39 SITE, RET)
CASE(test_judge_accepts_nops_before, ZL_OK,
     CODE RET "\x66\x2e\x0f\x1f\x84\x00\x00\x00\x00\x00", NR_39 SITE, RET)
/* c7 05 11 22 33 44 81 92 b8 27 is one instruction, so that decoding from before steps into the mov */
CASE(test_judge_accepts_garbage_before, ZL_OK, CODE "\xc7\x05\x11\x22\x33\x44\x81\x92", NR_39 SITE, RET)
CASE(test_judge_accepts_ordinary_code, ZL_OK, CODE, NR_39 SITE, "\x48\x3d\x00\xf0\xff\xff\x77\x01" RET)
CASE(test_judge_accepts_number_loaded_elsewhere, ZL_OK, CODE, "\x89\xf8" SITE, RET)

CASE(test_judge_refuses_immediate, ZL_INSIDE, CODE, "\xb8\x0f\x05\x00\x00", CODE)
CASE(test_judge_refuses_immediate_at_start_of_memory, ZL_INSIDE, "", "\xb8\x0f\x05\x00\x00", RET)
CASE(test_judge_refuses_movabs, ZL_INSIDE, CODE, "\x48\xb8\x11\x22\x0f\x05\x33\x44\x55\x66", CODE)
CASE(test_judge_refuses_movabs_of_whole_call, ZL_INSIDE, CODE, "\x48\xb8" NR_39 SITE "\xc3", CODE)
CASE(test_judge_refuses_movabs_of_whole_call_at_start, ZL_INSIDE, "", "\x48\xb8" NR_39 SITE "\xc3", RET)
CASE(test_judge_refuses_call_displacement, ZL_INSIDE, CODE, "\xe8\x0f\x05\x00\x00", CODE)
CASE(test_judge_refuses_jcc_displacement, ZL_INSIDE, CODE, "\x0f\x84\x0f\x05\x00\x00", CODE)
CASE(test_judge_refuses_store_of_immediate, ZL_INSIDE,
     CODE, "\xc7\x83" "\xb8\x27\x00\x00\x00\x0f\x05\x00", CODE)
CASE(test_judge_refuses_compare_with_immediate, ZL_INSIDE,
     CODE, "\x80\xb8\x27\x00\x00\x00\x0f" "\x05\x01\x00\x00\x00", CODE)
CASE(test_judge_refuses_rex_prefix, ZL_INSIDE, CODE, "\x48" SITE, RET)
CASE(test_judge_refuses_jump_over_junk, ZL_INSIDE, CODE, "\xeb\x01\xb8" SITE, "\xc3\x90\x90")

CASE(test_judge_refuses_getown, ZL_RED_ZONE,
     BOUNDARY, LEA_RSP("\xf8") "\xbe\x10\x00\x00\x00\xb8\x48\x00\x00\x00" SITE, RET)
CASE(test_judge_refuses_longjmp_chk, ZL_RED_ZONE,
     BOUNDARY, "\x48\x8d\x74\x24\xe8\xb8\x83\x00\x00\x00" SITE, "\x85\xc0" RET)
CASE(test_judge_refuses_sanitizer_fstat, ZL_RED_ZONE,
     BOUNDARY, "\x48\x83\xec\x18" "\x48\x8d\x74\x24\x88\xb8\x05\x00\x00\x00" SITE, RET)
CASE(test_judge_refuses_live_local, ZL_RED_ZONE, BOUNDARY, STORE_RSP("\xfc") NR_39 SITE, LOAD_RSP("\xfc") RET)
CASE(test_judge_refuses_load_after_jcc, ZL_RED_ZONE,
     BOUNDARY, NR_39 SITE, "\x74\x01\xc3" LOAD_RSP("\xfc") RET)
CASE(test_judge_refuses_load_at_jump_target, ZL_RED_ZONE,
     BOUNDARY, NR_39 SITE, "\xe9\x04\x00\x00\x00" "\x06\x06\x06\x06" LOAD_RSP("\xf8") RET)
CASE(test_judge_refuses_wide_access, ZL_RED_ZONE, BOUNDARY, NR_39 SITE, "\x0f\x10\x44\x24\xf0" RET)
CASE(test_judge_refuses_indexed_access, ZL_RED_ZONE, BOUNDARY, NR_39 SITE, "\x8b\x44\x8c\xc0" RET)

CASE(test_judge_refuses_data_below_slot, ZL_RED_ZONE, BOUNDARY, STORE_RSP("\xf0") NR_39 SITE, LOAD_RSP("\xf0") RET)
CASE(test_judge_refuses_save_before_sub, ZL_RED_ZONE,
     BOUNDARY, "\x48\x89\x5c\x24\xf8\x48\x83\xec\x18" NR_39 SITE, "\x48\x83\xc4\x18" "\x48\x8b\x5c\x24\xf8" RET)
CASE(test_judge_accepts_stack_probe, ZL_OK, BOUNDARY, "\x4c\x8d\x9c\x24\x00\xf0\xff\xff" NR_39 SITE, RET)
CASE(test_judge_refuses_red_zone_before_ret, ZL_RED_ZONE,
     CODE STORE_RSP("\xfc") LOAD_RSP("\xfc") RET "\x0f\x1f\x00", NR_39 SITE, RET)
CASE(test_judge_accepts_access_after_call, ZL_OK, BOUNDARY, NR_39 SITE, CALL LOAD_RSP("\xfc") RET)
CASE(test_judge_refuses_lea_that_moves_rsp, ZL_RED_ZONE,
     BOUNDARY, "\x48\x8d\x64\x24\x80" NR_39 SITE, "\x48\x8d\xa4\x24\x80\x00\x00\x00" RET)
CASE(test_judge_accepts_fs_access, ZL_OK, BOUNDARY, NR_39 SITE, "\x64\x8b\x44\x24\xfc" RET)

CASE(test_judge_refuses_leaf_frame, ZL_RED_ZONE,
     BOUNDARY, FRAME STORE_RBP("\xfc") NR_39 SITE, LOAD_RBP("\xfc") POP_RET)
CASE(test_judge_refuses_leaf_frame_with_push, ZL_RED_ZONE,
     BOUNDARY, FRAME "\x53" STORE_RBP("\xf0") NR_39 SITE, LOAD_RBP("\xf0") "\x5b" POP_RET)
CASE(test_judge_refuses_big_leaf_frame, ZL_RED_ZONE,
     BOUNDARY, FRAME "\x48\x83\xec\x18" "\x48\x8d\x95\x70\xff\xff\xff" NR_39 SITE, LEAVE_RET)
CASE(test_judge_refuses_hidden_frame_popped_at_once, ZL_RED_ZONE, CODE, STORE_RBP("\xfc") NR_39 SITE, LOAD_RBP("\xfc") POP_RET)
CASE(test_judge_refuses_hidden_frame_with_leave, ZL_RED_ZONE,
     CODE, STORE_RBP("\xfc") NR_39 SITE, LOAD_RBP("\xfc") LEAVE_RET)
CASE(test_judge_refuses_hidden_frame_without_proof, ZL_RED_ZONE,
     CODE, STORE_RBP("\xfc") NR_39 SITE, CODE_16 "\xff\xe1")

CASE(test_judge_refuses_frame_with_leave, ZL_RED_ZONE,
     BOUNDARY, FRAME "\x48\x83\xec\x10" STORE_RBP("\xfc") NR_39 SITE, LOAD_RBP("\xfc") LEAVE_RET)
CASE(test_judge_accepts_pushed_frame, ZL_OK,
     BOUNDARY, FRAME "\x53\x41\x54" STORE_RBP("\xf0") NR_39 SITE, LOAD_RBP("\xf0") "\x41\x5c\x5b" POP_RET)
CASE(test_judge_refuses_frame_with_leave_after_early_exit, ZL_RED_ZONE,
     BOUNDARY, FRAME "\x48\x83\xec\x10" STORE_RBP("\xfc") "\x74\x02" LEAVE_RET NR_39 SITE, LOAD_RBP("\xfc") LEAVE_RET)
CASE(test_judge_accepts_operand_of_caller, ZL_OK, BOUNDARY, LOAD_RBP("\xfc") NR_39 SITE, RET)
CASE(test_judge_accepts_hidden_frame_with_call, ZL_OK, CODE, STORE_RBP("\xfc") NR_39 SITE, CALL LEAVE_RET)
CASE(test_judge_accepts_hidden_frame_with_lea, ZL_OK,
     CODE, STORE_RBP("\xfc") NR_39 SITE, "\x48\x8d\x65\xf0\x5b" POP_RET)
CASE(test_judge_accepts_hidden_frame_popped_later, ZL_OK,
     CODE, STORE_RBP("\xfc") NR_39 SITE, "\x48\x83\xc4\x10" POP_RET)

/* What no instruction begins with, and 54 bytes of code without a touch. */
#define POOL "\x06\x06\x06\x06\x06\x06\x06\x06\x06\x06\x06\x06\x06\x06\x06\x06"
#define WORK CODE_16 CODE_16 CODE_16
#define FUNCTIONS CODE_64 CODE_64 "\xc3" POOL
#define LEA_R9_RSP "\x4c\x8d\x4c\x24\xf8"           /* lea -8(%rsp),%r9 */

CASE(test_judge_refuses_touch_behind_data, ZL_RED_ZONE,
     FUNCTIONS, STORE_RSP("\xf8") LEA_R9_RSP WORK NR_39 SITE, "\x49\x8b\x01" RET)
CASE(test_judge_refuses_touch_right_behind_data, ZL_RED_ZONE, FUNCTIONS, LEA_R9_RSP WORK NR_39 SITE, RET)
/* 48 b8 before the lea: decoding from there takes it for the operand of a mov */
CASE(test_judge_refuses_touch_that_data_runs_into, ZL_RED_ZONE,
     FUNCTIONS "\x48\xb8", LEA_R9_RSP CODE_16 NR_39 SITE, RET)
CASE(test_judge_refuses_touch_before_data, ZL_RED_ZONE,
     BOUNDARY, LEA_R9_RSP "\xeb\x10" POOL WORK NR_39 SITE, "\x49\x8b\x01" RET)
CASE(test_judge_refuses_leaf_frame_behind_data, ZL_RED_ZONE,
     FUNCTIONS, FRAME STORE_RBP("\xfc") CODE_16 NR_39 SITE, LOAD_RBP("\xfc") POP_RET)
/* e8 before the frame mov, the data's last byte: no call, and no proof of anything */
CASE(test_judge_refuses_leaf_frame_behind_data_like_a_call, ZL_RED_ZONE,
     FUNCTIONS "\xe8", FRAME STORE_RBP("\xfc") CODE_16 NR_39 SITE, LOAD_RBP("\xfc") POP_RET)
CASE(test_judge_accepts_code_behind_data, ZL_OK,
     FUNCTIONS, WORK NR_39 SITE, "\x48\x83\xec\x18" CALL LOAD_RSP("\xfc") RET)
CASE(test_judge_accepts_frame_with_call_behind_data, ZL_OK,
     FUNCTIONS, FRAME "\x48\x83\xec\x10" STORE_RBP("\xfc") WORK NR_39 SITE, LOAD_RBP("\xfc") CALL LEAVE_RET)
CASE(test_judge_refuses_save_before_sub_behind_data, ZL_RED_ZONE,
     FUNCTIONS, "\x48\x89\x5c\x24\xf8\x48\x83\xec\x18" WORK NR_39 SITE, "\x48\x83\xc4\x18" RET)

/* What the code before the site seems to show is no proof: nobody knows where its instructions begin and it ends.
 * Middle: decoding from 95 on, in `mov -80(%rbp,%rdx,4),%eax`, finds an xchg of ebp. Far: the branch across the ret lies
 * before what 64 instructions reach. Switch: an indirect jump and padding end no function, nor does a ret behind it. */
#define LOAD_R9 "\x49\x8b\x01"                       /* mov (%r9),%rax */
#define JE_OVER_131 "\x0f\x84\x83\x00\x00\x00"
#define RET_PAD "\xc3\x66\x90"

CASE(test_judge_refuses_leaf_frame_read_from_middle, ZL_RED_ZONE,
     CODE, FRAME STORE_RBP("\xf8") CODE_64 CODE_16 "\x8b\x44\x95\xb0" NR_39 SITE, LOAD_RBP("\xf8") POP_RET)
CASE(test_judge_refuses_address_before_far_branch, ZL_RED_ZONE,
     CODE, LEA_R9_RSP JE_OVER_131 CODE_64 CODE_64 RET_PAD NR_39 SITE, LOAD_R9 RET)
CASE(test_judge_refuses_address_before_switch, ZL_RED_ZONE,
     BOUNDARY, LEA_R9_RSP "\xff\xe0\x0f\x1f\x00" NR_39 SITE, LOAD_R9 RET)
CASE(test_judge_refuses_address_before_ret_of_switch, ZL_RED_ZONE,
     BOUNDARY, LEA_R9_RSP "\xff\xe0\x0f\x1f\x00" CODE_16 RET "\x0f\x1f\x00" NR_39 SITE, LOAD_R9 RET)
CASE(test_judge_refuses_load_behind_indirect_jump, ZL_RED_ZONE,
     BOUNDARY, NR_39 SITE, "\xff\xe0" LOAD_RSP("\xf8") RET)
CASE(test_judge_refuses_second_pop_elsewhere, ZL_RED_ZONE,
     BOUNDARY, NR_39 SITE, LOAD_RBP("\xfc") "\x74\x02" POP_RET "\x58" POP_RET)
/* behind a leave a jump may lead to another function, whose call proves nothing */
CASE(test_judge_refuses_leaf_with_tail_call, ZL_RED_ZONE,
     BOUNDARY, NR_39 SITE, LOAD_RBP("\xfc") "\xc9\xeb\x00" CALL RET)
/* jmp *-0x75(%rsp,%rcx,2), by chance: xorps %xmm15,%xmm15; mov %fs:-8,%r14 */
CASE(test_judge_accepts_chance_jump_operand, ZL_OK,
     BOUNDARY, "\x45\x0f\x57\xff\x64\x4c\x8b\x34\x25\xf8\xff\xff\xff" NR_39 SITE, RET)

/* A touch that the slot has nothing to do with: without any, nothing is read. */
#define HARMLESS LOAD_RSP("\x80")
#define TEN_CLC "\xf8\xf8\xf8\xf8\xf8\xf8\xf8\xf8\xf8\xf8"
#define THIRTY_CLC TEN_CLC TEN_CLC TEN_CLC
#define FOUR_BRANCHES "\x74\x40\x75\x40\x78\x40\x7a\x40"

CASE(test_judge_accepts_all_instructions_read, ZL_OK,
     BOUNDARY, NR_39 SITE, HARMLESS THIRTY_CLC RET)
CASE(test_judge_refuses_more_instructions_than_read, ZL_TOO_LONG,
     BOUNDARY, NR_39 SITE, HARMLESS THIRTY_CLC THIRTY_CLC LOAD_RSP("\xf8") RET)
CASE(test_judge_refuses_too_many_instructions, ZL_TOO_LONG,
     BOUNDARY, NR_39 SITE, HARMLESS THIRTY_CLC THIRTY_CLC RET)
CASE(test_judge_refuses_too_many_branches, ZL_RED_ZONE,
     BOUNDARY, NR_39 SITE, HARMLESS FOUR_BRANCHES FOUR_BRANCHES FOUR_BRANCHES FOUR_BRANCHES FOUR_BRANCHES RET CODE)
CASE(test_judge_refuses_unknown_instruction_after, ZL_RED_ZONE,
     BOUNDARY, NR_39 SITE, HARMLESS "\x06" LOAD_RSP("\xf8") RET CODE)

static void test_judge_refuses_without_decoder(void **state)
{
	const struct zl_decoder *decoder = zl_decoder;
	enum zl_verdict verdict;

	(void)state;
	zl_decoder = NULL;
	verdict = judge(CODE, NR_39 SITE, RET);
	zl_decoder = decoder;
	assert_int_equal(verdict, ZL_NO_DECODER);
}

static void *find_nothing(const char *name)
{
	(void)name;
	return NULL;
}

static void test_judge_bind_reports_missing_symbol(void **state)
{
	(void)state;
	assert_int_equal(zl_zydis_bind(find_nothing), -ENOENT);
}

static uint64_t version_3(void)
{
	return 3ull << 48;
}

static void *find_version_3(const char *name)
{
	return strcmp(name, "ZydisGetVersion") == 0 ? (void *)version_3 : find_symbol(name);
}

static void test_judge_bind_reports_other_version(void **state)
{
	(void)state;
	assert_int_equal(zl_zydis_bind(find_version_3), -ENOSYS);
}

static int bind_decoder(void **state)
{
	(void)state;
	return zl_zydis_bind(find_symbol);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_judge_refuses_restorer),
		cmocka_unit_test(test_judge_refuses_short_restorer),
		cmocka_unit_test(test_judge_accepts_first_readable_byte),
		cmocka_unit_test(test_judge_accepts_start_of_memory),
		cmocka_unit_test(test_judge_accepts_start_of_memory_mov_rax),
		cmocka_unit_test(test_judge_accepts_start_of_memory_xor),
		cmocka_unit_test(test_judge_accepts_end_of_memory),
		cmocka_unit_test(test_judge_accepts_even_zeros_before),
		cmocka_unit_test(test_judge_accepts_odd_zeros_before),
		cmocka_unit_test(test_judge_accepts_int3_before),
		cmocka_unit_test(test_judge_accepts_nops_before),
		cmocka_unit_test(test_judge_accepts_garbage_before),
		cmocka_unit_test(test_judge_accepts_ordinary_code),
		cmocka_unit_test(test_judge_accepts_number_loaded_elsewhere),
		cmocka_unit_test(test_judge_refuses_immediate),
		cmocka_unit_test(test_judge_refuses_immediate_at_start_of_memory),
		cmocka_unit_test(test_judge_refuses_movabs),
		cmocka_unit_test(test_judge_refuses_movabs_of_whole_call),
		cmocka_unit_test(test_judge_refuses_movabs_of_whole_call_at_start),
		cmocka_unit_test(test_judge_refuses_call_displacement),
		cmocka_unit_test(test_judge_refuses_jcc_displacement),
		cmocka_unit_test(test_judge_refuses_store_of_immediate),
		cmocka_unit_test(test_judge_refuses_compare_with_immediate),
		cmocka_unit_test(test_judge_refuses_rex_prefix),
		cmocka_unit_test(test_judge_refuses_jump_over_junk),
		cmocka_unit_test(test_judge_refuses_getown),
		cmocka_unit_test(test_judge_refuses_longjmp_chk),
		cmocka_unit_test(test_judge_refuses_sanitizer_fstat),
		cmocka_unit_test(test_judge_refuses_live_local),
		cmocka_unit_test(test_judge_refuses_load_after_jcc),
		cmocka_unit_test(test_judge_refuses_load_at_jump_target),
		cmocka_unit_test(test_judge_refuses_wide_access),
		cmocka_unit_test(test_judge_refuses_indexed_access),
		cmocka_unit_test(test_judge_refuses_data_below_slot),
		cmocka_unit_test(test_judge_refuses_save_before_sub),
		cmocka_unit_test(test_judge_accepts_stack_probe),
		cmocka_unit_test(test_judge_refuses_red_zone_before_ret),
		cmocka_unit_test(test_judge_accepts_access_after_call),
		cmocka_unit_test(test_judge_refuses_lea_that_moves_rsp),
		cmocka_unit_test(test_judge_accepts_fs_access),
		cmocka_unit_test(test_judge_refuses_leaf_frame),
		cmocka_unit_test(test_judge_refuses_leaf_frame_with_push),
		cmocka_unit_test(test_judge_refuses_big_leaf_frame),
		cmocka_unit_test(test_judge_refuses_hidden_frame_popped_at_once),
		cmocka_unit_test(test_judge_refuses_hidden_frame_with_leave),
		cmocka_unit_test(test_judge_refuses_hidden_frame_without_proof),
		cmocka_unit_test(test_judge_refuses_frame_with_leave),
		cmocka_unit_test(test_judge_accepts_pushed_frame),
		cmocka_unit_test(test_judge_refuses_frame_with_leave_after_early_exit),
		cmocka_unit_test(test_judge_accepts_operand_of_caller),
		cmocka_unit_test(test_judge_accepts_hidden_frame_with_call),
		cmocka_unit_test(test_judge_accepts_hidden_frame_with_lea),
		cmocka_unit_test(test_judge_accepts_hidden_frame_popped_later),
		cmocka_unit_test(test_judge_refuses_touch_behind_data),
		cmocka_unit_test(test_judge_refuses_touch_right_behind_data),
		cmocka_unit_test(test_judge_refuses_touch_that_data_runs_into),
		cmocka_unit_test(test_judge_refuses_touch_before_data),
		cmocka_unit_test(test_judge_refuses_leaf_frame_behind_data),
		cmocka_unit_test(test_judge_refuses_leaf_frame_behind_data_like_a_call),
		cmocka_unit_test(test_judge_accepts_code_behind_data),
		cmocka_unit_test(test_judge_accepts_frame_with_call_behind_data),
		cmocka_unit_test(test_judge_refuses_save_before_sub_behind_data),
		cmocka_unit_test(test_judge_refuses_leaf_frame_read_from_middle),
		cmocka_unit_test(test_judge_refuses_address_before_far_branch),
		cmocka_unit_test(test_judge_refuses_address_before_switch),
		cmocka_unit_test(test_judge_refuses_address_before_ret_of_switch),
		cmocka_unit_test(test_judge_refuses_load_behind_indirect_jump),
		cmocka_unit_test(test_judge_refuses_second_pop_elsewhere),
		cmocka_unit_test(test_judge_refuses_leaf_with_tail_call),
		cmocka_unit_test(test_judge_accepts_chance_jump_operand),
		cmocka_unit_test(test_judge_accepts_all_instructions_read),
		cmocka_unit_test(test_judge_refuses_more_instructions_than_read),
		cmocka_unit_test(test_judge_refuses_too_many_instructions),
		cmocka_unit_test(test_judge_refuses_too_many_branches),
		cmocka_unit_test(test_judge_refuses_unknown_instruction_after),
		cmocka_unit_test(test_judge_refuses_without_decoder),
		cmocka_unit_test_teardown(test_judge_bind_reports_missing_symbol, bind_decoder),
		cmocka_unit_test_teardown(test_judge_bind_reports_other_version, bind_decoder),
	};

	return cmocka_run_group_tests(tests, bind_decoder, NULL);
}
