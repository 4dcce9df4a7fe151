/* test_patch.c - two bytes in the program's code (lazy/patch.c, codefd.c, maps.c)
 *
 * Each case lays `syscall` into a page, patches it, and looks at every byte of the page and at /proc/self/maps.
 *
 *   private page              by /proc/self/mem, whatever its protection; without the descriptor by mprotect
 *   any shared mapping        left alone, whatever its protection: memfd, anonymous, deleted file, file, sealed, SysV
 *   across a word, a page     private; half of it in a shared file
 *   protection not given back at once: tried again
 *   not mapped                an answer, not a fault
 *   threaded                  without the barrier: only in one word; with it: two steps, of which a reader sees only
 *                             0f 05, 0f d0, ff d0
 *   put back                  as written; not where the program can write and has no mov before it
 *   by ZLAZY_JIT              who may be rewritten, and as what it is recorded
 *   descriptor                closed by the program, or its number given to another file: noticed
 *
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/inject.h"
#include "base/os.h"
#include "lazy/codefd.h"
#include "lazy/patch.h"
#include "lazy/tactic.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGES = 2, SIZE = PAGES * 4096, NOP = 0x90 };
bool zl_copy_hides_zero;   /* trampoline/zero.c has it */
struct zl_tactics zl_tactics;   /* lazy/tactic.c has it */

/* Two pages of nops and one syscall. Writes through fd, or through the mapping while it may be written. */
static uint8_t *lay(uint8_t *code, unsigned offset, int protection)
{
	memset(code, NOP, SIZE);
	memcpy(code + offset, "\x0f\x05", 2);
	assert_int_equal(mprotect(code, SIZE, protection), 0);
	return code;
}

static uint8_t *map_private(unsigned offset, int protection)
{
	uint8_t *code = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(code, MAP_FAILED);
	return lay(code, offset, protection);
}

static uint8_t *map_shared(int fd, unsigned offset, int protection)
{
	uint8_t *code;
	assert_int_equal(ftruncate(fd, SIZE), 0);
	code = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(code, MAP_FAILED);
	return lay(code, offset, protection);
}

static size_t read_maps(char *text, size_t size)
{
	int fd = open("/proc/self/maps", O_RDONLY);
	size_t used = 0;
	ssize_t n;
	while ((n = read(fd, text + used, size - 1 - used)) > 0)
		used += (size_t)n;
	close(fd);
	text[used] = '\0';
	return used;
}

static void expect_bytes(const uint8_t *code, unsigned offset, const char *two)
{
	for (unsigned i = 0; i < SIZE; i++)
		assert_int_equal(code[i], i == offset ? (uint8_t)two[0] : i == offset + 1 ? (uint8_t)two[1] : NOP);
}

static long patch(uintptr_t site)
{
	enum zl_site_state state;
	long result;

	zl_patch_forget();   /* memory of the case before */
	result = zl_patch_plan(site, zl_patch_access(site), true, &state);

	return result == ZL_OK ? zl_patch_apply(site, state) : result;
}

/* Patch; the answer, all bytes, and the maps as before. */
static void expect_patch(uint8_t *code, unsigned offset, enum zl_verdict expected)
{
	static char before[1 << 20], after[1 << 20];

	read_maps(before, sizeof(before));
	assert_int_equal(patch((uintptr_t)code + offset), expected);
	read_maps(after, sizeof(after));
	assert_string_equal(after, before);
	expect_bytes(code, offset, expected == ZL_OK ? "\xff\xd0" : "\x0f\x05");
	munmap(code, SIZE);
}

static int make_file(char *path, int must_stay)
{
	int fd = mkstemp(strcpy(path, "/tmp/zlazy-patch-XXXXXX"));
	assert_true(fd >= 0);
	if (!must_stay)
		unlink(path);
	return fd;
}

static const unsigned offsets[] = { 0, 5, 6, 7, 63, 100, 4094, 4095, 4096, 8190 };

/* Of a site that the program can write. */
static enum zl_verdict open_verdict(unsigned offset, enum zl_verdict in_one_line)
{
	return offset % 64 == 63 ? ZL_OPEN : in_one_line;
}

static void test_patch_private_page(void **state)
{
	static const int protections[] = { PROT_READ | PROT_EXEC, PROT_READ | PROT_WRITE | PROT_EXEC, PROT_READ };

	(void)state;
	zl_codefd_open();
	if (zl_codefd_get() < 0)
		skip();   /* no /proc, or a hardened kernel */
	for (size_t p = 0; p < ZL_ARRAY_SIZE(protections); p++)
		for (size_t i = 0; i < ZL_ARRAY_SIZE(offsets); i++)
			expect_patch(map_private(offsets[i], protections[p]), offsets[i],
				     protections[p] & PROT_WRITE ? open_verdict(offsets[i], ZL_OK) : ZL_OK);
}

