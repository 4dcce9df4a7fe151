/* test_maps.c - the mapping at an address (lazy/maps.c)
 *
 *   each line of /proc/self/maps   first and last byte found, with range, protection, sharing, offset and name: by the
 *                                  ioctl, where the kernel has it, and by the text, where a filter takes it away
 *   nothing mapped                 -ENOENT
 *   descriptor                     given back; none to be had: an error that is not -ENOENT
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "lazy/maps.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096 };
static char text[1 << 20];
static uint8_t *hole;   /* a page that is not mapped */

static void map_some(void)
{
	static const int flags[] = { MAP_PRIVATE | MAP_ANONYMOUS, MAP_SHARED | MAP_ANONYMOUS };
	for (int i = 0; i < 16; i++)
		mmap(NULL, 2 * PAGE, i & (PROT_READ | PROT_WRITE | PROT_EXEC), flags[i / 8], -1, 0);
	mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, memfd_create("with spaces", 0), 3 * PAGE);
	hole = mmap(NULL, 3 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(hole += PAGE, PAGE);
}

static void read_text(void)
{
	int fd = open("/proc/self/maps", O_RDONLY);
	ssize_t used = 0, n;
	while ((n = read(fd, text + used, sizeof(text) - 1 - (size_t)used)) > 0)
		used += n;
	text[used] = '\0';
	close(fd);
}

/* The name is whole in a large buffer; in a small one its end, marked. */
static bool is_named(uintptr_t at, const char *name, unsigned long offset)
{
	char large[4096], small[12];
	struct zl_mapping m = { 0 };
	size_t length = strlen(name);

	if (zl_maps_name(at, &m, large, sizeof(large)) != 0 || strcmp(large, name) != 0 || m.offset != offset)
		return false;
	if (zl_maps_name(at, &m, small, sizeof(small)) != 0 || m.offset != offset)
		return false;
	return length < sizeof(small) ? strcmp(small, name) == 0 :
		strncmp(small, "...", 3) == 0 && strcmp(small + 3, name + length - 8) == 0;
}

static bool is_right(uintptr_t at, uintptr_t start, uintptr_t end, const char *flags)
{
	struct zl_mapping m = { 0 };
	int protection = (flags[0] == 'r' ? PROT_READ : 0) | (flags[1] == 'w' ? PROT_WRITE : 0) |
			 (flags[2] == 'x' ? PROT_EXEC : 0);
	return zl_maps_find(at, &m) == 0 && m.start == start && m.end == end && m.protection == protection &&
	       m.is_shared == (flags[3] == 's');
}

/* The line that is answered otherwise, or NULL. */
static const char *first_wrong(void)
{
	static char wrong[256];
	struct zl_mapping m;
	unsigned long start, end, offset;
	char flags[8];
	int at;

	read_text();
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		if (!strstr(line, "[vsyscall]") &&
		    (sscanf(line, "%lx-%lx %7s %lx %*s %*s%n", &start, &end, flags, &offset, &at) != 4 ||
		     !is_right(start, start, end, flags) || !is_right(end - 1, start, end, flags) ||
		     !is_named(start, line + at + strspn(line + at, " "), offset)))
			return strncpy(wrong, line, sizeof(wrong) - 1);
	return zl_maps_find((uintptr_t)hole, &m) == -ENOENT ? NULL : "a hole";
}

static void test_maps_finds_every_mapping(void **state)
{
	(void)state;
	map_some();
	assert_null(first_wrong());
}

static bool take_ioctl_away(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOTTY),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { ZL_ARRAY_SIZE(filter), filter };
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static void test_maps_finds_every_mapping_by_text(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	assert_true(child >= 0);
	if (child == 0) {
		const char *wrong;
		if (!take_ioctl_away())
			_exit(77);
		wrong = first_wrong();
		if (wrong)
			fprintf(stderr, "wrong: %s\n", wrong);
		_exit(wrong != NULL);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (status == 77 << 8)
		skip();
	assert_int_equal(status, 0);
}

static void test_maps_keeps_no_descriptor(void **state)
{
	struct zl_mapping m;
	int lowest = dup(0);

	(void)state;
	close(lowest);
	assert_int_equal(zl_maps_find((uintptr_t)text, &m), 0);
	assert_int_equal(zl_maps_find((uintptr_t)hole, &m), -ENOENT);
	assert_int_equal(dup(0), lowest);
	close(lowest);
}

static void test_maps_reports_no_descriptor(void **state)
{
	struct rlimit limit, none;
	struct zl_mapping m;
	long result;

	(void)state;
	getrlimit(RLIMIT_NOFILE, &limit);
	none = (struct rlimit){ 0, limit.rlim_max };
	setrlimit(RLIMIT_NOFILE, &none);
	result = zl_maps_find((uintptr_t)text, &m);
	setrlimit(RLIMIT_NOFILE, &limit);
	assert_int_equal(result, -EMFILE);
	assert_int_equal(zl_maps_find((uintptr_t)text, &m), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_maps_finds_every_mapping),
		cmocka_unit_test(test_maps_finds_every_mapping_by_text),
		cmocka_unit_test(test_maps_keeps_no_descriptor),
		cmocka_unit_test(test_maps_reports_no_descriptor),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
