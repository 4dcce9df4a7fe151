/* stubs.c - see stubs.h */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "stubs.h"
#include "base/copy.h"
#include "base/slot.h"
#include "lazy/pools.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

bool zl_copy_hides_zero;       /* trampoline/zero.c has it */
const char zl_entry_stub[1];   /* trampoline/entry.S has it */

const struct zl_jump mov_eax = { .length = ZL_MOV_SIZE, .displaced = "\xb8\x27\x00\x00\x80" },
		     mov_rax = { .length = MOV_RAX_SIZE, .displaced = "\x48\xc7\xc0\xfe\xff\xff\xff" };

struct zl_jump stubs_cave(uintptr_t cave, const char *padding)
{
	struct zl_jump jump = { .cave = cave };
	memcpy(jump.padding, padding, ZL_JUMP_SIZE);
	return jump;
}

static uintptr_t relative_at(uintptr_t at)
{
	int32_t relative;
	memcpy(&relative, (void *)at, sizeof(relative));
	return at + sizeof(relative) + (uintptr_t)(intptr_t)relative;
}

static int32_t number_at(const uint8_t *at)
{
	int32_t number;

	memcpy(&number, at, sizeof(number));
	return number;
}

void stubs_expect_code(const struct zl_stub *stub, uintptr_t after, const struct zl_jump *jump)
{
	static const uint8_t save[] = { 0x65, 0x4c, 0x89, 0x1c, 0x25, BLOCK_R11, 0, 0, 0 };
	uintptr_t at = stub->slot;

	assert_int_equal(stub->code, jump->cave ? at + ZL_STUB_SAVE : at);
	assert_memory_equal((void *)(at + ZL_STUB_NUMBER), "\x48\x8b\x05", 3);
	if (jump->length == ZL_MOV_SIZE)
		assert_int_equal(*(uint64_t *)relative_at(at + 3), (uint32_t)number_at(jump->displaced + 1));
	if (jump->length == MOV_RAX_SIZE)
		assert_int_equal(*(uint64_t *)relative_at(at + 3), (int64_t)number_at(jump->displaced + 3));
	assert_memory_equal((void *)(at + ZL_STUB_SAVE), save, sizeof(save));
	assert_memory_equal((void *)(at + ZL_STUB_AFTER), "\x4c\x8b\x1d", 3);
	assert_int_equal(*(uint64_t *)relative_at(at + ZL_STUB_AFTER + 3), after);
	assert_memory_equal((void *)(at + ZL_STUB_JUMP), "\xff\x25", 2);
	assert_ptr_equal(*(void **)relative_at(at + ZL_STUB_JUMP + 2), zl_entry_stub);
	for (at += ZL_STUB_JUMP + 6; at < stub->slot + ZL_STUB_SIZE; at++)
		assert_int_equal(*(uint8_t *)at, ZL_GUARD);
}

const char *stubs_rights(uintptr_t address)
{
	static char text[8];
	char line[512];
	FILE *maps = fopen("/proc/self/maps", "r");
	uintptr_t start, end;

	text[0] = '\0';
	while (fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx %7s", &start, &end, text) == 3 && address >= start && address < end)
			break;
		else
			text[0] = '\0';
	fclose(maps);
	return text;
}

struct zl_stub *stubs_make(uintptr_t after, const struct zl_jump *jump)
{
	struct zl_stub *stub = zl_stub_make(after, jump);

	assert_non_null(stub);
	assert_true(zl_is_near(after, 1, stub->slot, ZL_STUB_SIZE));
	assert_string_equal(stubs_rights(stub->code), "r-xp");
	assert_string_equal(stubs_rights((uintptr_t)stub->data), "rw-p");
	stubs_expect_code(stub, after, jump);
	assert_ptr_equal(zl_stub_find(after), stub);
	return stub;
}

uint8_t *stubs_map(void *at, size_t size, int protection)
{
	void *p = mmap(at, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (at ? MAP_FIXED : 0), -1, 0);
	assert_ptr_not_equal(p, MAP_FAILED);
	return p;
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

void stubs_begin(void **state)
{
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };

	(void)state;
	sigaction(SIGSEGV, &action, NULL);
}