static void test_patch_private_page_without_descriptor(void **state)
{
	(void)state;
	close(zl_codefd_number());
	assert_int_equal(zl_codefd_get(), -1);
	for (size_t i = 0; i < ZL_ARRAY_SIZE(offsets); i++)
		expect_patch(map_private(offsets[i], PROT_READ | PROT_EXEC), offsets[i], ZL_OK);
	zl_codefd_open();
}

/* The second mprotect is the one that gives the protection back; across two pages the third and fourth. */
static void test_patch_gives_protection_back_in_the_end(void **state)
{
	static const struct { unsigned offset; const char *fault; } cases[] = {
		{ 100, "protect:2" }, { 4095, "protect:3" }, { 4095, "protect:4" },
	};

	(void)state;
	close(zl_codefd_number());
	for (size_t i = 0; i < ZL_ARRAY_SIZE(cases); i++) {
		uint8_t *code = map_private(cases[i].offset, PROT_READ | PROT_EXEC);
		assert_true(zl_inject_parse(cases[i].fault));
		expect_patch(code, cases[i].offset, ZL_OK);
	}
	zl_codefd_open();
}

static void test_patch_descriptor_of_another_file(void **state)
{
	int number = zl_codefd_number(), other = open("/dev/null", O_RDWR);

	(void)state;
	assert_int_equal(dup2(other, number), number);
	assert_int_equal(zl_codefd_get(), -1);
	expect_patch(map_private(7, PROT_READ | PROT_EXEC), 7, ZL_OK);
	close(other);
	zl_codefd_open();
	assert_true(zl_codefd_get() >= 0);
}

static const int executable[] = { PROT_READ | PROT_EXEC, PROT_READ | PROT_WRITE | PROT_EXEC };

static void expect_left_alone(uint8_t *code, unsigned offset)
{
	assert_ptr_not_equal(code, MAP_FAILED);
	expect_patch(code, offset, ZL_SHARED);
}

static void test_patch_leaves_shared_memfd_alone(void **state)
{
	(void)state;
	for (size_t p = 0; p < ZL_ARRAY_SIZE(executable); p++)
		for (size_t i = 0; i < ZL_ARRAY_SIZE(offsets); i++) {
			int fd = memfd_create("code", MFD_CLOEXEC);
			expect_left_alone(map_shared(fd, offsets[i], executable[p]), offsets[i]);
			close(fd);
		}
}

static void test_patch_leaves_shared_deleted_file_alone(void **state)
{
	char path[64];
	int fd = make_file(path, false);

	(void)state;
	for (size_t p = 0; p < ZL_ARRAY_SIZE(executable); p++)
		expect_left_alone(map_shared(fd, 4095, executable[p]), 4095);
	close(fd);
}

static void test_patch_leaves_shared_anonymous_memory_alone(void **state)
{
	(void)state;
	for (size_t p = 0; p < ZL_ARRAY_SIZE(executable); p++)
		expect_left_alone(lay(mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), 9,
				      executable[p]), 9);
}

static void test_patch_leaves_system_v_memory_alone(void **state)
{
	int id = shmget(IPC_PRIVATE, SIZE, IPC_CREAT | 0600);
	uint8_t *code;

	(void)state;
	if (id < 0)
		skip();
	code = shmat(id, NULL, SHM_EXEC);
	shmctl(id, IPC_RMID, NULL);
	expect_left_alone(lay(code, 9, PROT_READ | PROT_WRITE | PROT_EXEC), 9);
}

static void test_patch_leaves_sealed_memory_alone(void **state)
{
	int fd = memfd_create("code", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	uint8_t *code = map_shared(fd, 9, PROT_READ);

	(void)state;
	munmap(code, SIZE);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
	code = mmap(NULL, SIZE, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
	if (code == MAP_FAILED)
		skip();   /* before Linux 6.7 */
	expect_left_alone(code, 9);
	close(fd);
}

static void test_patch_leaves_shared_file_alone(void **state)
{
	char path[64], bytes[2];
	int fd = make_file(path, true);

	(void)state;
	for (size_t p = 0; p < ZL_ARRAY_SIZE(executable); p++) {
		expect_left_alone(map_shared(fd, 8, executable[p]), 8);
		assert_int_equal(pread(fd, bytes, 2, 8), 2);
		assert_memory_equal(bytes, "\x0f\x05", 2);
	}
	close(fd);
	unlink(path);
}

static void test_patch_private_file_keeps_the_file(void **state)
{
	char path[64], bytes[SIZE];
	int fd = make_file(path, true);
	uint8_t *code;

	(void)state;
	munmap(map_shared(fd, 4095, PROT_READ), SIZE);
	code = mmap(NULL, SIZE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	expect_patch(code, 4095, ZL_OK);
	assert_int_equal(pread(fd, bytes, SIZE, 0), SIZE);
	expect_bytes((uint8_t *)bytes, 4095, "\x0f\x05");
	close(fd);
	unlink(path);
}

static void test_patch_unmapped(void **state)
{
	uint8_t *code = map_private(0, PROT_READ);

	(void)state;
	munmap(code, SIZE);
	assert_int_equal(patch((uintptr_t)code), -EAGAIN);
}

/* The first page could be written, the second is of a shared file: nothing may be left half done. */
static void test_patch_half_in_a_shared_file(void **state)
{
	char path[64];
	int fd = make_file(path, true);
	uint8_t *code = map_private(4095, PROT_READ | PROT_EXEC);

	(void)state;
	munmap(map_shared(fd, 4095, PROT_READ), SIZE);
	assert_ptr_equal(mmap(code + 4096, 4096, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_FIXED, fd, 4096), code + 4096);
	expect_patch(code, 4095, ZL_SHARED);
	close(fd);
	unlink(path);
}

/* membarrier answers EPERM from now on. */
static void forbid_barrier(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_membarrier, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { ZL_ARRAY_SIZE(code), code };

	assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	assert_int_equal(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

static void test_patch_threaded_without_barrier(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		atomic_store(&zl_is_threaded, true);
		forbid_barrier();
		for (size_t i = 0; i < ZL_ARRAY_SIZE(offsets); i++) {
			expect_patch(map_private(offsets[i], PROT_READ | PROT_EXEC), offsets[i],
				     offsets[i] % 8 == 7 ? ZL_NO_BARRIER : ZL_OK);
			expect_patch(map_private(offsets[i], PROT_READ | PROT_WRITE | PROT_EXEC), offsets[i],
				     open_verdict(offsets[i], offsets[i] % 8 == 7 ? ZL_NO_BARRIER : ZL_OK));
		}
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* Every way there is to write them, and bytes that are not the agent's any more. */
static void test_patch_undo(void **state)
{
	static const int protections[] = { PROT_READ | PROT_EXEC, PROT_READ | PROT_WRITE | PROT_EXEC };

	(void)state;
	for (size_t p = 0; p < ZL_ARRAY_SIZE(protections); p++)
		for (size_t i = 1; i < ZL_ARRAY_SIZE(offsets); i++) {   /* there must be code before it */
			uint8_t *code = map_private(offsets[i], protections[p]);
			uintptr_t site = (uintptr_t)code + offsets[i];
			enum zl_site_state record = p ? ZL_SITE_OPEN : ZL_SITE_PATCHED;

			assert_int_equal(patch(site), p ? open_verdict(offsets[i], ZL_OK) : ZL_OK);
			if (p && offsets[i] % 64 == 63) {
				munmap(code, SIZE);
				continue;
			}
			assert_true(zl_patch_undo(site, record));
			/* open, and no mov before it: the program's own by now */
			expect_bytes(code, offsets[i], p ? "\xff\xd0" : "\x0f\x05");
			munmap(code, SIZE);
		}
}

static void test_patch_undo_of_described_site_in_writable_memory(void **state)
{
	uint8_t *code = map_private(71, PROT_READ | PROT_WRITE | PROT_EXEC);

	(void)state;
	memcpy(code + 66, "\xb8\x27\x00\x00\x00", 5);
	assert_int_equal(patch((uintptr_t)code + 71), ZL_OK);
	assert_int_equal(code[71], 0xff);
	assert_true(zl_patch_undo((uintptr_t)code + 71, ZL_SITE_OPEN));
	assert_int_equal(code[71], 0x0f);
	assert_int_equal(code[72], 0x05);
	munmap(code, SIZE);
}

/* ZLAZY_JIT: who may be rewritten, and as what. */
static void test_patch_plan_by_choice(void **state)
{
	int fd = memfd_create("code", MFD_CLOEXEC), all = PROT_READ | PROT_WRITE | PROT_EXEC;
	uint8_t *closed = map_private(8, PROT_READ | PROT_EXEC), *open = map_private(8, all),
		*view = map_shared(fd, 8, PROT_READ | PROT_EXEC);
	const struct { enum zl_jit jit; long open, view; } cases[] = {
		{ ZL_JIT_AUTO, ZL_OK, ZL_SHARED },
		{ ZL_JIT_PATCH, ZL_OK, ZL_OK },
		{ ZL_JIT_TRAP, ZL_OPEN, ZL_SHARED },
	};
	enum zl_site_state record;

	(void)state;
	zl_patch_start();
	for (size_t i = 0; i < ZL_ARRAY_SIZE(cases); i++) {
		zl_jit = cases[i].jit;
		assert_int_equal(zl_patch_plan((uintptr_t)closed + 8, zl_patch_access((uintptr_t)closed + 8), true, &record), ZL_OK);
		assert_int_equal(record, ZL_SITE_PATCHED);
		assert_int_equal(zl_patch_plan((uintptr_t)open + 8, zl_patch_access((uintptr_t)open + 8), false, &record), ZL_OPEN);
		assert_int_equal(zl_patch_plan((uintptr_t)open + 8, zl_patch_access((uintptr_t)open + 8), true, &record), cases[i].open);
		assert_int_equal(record, ZL_SITE_OPEN);
		assert_int_equal(zl_patch_plan((uintptr_t)view + 8, zl_patch_access((uintptr_t)view + 8), true, &record), cases[i].view);
	}
	zl_jit = ZL_JIT_PATCH;
	assert_int_equal(zl_patch_plan((uintptr_t)view + 8, zl_patch_access((uintptr_t)view + 8), false, &record), ZL_SHARED);
	assert_int_equal(zl_patch_plan((uintptr_t)view + 15, zl_patch_access((uintptr_t)view + 15), true, &record), ZL_SHARED);
	assert_int_equal(zl_patch_plan((uintptr_t)view + 8, zl_patch_access((uintptr_t)view + 8), true, &record), ZL_OK);
	assert_int_equal(record, ZL_SITE_OPEN);
	zl_jit = ZL_JIT_AUTO;
	munmap(view, SIZE);
	munmap(closed, SIZE);
	munmap(open, SIZE);
	close(fd);
}

struct watch { const volatile uint8_t *site; atomic_bool stop; atomic_uint looks; unsigned wrong; };

/* x86 keeps the order of loads, and of stores as another core sees them: first byte new means second byte new. */
static void *watch(void *argument)
{
	struct watch *w = argument;
	while (!atomic_load(&w->stop)) {
		uint8_t first = w->site[0], second = w->site[1];
		w->wrong += (first != 0x0f && first != 0xff) || (second != 0x05 && second != 0xd0) ||
			    (first == 0xff && second == 0x05);
		atomic_fetch_add(&w->looks, 1);
	}
	return NULL;
}

static void patch_watched(uint8_t *code, unsigned offset)
{
	struct watch w = { .site = code + offset };
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, watch, &w), 0);
	while (atomic_load(&w.looks) < 100)
		;
	assert_int_equal(patch((uintptr_t)code + offset), ZL_OK);
	atomic_store(&w.stop, true);
	pthread_join(thread, NULL);
	assert_int_equal(w.wrong, 0);
	expect_bytes(code, offset, "\xff\xd0");
	munmap(code, SIZE);
}

static void test_patch_threaded_in_two_steps(void **state)
{
	(void)state;
	zl_patch_start();
	atomic_store(&zl_is_threaded, true);
	for (size_t i = 0; i < ZL_ARRAY_SIZE(offsets); i++) {
		close(zl_codefd_number());   /* by mprotect */
		patch_watched(map_private(offsets[i], PROT_READ | PROT_EXEC), offsets[i]);
		zl_codefd_open();
	}
	for (unsigned round = 0; round < 20; round++)
		for (size_t i = 0; i < ZL_ARRAY_SIZE(offsets); i++) {
			expect_patch(map_private(offsets[i], PROT_READ | PROT_EXEC), offsets[i], ZL_OK);
			patch_watched(map_private(offsets[i], PROT_READ | PROT_EXEC), offsets[i]);
		}
	atomic_store(&zl_is_threaded, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_patch_private_page),
		cmocka_unit_test(test_patch_private_page_without_descriptor),
		cmocka_unit_test(test_patch_gives_protection_back_in_the_end),
		cmocka_unit_test(test_patch_descriptor_of_another_file),
		cmocka_unit_test(test_patch_leaves_shared_memfd_alone),
		cmocka_unit_test(test_patch_leaves_shared_deleted_file_alone),
		cmocka_unit_test(test_patch_leaves_shared_anonymous_memory_alone),
		cmocka_unit_test(test_patch_leaves_system_v_memory_alone),
		cmocka_unit_test(test_patch_leaves_sealed_memory_alone),
		cmocka_unit_test(test_patch_leaves_shared_file_alone),
		cmocka_unit_test(test_patch_private_file_keeps_the_file),
		cmocka_unit_test(test_patch_unmapped),
		cmocka_unit_test(test_patch_half_in_a_shared_file),
		cmocka_unit_test(test_patch_threaded_without_barrier),
		cmocka_unit_test(test_patch_undo),
		cmocka_unit_test(test_patch_undo_of_described_site_in_writable_memory),
		cmocka_unit_test(test_patch_plan_by_choice),
		cmocka_unit_test(test_patch_threaded_in_two_steps),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
